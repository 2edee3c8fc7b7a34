"""Pure: the rows of a batch, by table, reduced to one row per key.

A raw event keeps its first content; a higher revision replaces its enrichment and nothing else. Two
records of the same revision may differ in that (a redelivered webhook is enriched again): the first
one stays. All other tables are projections.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from runtime.errors import RejectedError
from runtime.values import Delivery, Rejection
from schemas.topics import outcome_topic, reference_topic
from sinks.postgres.model.events import ParsedEvent, read_event
from sinks.postgres.model.outcomes import read_outcome
from sinks.postgres.model.projection import reduced
from sinks.postgres.model.references import read_reference
from sinks.postgres.model.registry import Message, column_updates, projections
from sinks.postgres.model.tables import Row, Table, columns_of

_reference_topic: Final = reference_topic(prefix="")
_outcome_topic: Final = outcome_topic(prefix="")

raw_table: Final = Table(
    "raw_event",
    (
        *columns_of("text", "event_id"),
        *columns_of("timestamptz", "event_ts", "occurred_at", "received_at"),
        *columns_of("text", "account_id", "event", "family", "subject", "partition_key"),
        *columns_of("text", "source_topic"),
        *columns_of("integer", "source_partition"),
        *columns_of("bigint", "source_offset"),
        *columns_of("integer", "revision"),
        *columns_of("jsonb", "payload", "enrichment", personal="document"),
        *columns_of("text", "enrichment_status"),
        *columns_of("bytea", "body", personal="document"),
    ),
    ("event_ts", "event_id"),  # in time, so that new rows meet pages that are in memory
    "do update set enrichment = excluded.enrichment, "
    "enrichment_status = excluded.enrichment_status, revision = excluded.revision "
    "where excluded.revision > stored.revision",
    partitioned=True,
)

tables: Final = (raw_table, *(projection.table for projection in projections))
"""In the order in which a batch is written."""


def read_deliveries(deliveries: Iterable[Delivery]) -> tuple[list[Message], list[Rejection]]:
    """Return the readable deliveries, parsed and in order, and the rejections of the others."""
    messages: list[Message] = []
    rejections = []
    for delivery in deliveries:
        try:
            messages.append(_read(delivery))
        except RejectedError as error:
            rejections.append(
                Rejection(delivery.source, delivery.offset, error.reason, error.detail)
            )
    return messages, rejections


def events_in(messages: Iterable[Message]) -> list[ParsedEvent]:
    """Return the events among the messages."""
    return [each for each in messages if isinstance(each, ParsedEvent)]


def rows_by_table(messages: Iterable[Message]) -> Mapping[Table, list[Row]]:
    """Return the rows of each table in the order of its key, in the order of `tables`."""
    messages = list(messages)
    reduced_rows = reduced((each, column_updates(each)) for each in messages)
    return {
        **raw_rows_by_table(messages),
        **{p.table: reduced_rows[p] for p in projections if p in reduced_rows},
    }


def raw_rows_by_table(messages: Iterable[Message]) -> Mapping[Table, list[Row]]:
    """Return the rows of the raw table only, in the order of its key."""
    distinct = sorted(
        _distinct(events_in(messages)), key=lambda event: (event.event_ts_ms, event.event_id)
    )
    return {raw_table: [_raw_row(event) for event in distinct]}


def _read(delivery: Delivery) -> Message:
    if delivery.topic.endswith(_reference_topic):
        return read_reference(delivery)
    if delivery.topic.endswith(_outcome_topic):
        return read_outcome(delivery)
    return read_event(delivery)


def _distinct(events: Iterable[ParsedEvent]) -> Iterable[ParsedEvent]:
    """Reduce repeats as the tables would: the first one, with the highest revision's enrichment."""
    distinct: dict[tuple[str, int], ParsedEvent] = {}
    for event in events:
        key = event.event_id, event.event_ts_ms
        first = distinct.get(key)
        if first is None:
            distinct[key] = event
        elif event.revision > first.revision:
            distinct[key] = _with_enrichment(first, event)
    return distinct.values()


def _with_enrichment(first: ParsedEvent, later: ParsedEvent) -> ParsedEvent:
    parsed = {**first.content.parsed, "enrichment": later.enrichment}
    content = first.content._replace(enrichment=later.content.enrichment, parsed=parsed)
    return first._replace(content=content, revision=later.revision)


def _raw_row(event: ParsedEvent) -> Row:
    return (
        event.event_id,
        event.event_ts_ms,
        event.occurred_at_ms,
        event.received_at_ms,
        event.account_id,
        event.name,
        event.family,
        event.subject,
        event.partition_key,
        event.delivery.topic,
        event.delivery.partition,
        event.delivery.offset,
        event.revision,
        event.content.payload,
        event.content.enrichment,
        event.enrichment_status,
        event.content.verbatim,
    )
