"""Pure: the headers of a record: CloudEvents 1.0 in Kafka binary mode, and our own.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2 (binary content mode).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from .catalogue import events, unknown_family
from .envelope import Envelope

ce_specversion: Final = "ce_specversion"
ce_id: Final = "ce_id"
ce_source: Final = "ce_source"
ce_type: Final = "ce_type"
ce_time: Final = "ce_time"
ce_subject: Final = "ce_subject"
ce_dataschema: Final = "ce_dataschema"
ce_partitionkey: Final = "ce_partitionkey"
content_type: Final = "content-type"
traceparent: Final = "traceparent"
event_id_header: Final = "zcc-event-id"
request_id_header: Final = "zcc-request-id"
received_at_header: Final = "zcc-received-at"
app_header: Final = "zcc-app"
revision_header: Final = "zcc-revision"
reason_header: Final = "zcc-reason"
error_header: Final = "zcc-error"
attempts_header: Final = "zcc-attempts"
origin_header: Final = "zcc-origin"
worker_header: Final = "zcc-worker"
failed_at_header: Final = "zcc-failed-at"
first_failed_at_header: Final = "zcc-first-failed-at"
due_at_header: Final = "zcc-due-at"
replays_header: Final = "zcc-replays"
as_of_header: Final = "zcc-as-of"

Headers = tuple[tuple[str, bytes], ...]

_source: Final = b"urn:zoom:contact-center:%b"
_plain_in_urn: Final = "!$&'()*+,;=@"
"""Further characters of a URN besides letters, digits and `-._~`; the colon ends a part here."""

_version: Final = (ce_specversion, b"1.0")
_json: Final = (content_type, b"application/json")
_first_revision: Final = (revision_header, b"1")


def event_headers(
    envelope: Envelope, *, event_id: str, occurred_at_ms: int, subject: str, partition_key: str
) -> Headers:
    """Return the headers of the event itself; the receiver adds request id, time and app."""
    id_value = event_id.encode()
    return (
        _version,
        (ce_id, id_value),
        (ce_source, _source % _in_uri(envelope.account_id)),
        (ce_type, envelope.event.encode()),
        (ce_time, timestamp(occurred_at_ms).encode()),
        (ce_subject, subject.encode()),
        (ce_dataschema, b"urn:zcc:schema:%b:1" % _in_uri(envelope.event)),
        (ce_partitionkey, partition_key.encode()),
        _json,
        (event_id_header, id_value),
        _first_revision,
    )


def family_of(event: str) -> str:
    """Return the family whose topic takes the event."""
    kind = events.get(event)
    return kind.family if kind else unknown_family


@lru_cache(maxsize=4_096)  # accounts and names of events are few
def _in_uri(value: str) -> bytes:
    """Write a text as a part of a URN. Source: RFC 3986, section 2.1; RFC 8141, section 2."""
    return quote(value, safe=_plain_in_urn).encode()


def timestamp(epoch_ms: int) -> str:
    """Write epoch milliseconds as RFC 3339 in UTC with three decimals."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_whole_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4_096)  # events come many in a second
def _whole_second(epoch_s: int) -> str:
    return f"{datetime.fromtimestamp(epoch_s, UTC):%Y-%m-%dT%H:%M:%S}"


def text(headers: Headers, name: str) -> str | None:
    """Return the last value of a header as text, or None where it is absent."""
    for candidate, value in reversed(headers):
        if candidate == name:
            return value.decode("utf-8", "replace")
    return None
