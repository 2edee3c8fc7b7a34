"""Pure: the vocabulary of topic records: sets of headers, and promises of compatibility."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas import headers
from schemas.reasons import DeadLetterReason, QuarantineReason


@dataclass(frozen=True, slots=True)
class Header:
    """A header of a record; its value is UTF-8 text. ``always``: each record has it."""

    name: str
    meaning: str
    always: bool = True


HeaderSet = Literal["event", "quarantine", "retry", "dead-letter", "reference", "snapshot", "none"]
Cleanup = Literal["delete", "compact", "compact,delete"]
"""Values of Kafka's ``cleanup.policy``."""

Promise = Literal["verbatim", "additive", "as-read", "lines", "state"]

_arrival: Final = (
    Header(headers.received_at_header, "when it was received, RFC 3339 in UTC with milliseconds"),
    Header(headers.app_header, "the app whose endpoint took it"),
    Header(
        headers.request_id_header,
        "Zoom's id of the request, the same over its retries",
        always=False,
    ),
    Header(
        headers.traceparent,
        "W3C trace context, where the request had a well-formed one",
        always=False,
    ),
)

_event: Final = (
    Header(headers.ce_specversion, "`1.0`: CloudEvents in Kafka's binary content mode"),
    Header(headers.ce_id, "the event id; `<event id>-r<n>` from revision 2 on"),
    Header(headers.ce_source, "`urn:zoom:contact-center:<account id>`, percent-encoded"),
    Header(headers.ce_type, "Zoom's name of the event, `contact_center.engagement_started`"),
    Header(headers.ce_time, "when it happened, RFC 3339 in UTC with milliseconds"),
    Header(headers.ce_subject, "`entity/id`, or `account/id` where the event names no entity"),
    Header(
        headers.ce_dataschema,
        "`urn:zcc:schema:<event>:1`, the `$id` of its schema, percent-encoded",
    ),
    Header(headers.ce_partitionkey, "the record's key"),
    Header(headers.content_type, "`application/json`"),
    Header(headers.event_id_header, "the event id, whatever the revision; remove repeats by it"),
    Header(
        headers.revision_header,
        "`1`, or the number of a correction; from 100 on with the outcome of the engagement",
    ),
    *_arrival,
)

_waiting: Final = (
    Header(headers.origin_header, "`topic/partition/offset` that it was first read from"),
    Header(headers.attempts_header, "how often it was looked at"),
    Header(headers.first_failed_at_header, "when it was not ready first, RFC 3339 in UTC"),
    Header(headers.due_at_header, "when it is looked at again, RFC 3339 in UTC"),
)

_failure: Final = (
    Header(headers.reason_header, ", ".join(f"`{reason}`" for reason in DeadLetterReason)),
    Header(headers.error_header, "what was expected and what came, without personal data"),
    Header(headers.attempts_header, "how often it was tried"),
    Header(headers.origin_header, "`topic/partition/offset` that it was read from"),
    Header(headers.worker_header, "which worker"),
    Header(headers.failed_at_header, "when, RFC 3339 in UTC with milliseconds"),
    Header("__connect.errors.topic", "the topic that it was read from"),
    Header("__connect.errors.partition", "its partition"),
    Header("__connect.errors.offset", "its offset"),
    Header("__connect.errors.connector.name", "which worker"),
    Header("__connect.errors.exception.message", "reason and error in one line"),
)

header_sets: Final[Mapping[HeaderSet, tuple[Header, ...]]] = {
    "event": _event,
    "quarantine": (
        Header(headers.reason_header, ", ".join(f"`{reason}`" for reason in QuarantineReason)),
        Header(
            headers.error_header,
            "`refused_by_topic` alone: the topic that does not take it, and the setting",
            always=False,
        ),
        *_arrival,
    ),
    "retry": _waiting,
    "dead-letter": _failure,
    "reference": (
        Header(
            headers.as_of_header,
            "as of when the state holds: when Zoom was asked, or when the event happened",
            always=False,
        ),
    ),
    "snapshot": (
        Header(headers.as_of_header, "when Zoom was asked, RFC 3339 in UTC with milliseconds"),
    ),
    "none": (),
}
"""The headers of a record, by the word of the topic record. Retries and dead letters keep all
headers of the polled record; their sets name the added ones."""

_next_version: Final = (
    "What would break a consumer goes to a topic of the next version, which is filled beside this "
    "one until its consumers have moved."
)

promises: Final[Mapping[Promise, str]] = {
    "verbatim": (
        "The value is what Zoom sent, byte for byte. Zoom adds events, members and known values "
        "without notice and leaves out what it calls required: a consumer ignores what it does "
        "not know and does without what is missing. Key and headers are ours: headers are added, "
        f"none changes its meaning. {_next_version}"
    ),
    "additive": (
        "The value is the raw event with the member `enrichment` added, so all that holds for the "
        "raw topic holds here. Members of `enrichment` and reasons are added, none is taken away "
        f"or changes its meaning. {_next_version} `users` and `queues` are deprecated, and go with "
        "it."
    ),
    "as-read": (
        "Key and value are as they came, byte for byte, and may be anything. Headers and reasons "
        "are added, none is taken away or changes its meaning."
    ),
    "lines": (
        "A line stands as it was written, what happens later is another line. Members and actions "
        f"are added, none is taken away or changes its meaning. {_next_version}"
    ),
    "state": (
        "The newest value of a key is the present state of its entity, an empty one says that the "
        "entity is gone. Members are added, none is taken away or changes its meaning. "
        f"{_next_version}"
    ),
}
"""Guarantees for consumers, by the word of the topic record."""
