"""Pure: from deliveries to tables, one for each object to be written.

An object holds the records of one partition, one span of offsets and one day. Its name follows from
these alone, so that whoever writes the span again meets the same name. The span stands in the
Parquet footer under `span_start` and `span_end`.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from runtime.values import Batch, Delivery, Rejection, Span, TopicPartition
from schemas import headers as names
from schemas.headers import account_of, text
from schemas.reasons import DeadLetterReason

span_start: Final = "zcc.span.start"
span_end: Final = "zcc.span.end"

_revision_digits: Final = 9  # what an int32 surely holds

_moment: Final = pa.timestamp("ms", tz="UTC")

table_schema: Final = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("account_id", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("occurred_at", _moment, nullable=False),
        pa.field("received_at", _moment),
        pa.field("app", pa.string()),
        pa.field("request_id", pa.string()),
        pa.field("revision", pa.int32(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("partition_key", pa.string()),
        pa.field("body", pa.string(), nullable=False),
    ]
)
"""One row per record. ``body`` is the value as it stood in the topic."""


class ObjectKey(NamedTuple):
    """What names an object, and orders the objects of a batch."""

    source: TopicPartition
    day: str


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object to write: rows in offset order, and the span of offsets that it settles."""

    key: ObjectKey
    span: Span
    rows: pa.Table

    @property
    def path(self) -> str:
        """Where it lies below the prefix: ``topic=…/date=…/partition-start.parquet``."""
        source = self.key.source
        name = f"{source.partition:05d}-{self.span.start:020d}.parquet"
        return f"topic={source.topic}/date={self.key.day}/{name}"

    def after(self, offset: int) -> "PlannedObject | None":
        """Return what is left from an offset on, None if nothing is."""
        rows = self.rows.filter(pc.greater_equal(self.rows["offset"], offset))
        span = Span(offset, self.span.end)
        return _object(self.key, span, rows) if len(rows) else None


def read_rows(batch: Batch) -> tuple[dict[ObjectKey, list[dict[str, object]]], list[Rejection]]:
    """Return the rows of a batch by object, and the deliveries that cannot be one."""
    rows: dict[ObjectKey, list[dict[str, object]]] = defaultdict(list)
    rejections = []
    for delivery in batch.deliveries:
        try:
            row = _row(delivery)
        except (LookupError, ValueError) as error:
            rejections.append(
                Rejection(delivery.source, delivery.offset, DeadLetterReason.UNREADABLE, str(error))
            )
        else:
            day = f"{row['occurred_at']:%Y-%m-%d}"
            rows[ObjectKey(delivery.source, day)].append(row)
    return rows, rejections


def plan_objects(
    rows: Mapping[ObjectKey, Sequence[Mapping[str, object]]], spans: Mapping[TopicPartition, Span]
) -> Iterator[PlannedObject]:
    """Yield the objects of a batch in a fixed order; a day without records has none."""
    for key in sorted(rows):
        table = pa.Table.from_pylist(rows[key], schema=table_schema)
        yield _object(key, spans[key.source], table)


def _object(key: ObjectKey, span: Span, rows: pa.Table) -> PlannedObject:
    footer = {span_start: str(span.start), span_end: str(span.end)}
    return PlannedObject(key, span, rows.replace_schema_metadata(footer))


def footer_end(metadata: Mapping[bytes, bytes] | None) -> int | None:
    """Return where the span of a written object ends, None if it is none of ours."""
    value = (metadata or {}).get(span_end.encode())
    return int(value) if value is not None and value.isdigit() else None


def _row(delivery: Delivery) -> dict[str, object]:
    if delivery.value is None:
        raise ValueError("the record has no value")
    received = text(delivery.headers, names.received_at_header)
    return {
        "event_id": _required(delivery, names.event_id_header),
        "event": _required(delivery, names.ce_type),
        "account_id": account_of(delivery.headers),
        "subject": text(delivery.headers, names.ce_subject),
        "occurred_at": _time(_required(delivery, names.ce_time)),
        "received_at": _time(received) if received else None,
        "app": text(delivery.headers, names.app_header),
        "request_id": text(delivery.headers, names.request_id_header),
        "revision": _revision(text(delivery.headers, names.revision_header)),
        "topic": delivery.topic,
        "partition": delivery.partition,
        "offset": delivery.offset,
        "partition_key": text(delivery.headers, names.ce_partitionkey),
        "body": _utf8(delivery.value),
    }


def _required(delivery: Delivery, name: str) -> str:
    value = text(delivery.headers, name)
    if not value:
        raise LookupError(f"the record has no header {name}")
    return value


def _time(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time in the headers is not RFC 3339") from None


def _revision(value: str | None) -> int:
    if value is None:
        return 1
    if not value.isdecimal() or len(value) > _revision_digits:
        raise ValueError("the header for the revision is not a small number")
    return int(value)


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError("the value is not UTF-8") from None
