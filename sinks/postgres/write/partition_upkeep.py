"""Moves rows out of the default partitions, in bounded steps, independently of batches.

Rows get there when their partition cannot be created in time. A step is one transaction for one
partition of one table, on its own connection; the lock of `zcc.ensure_partition` serialises several
sinks. Failures here are logged and retried: no batch waits for them.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Final

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from runtime.clock import Clock
from sinks.postgres.errors import safe_error_text
from sinks.postgres.metrics import metrics
from sinks.postgres.model.tables import schema
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.write.partitions import (
    Days,
    earliest_day,
    ensure,
    made_ahead,
    not_now,
    partitioned,
    retry_pause_s,
    step_of,
)
from sinks.postgres.write.session import connect_plain, upkeep_name

_check_interval_s: Final = 300.0
_least_pause_s: Final = 1.0
_rows_per_check: Final = 10_000
"""Rows of the default partitions are counted up to this number."""

_max_moved_rows: Final = 50_000
_pause_factor: Final = "60s"
_any_number: Final = 2**31 - 1
_time_for_any: Final = "10min"
"""A day with more rows is moved as a whole, because a partition holds at least a day."""

_next_day: Final = SQL(
    "select (min(event_ts) at time zone 'UTC')::date from {} where event_ts >= %s and event_ts < %s"
)

log = structlog.get_logger()


class Upkeep:
    """Checks the default partitions every five minutes, and after rows went there."""

    def __init__(self, settings: PostgresSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._rows_left = asyncio.Event()

    def rows_left(self) -> None:
        """Note that stored rows may be in a default partition."""
        self._rows_left.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._rows_left.clear()
            if await self._round():
                await self._clock.sleep(_least_pause_s)
                await self._wait_for_rows()
            else:
                await self._clock.sleep(retry_pause_s)

    async def _wait_for_rows(self) -> None:
        """Wait until rows may have come, or the interval is over."""
        try:
            async with asyncio.timeout(_check_interval_s):
                await self._rows_left.wait()
        except TimeoutError:
            return

    async def _round(self) -> bool:
        """Return whether all movable rows were moved."""
        try:
            async with await connect_plain(self._settings, name=upkeep_name) as connection:
                await _check(connection)
                done = await self._move_all(connection)
                await _check(connection)
                return done
        except psycopg.Error as error:
            log.warning("default partitions not checked", error=safe_error_text(error))
            return False

    async def _move_all(self, connection: AsyncConnection) -> bool:
        step = await step_of(connection)
        today = self._clock.now().date()
        _, end = made_ahead(today, step, ahead=self._settings.partitions_ahead)
        for table in partitioned:
            try:
                await _move(connection, table, end)
            except not_now as error:
                await connection.rollback()
                log.warning(
                    "rows stay outside partitions", table=table, error=safe_error_text(error)
                )
                return False
        return True


async def _move(connection: AsyncConnection, table: str, end: date) -> None:
    """Create the partitions of all rows in a table's default partition, the oldest first."""
    since = earliest_day
    moved: list[Days] = []
    while (day := await _next_day_of(connection, table, since, end)) is not None:
        partition = await ensure(
            connection, table, day, max_moved_rows=_max_moved_rows, statement_timeout=_pause_factor
        ) or await ensure(
            connection, table, day, max_moved_rows=_any_number, statement_timeout=_time_for_any
        )
        if partition is not None:
            moved.append(partition)
        since = day + timedelta(days=1) if partition is None else partition.end
    if moved:
        log.info("rows moved to their partitions", table=table, partitions=len(moved))


async def _next_day_of(
    connection: AsyncConnection, table: str, since: date, end: date
) -> date | None:
    """Return the day of the oldest row in the default partition from some day on."""
    net = Identifier(schema, f"{table}_default")
    cursor = await connection.execute(_next_day.format(net), (_midnight(since), _midnight(end)))
    row = await cursor.fetchone()
    await connection.commit()  # else its locks would conflict with the creation of a partition
    return None if row is None else row[0]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def _check(connection: AsyncConnection) -> None:
    """Report how many rows the default partitions hold. Only wrong times stay there."""
    for table in partitioned:
        counted = await connection.execute(
            SQL("select count(*) from (select from {} limit {}) as looked_at").format(
                Identifier(schema, f"{table}_default"), _rows_per_check
            )
        )
        (count,) = await counted.fetchone() or (0,)
        await connection.commit()
        metrics.default_partition_rows.labels(table).set(count)
