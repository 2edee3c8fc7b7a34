"""Pure: links to files in the REST API's form, to the server of the files.

Events link to nowhere, under `simulator.synthetic_values.download_origin`; the id in the link is
the same. Source: Zoom Contact Center webhooks and REST API, examples of download links.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from simulator.synthetic_values import download_origin

File = Literal["recording", "recording_playback", "voicemail", "voicemail_playback"]

_files: Final[Mapping[File, str]] = {
    "recording": "recording/download/{}?type=voice",
    "recording_playback": "recording/playback/{}?type=voice",
    "voicemail": "inbox/message/download/{}?type=voice",
    "voicemail_playback": "inbox/message/playback/{}?type=voice",
}

_link_patterns: Final = (
    (
        re.compile(r"(recording|voicemail)/transcripts/(.+)"),
        r"\1/transcripts/download/\2?type=voice",
    ),
    (re.compile(r"engagements/transcripts/(.+)"), r"engagements/transcripts/download/\1"),
    (re.compile(r"attachments/(.+)"), r"attachments/\1/download?type=messaging_attachment"),
)


def link_to(file: File, file_id: str, *, origin: str) -> str:
    """Return the link to a file without a link in events."""
    return f"{origin}/v2/contact_center/{_files[file].format(file_id)}"


def served(link: object, *, origin: str) -> str | None:
    """Return where the file of an event's link is served; None: the event had no link."""
    if not isinstance(link, str):
        return None
    path = link.removeprefix(f"{download_origin}/")
    for pattern, template in _link_patterns:
        if pattern.fullmatch(path):
            return f"{origin}/v2/contact_center/{pattern.sub(template, path)}"
    return f"{origin}/{path}"
