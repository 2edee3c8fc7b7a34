"""A Postgres sink on a real database, driven as the runtime drives it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from pydantic import SecretStr

from runtime.clock import SystemClock
from runtime.values import (
    Assignment,
    Delivery,
    PartitionState,
    Rejection,
    TopicPartition,
)
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink
from tests.support.enriched_records import SOURCE, batch
from tests.support.fakes.sinks import store

GROUP = "zcc.postgres"


def settings(dsn: str, **changes: Any) -> PostgresSettings:
    return PostgresSettings(dsn=SecretStr(dsn), **changes)


def assignment(
    *sources: TopicPartition,
    cluster_id: str = "cluster",
    committed: int | None = None,
    log_start: int = 0,
    log_end: int = 1_000_000,
    topic_id: str = "",
) -> Assignment:
    partitions = sources or (SOURCE,)
    state = PartitionState(committed, log_start, log_end)
    ids = {source.topic: topic_id for source in partitions}
    return Assignment(cluster_id, GROUP, dict.fromkeys(partitions, state), ids)


class Owner:
    """A sink with one partition, and its position in it."""

    def __init__(self, sink: PostgresSink, source: TopicPartition) -> None:
        self.sink = sink
        self.source = source
        self.position = 0

    async def take_over(self, **log: Any) -> None:
        """As `assignment` says of the log."""
        resumes = await self.sink.assigned(assignment(self.source, **log))
        self.position = resumes[self.source].offset

    async def store(self, deliveries: Iterable[Delivery]) -> Sequence[Rejection]:
        """Write one batch; go on behind it where it was stored."""
        some = batch(deliveries, start=self.position, source=self.source)
        rejections = await store(self.sink, some)
        if not rejections:
            self.position = some.spans[self.source].end
        return rejections


@asynccontextmanager
async def owner(
    dsn: str, *, source: TopicPartition = SOURCE, **changes: Any
) -> AsyncIterator[Owner]:
    """A sink that has taken a partition over."""
    async with PostgresSink(settings(dsn, **changes), SystemClock()) as sink:
        writer = Owner(sink, source)
        await writer.take_over()
        yield writer


async def query(dsn: str, statement: str) -> list[dict[str, Any]]:
    """What a reader sees now."""
    async with await psycopg.AsyncConnection.connect(
        dsn, autocommit=True, row_factory=dict_row
    ) as connection:
        cursor = await connection.execute(statement.encode())
        return await cursor.fetchall() if cursor.description else []
