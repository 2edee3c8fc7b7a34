"""Pure: how an event is quarantined that the topic of its family does not take."""

import hashlib
from typing import Final

from ingest.webhook.routing import Quarantined
from runtime.values import Record
from schemas import headers
from schemas.reasons import QuarantineReason

_kept: Final = frozenset(
    {
        headers.received_at_header,
        headers.app_header,
        headers.request_id_header,
        headers.traceparent,
    }
)


def refused_by_topic(record: Record, *, detail: str, quarantine_topic: str) -> Quarantined:
    """Return the body as it came, with what says where it belongs and why it is not there."""
    arrival = tuple(header for header in record.headers if header[0] in _kept)
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
