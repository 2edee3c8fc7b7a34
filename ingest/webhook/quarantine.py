"""Pure: the quarantine record of an event that the topic of its family refuses."""

import hashlib
from typing import Final

from ingest.webhook.routing import Quarantined
from runtime.values import Record
from schemas import headers
from schemas.reasons import QuarantineReason

_arrival_headers: Final = frozenset(
    {
        headers.received_at_header,
        headers.app_header,
        headers.request_id_header,
        headers.traceparent,
    }
)


def refused_by_topic(record: Record, *, detail: str, quarantine_topic: str) -> Quarantined:
    """Return the body as it came, with the reason and how it arrived."""
    arrival = tuple(header for header in record.headers if header[0] in _arrival_headers)
    request_id = dict(arrival).get(headers.request_id_header)
    body = record.value or b""
    reason = QuarantineReason.REFUSED_BY_TOPIC
    return Quarantined(
        Record(
            topic=quarantine_topic,
            key=request_id or hashlib.sha256(body).hexdigest().encode(),
            value=body,
            headers=(
                (headers.reason_header, reason.value.encode()),
                (headers.error_header, detail.encode()),
                *arrival,
            ),
        ),
        reason,
    )
