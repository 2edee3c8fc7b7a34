"""Pure: the rows of a batch, by table, reduced to one row per key.

Raw events and the timeline keep what came first; a higher revision replaces what the enrichment
said and nothing else. Two records of the same revision may differ in that (a redelivered webhook is
enriched anew): the first one stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from runtime.errors import RejectedError
from runtime.values import Delivery, Rejection
from sinks.postgres.engagement import (
    channel,
    engagement_rows,
    engagement_table,
    queue_name,
    user_name,
)
from sinks.postgres.events import Event, read_event
from sinks.postgres.tables import Row, Table, columns_of

_follow_ups: Final = frozenset(
    {
        "contact_center.engagement_follow_up_task_created",
        "contact_center.engagement_follow_up_task_updated",
    }
)
"""Their ``task_id`` is no routing task."""

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
        *columns_of("jsonb", "payload", "enrichment"),
        *columns_of("text", "enrichment_status"),
        *columns_of("bytea", "body"),
    ),
    ("event_id", "event_ts"),
    "do update set enrichment = excluded.enrichment, "
    "enrichment_status = excluded.enrichment_status, revision = excluded.revision "
    "where excluded.revision > stored.revision",
)

timeline_table: Final = Table(
    "engagement_timeline",
    (
        *columns_of("text", "account_id", "engagement_id"),
        *columns_of("timestamptz", "occurred_at"),
        *columns_of("text", "event_id"),
        *columns_of("timestamptz", "event_ts"),
        *columns_of("text", "event", "family", "channel", "cc_queue_id", "queue_name"),
        *columns_of("text", "user_id", "user_display_name", "task_id"),
        *columns_of("integer", "revision"),
    ),
    ("account_id", "engagement_id", "occurred_at", "event_id", "event_ts"),
    "do update set queue_name = excluded.queue_name, "
    "user_display_name = excluded.user_display_name, revision = excluded.revision "
    "where excluded.revision > stored.revision",
)

tables: Final = (raw_table, timeline_table, engagement_table)
"""In the order in which a batch is written."""


def read_events(deliveries: Iterable[Delivery]) -> tuple[list[Event], list[Rejection]]:
    """Return what can be read, in the same order, and the deliveries that cannot."""
    events, rejections = [], []
    for delivery in deliveries:
        try:
            events.append(read_event(delivery))
        except RejectedError as error:
            rejections.append(
                Rejection(delivery.source, delivery.offset, error.reason, error.detail)
            )
    return events, rejections


def rows_by_table(events: Sequence[Event]) -> Mapping[Table, list[Row]]:
    """Return the rows of each table in the order of its key, in the order of `tables`."""
    distinct = sorted(_distinct(events), key=lambda event: (event.event_id, event.event_ts_ms))
    timeline = [_timeline_row(event) for event in distinct if event.engagement_id is not None]
    return {
        raw_table: [_raw_row(event) for event in distinct],
        timeline_table: sorted(timeline, key=lambda row: row[:5]),
        engagement_table: engagement_rows(events),
    }


def _distinct(events: Iterable[Event]) -> Iterable[Event]:
    """Reduce repeats as the tables would: the first one, with the highest revision's enrichment."""
    found: dict[tuple[str, int], Event] = {}
    for event in events:
        key = event.event_id, event.event_ts_ms
        first = found.get(key)
        if first is None:
            found[key] = event
        elif event.revision > first.revision:
            found[key] = _with_enrichment(first, event)
    return found.values()


def _with_enrichment(first: Event, later: Event) -> Event:
    parsed = {**first.content.parsed, "enrichment": later.enrichment}
    content = first.content._replace(enrichment=later.content.enrichment, parsed=parsed)
    return first._replace(content=content, revision=later.revision)


def _raw_row(event: Event) -> Row:
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


def _timeline_row(event: Event) -> Row:
    return (
        event.account_id,
        event.engagement_id,
        event.occurred_at_ms,
        event.event_id,
        event.event_ts_ms,
        event.name,
        event.family,
        channel(event),
        event.text("cc_queue_id"),
        queue_name(event),
        event.text("user_id"),
        user_name(event),
        None if event.name in _follow_ups else event.text("task_id"),
        event.revision,
    )
