"""Partitions by month or day of ``event_ts``, made ahead and on demand.

How long a partition is stands in the database, so that all sinks agree. One that cannot be made
now, because somebody holds a lock, does not hold up the batch: its rows go to the default partition
and move when it is made.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

import structlog
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from runtime import telemetry
from runtime.clock import Clock
from sinks.postgres.rows import tables

Step = Literal["month", "day"]

earliest_day: Final = date(2020, 1, 1)
"""Before Contact Center existed; an event with an older time is a mistake, kept in the default."""

partitioned: Final = tuple(table.name for table in tables if table.partitioned)
"""The tables that have partitions, and all of them for the same times."""

_lock_timeout: Final = "2s"
_patience_s: Final = 60.0
"""After a lock was not to be had, so long without another try."""

_look_every_s: Final = 300.0
_look_at_rows: Final = 10_000
"""The default partitions are counted so often, and no further."""

_day_ms: Final = 86_400_000

log = structlog.get_logger()


def days_of(times_ms: Iterable[int]) -> set[date]:
    """Return the days, in UTC, of moments in epoch milliseconds."""
    epoch = datetime.fromtimestamp(0, UTC).date()
    return {epoch + timedelta(days=day) for day in {at_ms // _day_ms for at_ms in times_ms}}


def following(day: date, step: Step, *, ahead: int) -> Iterator[date]:
    """Yield the first day of a partition, and of so many that follow it."""
    for number in range(ahead + 1):
        if step == "day":
            yield day + timedelta(days=number)
        else:
            months = day.year * 12 + day.month - 1 + number
            yield date(months // 12, months % 12 + 1, 1)


class Partitions:
    """Knows which partitions have been made."""

    def __init__(self, clock: Clock, *, ahead: int) -> None:
        self._clock = clock
        self._ahead = ahead
        self._step: Step | None = None
        self._made: set[date] = set()
        self._wait_until_s = self._look_at_s = clock.monotonic_s()

    async def make(self, connection: AsyncConnection, times_ms: Iterable[int]) -> None:
        """Make the partitions of these moments and the next ones, in transactions of its own."""
        step = self._step = self._step or await _step_of(connection)
        today = self._clock.now().date()
        first = today.replace(day=1) if step == "month" else today
        *ahead, end = following(first, step, ahead=self._ahead + 1)
        wanted = {day for day in days_of(times_ms) if earliest_day <= day < end}
        missing = sorted(wanted.union(ahead) - self._made)
        if missing and self._clock.monotonic_s() >= self._wait_until_s:
            await self._make(connection, missing)
        if self._clock.monotonic_s() >= self._look_at_s:
            await self._look(connection)

    async def _make(self, connection: AsyncConnection, missing: list[date]) -> None:
        try:
            await connection.execute(f"set local lock_timeout = '{_lock_timeout}'")
            await connection.execute(
                "select zcc.make_partition(parent, day) "
                "from unnest(%s::text[]) parent, unnest(%s::date[]) day order by parent, day",
                (list(partitioned), missing),
            )
            await connection.commit()
        except LockNotAvailable:
            await connection.rollback()
            self._wait_until_s = self._clock.monotonic_s() + _patience_s
            log.warning("partitions not made yet", days=[str(day) for day in missing])
        else:
            self._made.update(missing)

    async def _look(self, connection: AsyncConnection) -> None:
        """Say how many rows the default partitions hold; what is no mistake does not stay there."""
        self._look_at_s = self._clock.monotonic_s() + _look_every_s
        for table in partitioned:
            counted = await connection.execute(
                SQL("select count(*) from (select from {} limit {}) as looked_at").format(
                    Identifier("zcc", f"{table}_default"), _look_at_rows
                )
            )
            (count,) = await counted.fetchone() or (0,)
            telemetry.postgres.default_partition_rows.labels(table).set(count)
            await connection.commit()  # else its locks would meet those of a partition being made


async def _step_of(connection: AsyncConnection) -> Step:
    found = await connection.execute("select step from zcc.partitioning")
    (step,) = await found.fetchone() or ("month",)
    await connection.commit()
    return "day" if step == "day" else "month"
