"""The sink: each event once, with the offsets in the transaction of the rows.

A batch is one transaction: the offsets are compared and set, which also locks them against an older
attempt that is still under way, then each table takes its rows. After any failure the connection is
closed, which rolls back, and the next call opens another one.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, Self, assert_never

import psycopg
import structlog
from psycopg import AsyncConnection

from runtime import metrics
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.errors import FencedError, TransientError
from runtime.values import Assignment, Batch, Rejection, Resume, TopicPartition
from schemas.reasons import DeadLetterReason
from sinks.postgres.errors import SqlFault, errors_by_fault, fault_of, safe_error_text
from sinks.postgres.metrics import metrics as postgres_metrics
from sinks.postgres.model.registry import Message
from sinks.postgres.model.rows import raw_table
from sinks.postgres.model.tables import Table, Texts, arrays
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.write.batch_preparation import ArrayInsert, Preparation, Prepared
from sinks.postgres.write.bisection import find_rejected_rows
from sinks.postgres.write.offsets import (
    Advanced,
    AlreadyStored,
    Ownership,
    advance,
    take_over,
)
from sinks.postgres.write.partition_upkeep import Upkeep
from sinks.postgres.write.partitions import Partitions
from sinks.postgres.write.session import connect, limited
from sinks.postgres.write.statements import RefusedRowsError, try_rows, write_all
from sinks.postgres.write.takeover import Start

_nothing_written: Final = "nothing_written"
"""A savepoint, so that what a table refuses can be found without another transaction."""

log = structlog.get_logger()


class PostgresSink:
    """Implements `runtime.contracts.Sink`."""

    planned: Final = False
    limits: Final = None

    def __init__(self, settings: PostgresSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._partitions = Partitions(clock, ahead=settings.partitions_ahead)
        self._preparation = Preparation(
            settings.redaction.redacted,
            projections=settings.projections,
            staged=not settings.transaction_pooling,
        )
        self._upkeep = Upkeep(settings, clock)
        self._tasks = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._ownership: Ownership | None = None

    async def __aenter__(self) -> Self:
        try:
            async with self._connected():
                pass  # so that missing tables are noticed before any partition is taken
        except TransientError as error:
            log.warning("postgres does not answer yet", error=str(error))
        background = await self._tasks.enter_async_context(BackgroundTasks())
        background.start(self._upkeep.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._disconnect()
        await self._tasks.aclose()

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        """Take the partitions over; see `runtime.contracts.Sink.assigned`."""
        self._ownership = None
        async with self._connected() as connection:
            ownership, starts = await take_over(connection, assignment)
            await connection.commit()
        self._ownership = ownership
        for source, start in starts.items():
            _log_start(assignment.group, source, start)
        return {source: Resume(start.offset) for source, start in starts.items()}

    async def prepare(self, batch: Batch) -> Prepared:
        """Make the rows of a batch; see `runtime.contracts.Sink.prepare`."""
        return await asyncio.to_thread(self._preparation.of, batch.deliveries)

    async def write(self, batch: Batch, prepared: Prepared) -> Sequence[Rejection]:
        """Store a batch; see `runtime.contracts.Sink.write`."""
        if self._ownership is None:
            raise FencedError("nothing is assigned")
        if prepared.rejections:
            return prepared.rejections
        async with self._connected() as connection:
            complete = await self._partitions.make(connection, prepared.times_ms)
            try:
                await self._store(connection, self._ownership, batch, prepared)
            except RefusedRowsError as refused:
                return await self._rejections(connection, batch, refused)
        if not complete:
            self._upkeep.rows_left()  # now: before the commit it would find none
        return ()

    async def _store(
        self, connection: AsyncConnection, ownership: Ownership, batch: Batch, prepared: Prepared
    ) -> None:
        if self._settings.transaction_pooling:
            await limited(connection, self._settings, local=True)
        match await advance(connection, ownership, batch.spans):
            case AlreadyStored():
                await connection.rollback()
            case Advanced():
                await connection.execute(f"savepoint {_nothing_written}")
                written = await write_all(connection, prepared)
                await connection.commit()
                self._count(prepared, written)
            case advance_result:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(advance_result)

    def _count(self, prepared: Prepared, written: Mapping[str, int]) -> None:
        metrics = postgres_metrics
        for table, count in written.items():
            metrics.rows.labels(table).inc(count)
        metrics.repeats.inc(len(prepared.times_ms) - written.get(raw_table.name, 0))
        metrics.sanitised.inc(prepared.sanitised)
        for what, left_out in Counter(each.what for each in prepared.omissions).items():
            metrics.left_out.labels(what).inc(left_out)
            first = next(each.delivery for each in prepared.omissions if each.what == what)
            log.warning("left out of the model", what=what, count=left_out, first=first.origin)
        if prepared.accepted_ms is not None:
            accepted_at = datetime.fromtimestamp(0, UTC) + timedelta(
                milliseconds=prepared.accepted_ms
            )
            metrics.visible.observe((self._clock.now() - accepted_at).total_seconds())

    async def _rejections(
        self, connection: AsyncConnection, batch: Batch, refused: RefusedRowsError
    ) -> Sequence[Rejection]:
        """Find out which deliveries the table refuses; store none.

        Raises:
            psycopg.Error: the one of the whole batch, where each can be stored alone.
        """
        messages = await asyncio.to_thread(self._preparation.messages, batch.deliveries)
        rejected = await find_rejected_rows(
            messages, _Trial(connection, self._preparation, refused.table)
        )
        await connection.rollback()
        if not rejected:
            raise refused.error
        return [
            Rejection(
                each.delivery.source, each.delivery.offset, DeadLetterReason.STORE_REFUSED, detail
            )
            for each, detail in rejected
        ]

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


def _log_start(group: str, source: TopicPartition, start: Start) -> None:
    """Log and count what a partition does not continue with."""
    log_fields = {"group": group, "topic": source.topic, "partition": source.partition}
    if start.recreated:
        postgres_metrics.recreated.labels(source.topic).inc()
        log.warning("topic was recreated: its log is read from the start", **log_fields)
    if start.expired:
        expired = metrics.worker.expired.labels(group, source.topic, str(source.partition))
        expired.inc(start.uncounted)
        log.error(
            "retention deleted records before they were stored", **log_fields, records=start.expired
        )


class _Trial:
    """Implements `find_rejected_rows.RowProbe` on the table that refused the whole batch."""

    def __init__(self, connection: AsyncConnection, preparation: Preparation, table: Table) -> None:
        self._connection = connection
        self._preparation = preparation
        self._table = table
        self._written = True  # and refused

    async def refusal(self, items: Sequence[Message]) -> str | None:
        rows = await asyncio.to_thread(self._preparation.rows, items, self._table)
        if not rows:
            return None
        self._written = True
        try:
            passed = ArrayInsert(self._table, arrays(self._table, rows, Texts()))
            await try_rows(self._connection, passed)
        except psycopg.Error as error:
            if fault_of(error) is not SqlFault.RECORD:
                raise
            await self.again()
            return safe_error_text(error)
        return None

    async def again(self) -> None:
        if self._written:
            statement = f"rollback to savepoint {_nothing_written}"
            await self._connection.execute(statement, prepare=False)  # as in `try_rows`
            self._written = False
