"""Partitions by month or day of ``event_ts``, created ahead and on demand, one by one.

The length of partitions is stored in the database, so that all sinks agree. Each partition is
created in its own short transaction, and stays. A batch waits at most `_budget_s` for its
partitions, and not for one that cannot be created now: its rows go to the default partition, and
`sinks.postgres.write.partition_upkeep` moves them out.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal, NamedTuple

import structlog
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable, QueryCanceled

from runtime.clock import Clock
from sinks.postgres.model.rows import tables

Step = Literal["month", "day"]

earliest_day: Final = date(2020, 1, 1)
"""Before Contact Center existed; an event with an older time is a mistake and stays in the default
partition."""

partitioned: Final = tuple(table.name for table in tables if table.partitioned)
"""The partitioned tables; all have partitions for the same times."""

not_now: Final = (LockNotAvailable, QueryCanceled)
"""Raised by `ensure` where a lock is held, or the time is over."""

retry_pause_s: Final = 60.0
"""The pause after a partition could not be created."""

_lock_timeout: Final = "2s"
_budget_s: Final = 2.0
_max_moved_rows: Final = 5_000
"""A waiting batch moves no more rows of the default partition."""
_statement_timeout: Final = "5s"

_day_ms: Final = 86_400_000

log = structlog.get_logger()


class Days(NamedTuple):
    """The days of one partition; the end is exclusive."""

    first: date
    end: date


def days_of(times_ms: Iterable[int]) -> set[date]:
    """Return the days, in UTC, of moments in epoch milliseconds."""
    epoch = datetime.fromtimestamp(0, UTC).date()
    return {epoch + timedelta(days=day) for day in {at_ms // _day_ms for at_ms in times_ms}}


def following(day: date, step: Step, *, ahead: int) -> Iterator[date]:
    """Yield the first day of a partition, and of ``ahead`` ones after it."""
    for number in range(ahead + 1):
        if step == "day":
            yield day + timedelta(days=number)
        else:
            months = day.year * 12 + day.month - 1 + number
            yield date(months // 12, months % 12 + 1, 1)


def made_ahead(today: date, step: Step, *, ahead: int) -> tuple[list[date], date]:
    """Return the first days of the present partition and the next ones, and their end."""
    first = today.replace(day=1) if step == "month" else today
    *days, end = following(first, step, ahead=ahead + 1)
    return days, end


class Partitions:
    """Creates the partitions of a batch."""

    def __init__(self, clock: Clock, *, ahead: int) -> None:
        self._clock = clock
        self._ahead = ahead
        self._step: Step | None = None
        self._requested: set[date] = set()
        self._wait_until_s = clock.monotonic_s()

    async def make(self, connection: AsyncConnection, times_ms: Iterable[int]) -> bool:
        """Create the partitions of these times and the next ones, in transactions of its own.

        Returns whether all exist; otherwise rows of the batch go to the default partition.
        """
        step = self._step = self._step or await step_of(connection)
        ahead, end = made_ahead(self._clock.now().date(), step, ahead=self._ahead)
        needed = {day for day in days_of(times_ms) if earliest_day <= day < end}
        missing = needed.union(ahead) - self._requested
        if not missing:
            return True
        if self._clock.monotonic_s() < self._wait_until_s:
            return False
        first = [day for day in ahead if day in missing]
        days = (*first, *sorted(missing.difference(first), reverse=True))
        return await self._make(connection, days)

    async def _make(self, connection: AsyncConnection, days: Iterable[date]) -> bool:
        """Create partitions in the order of the days until the time is up."""
        until_s = self._clock.monotonic_s() + _budget_s
        complete = True
        for day in days:
            if day in self._requested:
                continue  # an earlier day of the same month has created it
            if self._clock.monotonic_s() >= until_s:
                self._wait("time is up")
                return False
            try:
                made = [
                    await ensure(
                        connection,
                        table,
                        day,
                        max_moved_rows=_max_moved_rows,
                        statement_timeout=_statement_timeout,
                    )
                    for table in partitioned
                ]
            except not_now as error:
                await connection.rollback()
                self._wait(type(error).__name__)
                return False
            self._requested |= {day, *_days_in(made)}
            complete = complete and None not in made
        return complete

    def _wait(self, reason: str) -> None:
        self._wait_until_s = self._clock.monotonic_s() + retry_pause_s
        log.warning("partitions not made yet", reason=reason)


async def ensure(
    connection: AsyncConnection,
    table: str,
    day: date,
    *,
    max_moved_rows: int,
    statement_timeout: str,
) -> Days | None:
    """Create the partition of a table for a day, if it is missing; return the partition's days.

    It takes one transaction. None where the rows of that day stay in the default partition: more
    than ``max_moved_rows`` would have to move, or the table has its largest number of partitions.

    Raises:
        psycopg.Error: one of `not_now`, or another; the caller rolls back.
    """
    await connection.execute(
        "select set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
        (_lock_timeout, statement_timeout),
    )
    cursor = await connection.execute(
        "select first_day, end_day from zcc.ensure_partition(%s, %s, %s)",
        (table, day, max_moved_rows),
    )
    first, end = await cursor.fetchone() or (None, None)
    await connection.commit()
    return None if first is None else Days(first, end)


async def step_of(connection: AsyncConnection) -> Step:
    """Return the length of future partitions."""
    cursor = await connection.execute("select step from zcc.partitioning")
    (step,) = await cursor.fetchone() or ("month",)
    await connection.commit()
    return "day" if step == "day" else "month"


def _days_in(spans: Iterable[Days | None]) -> Iterator[date]:
    """Yield the days that have a partition in all tables."""
    held = [each for each in spans if each is not None]
    if len(held) == len(partitioned):
        first, end = max(each.first for each in held), min(each.end for each in held)
        yield from (first + timedelta(days=number) for number in range((end - first).days))
