"""The sink: each event once, with the offsets in the transaction of the rows.

A batch is one transaction: the offsets are compared and set, which also locks them against an older
attempt that is still under way, then each table's rows are staged and merged. After any failure the
connection is closed, which rolls back, and the next call opens another one.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import psycopg
import structlog
from psycopg import AsyncConnection

from runtime import telemetry
from runtime.clock import Clock
from runtime.errors import FencedError, TransientError
from runtime.values import Assignment, Batch, Delivery, Rejection, Span, TopicPartition
from schemas.reasons import DeadLetterReason
from sinks.postgres.connection import connect
from sinks.postgres.culprits import culprits
from sinks.postgres.errors import Fault, described, errors_by_fault, fault_of
from sinks.postgres.events import Event
from sinks.postgres.offsets import Ownership, advance, take_over
from sinks.postgres.partitions import Partitions
from sinks.postgres.rows import Told, events_in, raw_table, read_deliveries, rows_by_table
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.tables import Row, Table, encoded

Staged = Sequence[tuple[Table, bytes]]

log = structlog.get_logger()


class PostgresSink:
    """Implements `runtime.contracts.Sink`."""

    planned: Final = False

    def __init__(self, settings: PostgresSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._partitions = Partitions(clock, ahead=settings.partitions_ahead)
        self._personal_data = settings.treatment
        self._connection: AsyncConnection | None = None
        self._ownership: Ownership | None = None

    async def __aenter__(self) -> Self:
        try:
            async with self._connected():
                pass  # so that missing tables are noticed before any partition is taken
        except TransientError as error:
            log.warning("postgres is not there yet", error=str(error))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._disconnect()

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, int]:
        """Take the partitions over; see `runtime.contracts.Sink.assigned`."""
        self._ownership = None
        async with self._connected() as connection:
            ownership, offsets = await take_over(connection, assignment)
            await connection.commit()
        self._ownership = ownership
        return offsets

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        """Store a batch; see `runtime.contracts.Sink.write`."""
        if self._ownership is None:
            raise FencedError("nothing is assigned")
        told, rejections = await asyncio.to_thread(self._read, batch.deliveries)
        if rejections:
            return rejections
        async with self._connected() as connection:
            await self._partitions.make(
                connection, (event.event_ts_ms for event in events_in(told))
            )
            try:
                await self._store(connection, self._ownership, batch.spans, told)
            except psycopg.Error as error:
                if fault_of(error) is not Fault.RECORD:
                    raise
                return await _rejections(connection, told, error)
        return ()

    def _read(self, deliveries: Sequence[Delivery]) -> tuple[Sequence[Told], list[Rejection]]:
        told, rejections = read_deliveries(deliveries)
        return self._personal_data.treated(told), rejections

    async def _store(
        self,
        connection: AsyncConnection,
        ownership: Ownership,
        spans: Mapping[TopicPartition, Span],
        told: Sequence[Told],
    ) -> None:
        if not await advance(connection, ownership, spans):
            await connection.rollback()
            return
        staged = await asyncio.to_thread(_staged, told)
        written = await _merge(connection, staged)
        await connection.commit()
        self._count(events_in(told), written)

    def _count(self, events: Sequence[Event], written: Mapping[str, int]) -> None:
        metrics = telemetry.postgres
        for table, count in written.items():
            metrics.rows.labels(table).inc(count)
        metrics.repeats.inc(len(events) - written.get(raw_table.name, 0))
        metrics.sanitised.inc(sum(event.content.verbatim is not None for event in events))
        if events:
            oldest_ms = min(event.received_at_ms for event in events)
            accepted_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=oldest_ms)
            metrics.visible.observe((self._clock.now() - accepted_at).total_seconds())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Lend the connection within the time limit of a write; close it after any failure."""
        try:
            with errors_by_fault():
                async with asyncio.timeout(self._settings.write_timeout_s):
                    if self._connection is None:
                        self._connection = await connect(self._settings)
                    yield self._connection
        except BaseException:
            await self._disconnect()
            raise

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def _merge(connection: AsyncConnection, staged: Staged) -> Mapping[str, int]:
    """Stage and merge; return the number of rows that were new or changed, by table."""
    written = {}
    async with connection.cursor() as cursor:
        for table, content in staged:
            async with cursor.copy(table.copy_sql()) as copy:
                await copy.write(content)
            await cursor.execute(table.merge_sql())
            written[table.name] = cursor.rowcount
    return written


async def _rejections(
    connection: AsyncConnection, told: Sequence[Told], error: psycopg.Error
) -> Sequence[Rejection]:
    """Find out which of what is told cannot be stored; store none.

    Raises:
        psycopg.Error: the one of the whole batch, where each can be stored alone.
    """

    async def refusal(some: Sequence[Told]) -> str | None:
        found = None
        await connection.execute("savepoint probe")
        try:
            await _merge(connection, await asyncio.to_thread(_staged, some))
        except psycopg.Error as probed:
            if fault_of(probed) is not Fault.RECORD:
                raise
            found = described(probed)
        await connection.execute("rollback to savepoint probe")
        return found

    await connection.rollback()
    found = await culprits(told, refusal)
    await connection.rollback()
    if not found:
        raise error
    return [
        Rejection(
            each.delivery.source, each.delivery.offset, DeadLetterReason.STORE_REFUSED, detail
        )
        for each, detail in found
    ]


def _staged(told: Sequence[Told]) -> Staged:
    rows: Mapping[Table, Sequence[Row]] = rows_by_table(told)
    return [(table, encoded(table, found)) for table, found in rows.items() if found]
