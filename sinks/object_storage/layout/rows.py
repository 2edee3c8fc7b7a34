"""Pure: converts deliveries to rows, by partition and day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import pyarrow as pa

from runtime.values import Batch, Delivery, Rejection, TopicPartition
from schemas.enriched_record import UnreadableRecordError, read_enriched_headers
from schemas.envelope import UnreadableError, read_envelope
from schemas.reasons import DeadLetterReason

_moment: Final = pa.timestamp("ms", tz="UTC")
_day_ms: Final = 86_400_000
_epoch_day: Final = date(1970, 1, 1).toordinal()

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
"""One row per record. ``body`` is the record's value."""


class ObjectRow(NamedTuple):
    """One record. The fields are the columns of `table_schema`; times are epoch milliseconds."""

    event_id: str
    event: str
    account_id: str
    subject: str | None
    occurred_at: int
    received_at: int
    app: str | None
    request_id: str | None
    revision: int
    topic: str
    partition: int
    offset: int
    partition_key: str | None
    body: str


class ObjectKey(NamedTuple):
    """The partition and the day whose rows share an object."""

    source: TopicPartition
    day: str


Rows = dict[ObjectKey, list[ObjectRow]]
"""Rows in the order of offsets, by partition and day."""


class ReadBatch(NamedTuple):
    """The rows of a batch, and the deliveries that cannot be one."""

    rows: Rows
    rejections: Sequence[Rejection]


def read_rows(batch: Batch) -> ReadBatch:
    """Return the rows of a batch, and the deliveries that cannot be one."""
    rows: Rows = defaultdict(list)
    rejections = []
    for delivery in batch.deliveries:
        try:
            row = _row(delivery)
        except UnreadableRecordError as error:
            rejections.append(
                Rejection(delivery.source, delivery.offset, DeadLetterReason.UNREADABLE, str(error))
            )
        else:
            rows[ObjectKey(delivery.source, _day(row.occurred_at))].append(row)
    return ReadBatch(dict(rows), rejections)


def table_of(rows: Sequence[ObjectRow]) -> pa.Table:
    """Return the rows as a table."""
    columns = zip(*rows, strict=True)
    arrays = [pa.array(each, field.type) for each, field in zip(columns, table_schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=table_schema)


def _day(epoch_ms: int) -> str:
    return date.fromordinal(_epoch_day + epoch_ms // _day_ms).isoformat()


def _row(delivery: Delivery) -> ObjectRow:
    if delivery.value is None:
        raise UnreadableRecordError("the record has no value")
    headers = read_enriched_headers(delivery.headers)
    try:
        account_id = read_envelope(delivery.value).account_id
    except UnreadableError as error:
        raise UnreadableRecordError(f"the value is not an event: {error.reason}") from None
    return ObjectRow(
        event_id=headers.event_id,
        event=headers.event,
        account_id=account_id,
        subject=headers.subject,
        occurred_at=headers.occurred_at_ms,
        received_at=headers.received_at_ms,
        app=headers.app,
        request_id=headers.request_id,
        revision=headers.revision,
        topic=delivery.topic,
        partition=delivery.partition,
        offset=delivery.offset,
        partition_key=headers.partition_key,
        body=delivery.value.decode(),
    )
