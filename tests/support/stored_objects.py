"""Batches for the object storage sink, and what its store holds."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from runtime.values import Assignment, Batch, Delivery, PartitionState, Span, TopicPartition
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from tests.support.enriched_records import delivery as enriched
from tests.support.enriched_records import webhook, with_fields, with_header
from tests.support.objects import opened

JANUARY_MS = 1_767_268_800_000  # 2026-01-01T12:00:00Z
source = TopicPartition("zcc.enriched.task.v1", 1)
TOPIC_ID = "_6k8WQ0HQ5-Y3rSwjX1v2A"
"""Begins as an id may begin, and as the name of an object must not."""


def delivery(offset: int, *, day: int = 1, event: str = "") -> Delivery:
    at_ms = JANUARY_MS + (day - 1) * 86_400_000
    made = enriched(webhook("task_created", {"task_id": event or f"T{offset}"}, at_ms=at_ms))
    made = with_header(made, "zcc-event-id", (event or f"{offset:064x}").encode())
    return with_fields(made, topic=source.topic, partition=source.partition, offset=offset)


def batch(first: int, end: int, *, day: Callable[[int], int] = lambda _: 1) -> Batch:
    deliveries = tuple(delivery(offset, day=day(offset)) for offset in range(first, end))
    return Batch(deliveries, {source: Span(first, end)})


def alternately(offset: int) -> int:
    return 1 + offset % 2


def assignment(
    committed: int | None = 0,
    *,
    log_start: int = 0,
    log_end: int = 1000,
    topic_id: str = TOPIC_ID,
    cluster_id: str = "cluster",
) -> Assignment:
    state = PartitionState(committed, log_start, log_end)
    return Assignment(cluster_id, "group", {source: state}, {source.topic: topic_id})


async def stored(settings: ObjectStorageSettings) -> list[int]:
    return sorted([int(event_id, 16) async for event_id in stored_event_ids(settings)])


async def put(settings: ObjectStorageSettings, path: str, table: pa.Table) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    assert await opened(settings).create(path, buffer.getvalue().to_pybytes())


def path_of(day: int, start: int, *, topic_id: str = TOPIC_ID) -> str:
    folder = f"topic={source.topic}/date=2026-01-{day:02d}"
    return f"{folder}/00001-{start:020d}-{topic_id}.parquet"
