"""Files behind the links of replies: recordings, transcripts, attachments.

All have paths as in the vendor's examples. They require the access token, but no scope, and count
against no limit. A redirect may lead to ``/files/{id}``, as to a content network: that address
grants access itself, and refuses a request with a token.

Every id has a file, whose content follows from the seed and the id. Source: Zoom Contact Center
REST API, examples of links; RFC 9110 (ranges, entity tags).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final

from simulator.rest.documents import ApiError
from simulator.synthetic_values import messages

_byte_range: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)

file_paths: Final[Mapping[str, str]] = {
    "/v2/contact_center/recording/download/{file_id}": "audio/mpeg",
    "/v2/contact_center/recording/playback/{file_id}": "audio/mpeg",
    "/v2/contact_center/recording/transcripts/download/{file_id}": "text/vtt",
    "/v2/contact_center/engagements/transcripts/download/{file_id}": "text/vtt",
    "/v2/contact_center/voicemail/transcripts/download/{file_id}": "text/vtt",
    "/v2/contact_center/inbox/message/download/{file_id}": "audio/mpeg",
    "/v2/contact_center/inbox/message/playback/{file_id}": "audio/mpeg",
    "/v2/contact_center/inbox/message/transcripts/download/{file_id}": "text/vtt",
    "/v2/contact_center/attachments/{file_id}/download": "application/octet-stream",
    "/v2/contact_center/consumer_callback/voice_messages/{file_id}/download": "audio/mpeg",
    "/v2/transcripts/download/{file_id}": "text/vtt",
}
"""Content type by path."""

signed_path: Final = "/files/{file_id}"


@dataclass(frozen=True, slots=True)
class FilePart:
    """A response with all or part of a file: status 200 or 206."""

    status: int
    content: bytes
    headers: Mapping[str, str]


class Files:
    """Files of one size."""

    def __init__(self, *, seed: int, size_bytes: int) -> None:
        self._seed = seed
        self._size_bytes = size_bytes
        self._content = lru_cache(maxsize=8)(self._make)

    def part(self, file_id: str, content_type: str, headers: Mapping[str, str]) -> FilePart:
        """Return the file, or the range of it that the headers request.

        Raises:
            ApiError: 416: the range lies outside.
        """
        content, tag = self._content(file_id, content_type)
        headers_sent = {"ETag": tag, "Accept-Ranges": "bytes"}
        byte_range = _byte_range.fullmatch(headers.get("range", ""))
        if byte_range is None or headers.get("if-range", tag) != tag:
            return FilePart(200, content, headers_sent)
        start, end = _bounds(byte_range[1], byte_range[2], len(content))
        if not start < end:
            outside = {"Content-Range": f"bytes */{len(content)}"}
            raise ApiError(416, 416, "the range lies outside of the file", headers_sent | outside)
        headers_sent["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
        return FilePart(206, content[start:end], headers_sent)

    def _make(self, file_id: str, content_type: str) -> tuple[bytes, str]:
        rng = Random(f"{self._seed} {file_id}")
        text = content_type.startswith("text/")
        content = _cues(rng, self._size_bytes) if text else rng.randbytes(self._size_bytes)
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Return start and end of a range; one without a start counts from the end of the file."""
    if not first:
        return (max(0, size - int(last)), size) if last else (size, size)
    return int(first), min(size, int(last) + 1) if last else size


def _cues(rng: Random, size: int) -> bytes:
    """Write subtitles, filled up to the size with empty lines."""
    text = bytearray(b"WEBVTT\n")
    second = 0
    while True:
        until = second + rng.randint(1, 9)
        cue = f"\n{_time(second)} --> {_time(until)}\n{rng.choice(messages)}\n".encode()
        if len(text) + len(cue) > size:
            return bytes(text[:size].ljust(size, b"\n"))
        text += cue
        second = until


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000"
