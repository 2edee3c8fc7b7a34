"""Partitions by month of ``event_ts``, made ahead and on demand.

A month that cannot be made now, because somebody holds a lock, does not hold up the batch: its rows
go to the default partition and move when the month is made.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Final

import structlog
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable

from runtime.clock import Clock
from sinks.postgres.rows import tables

earliest_month: Final = date(2020, 1, 1)
"""Before Contact Center existed; an event with an older time is a mistake, kept in the default."""

_partitioned: Final = tuple(table.name for table in tables if table.partitioned)
_lock_timeout: Final = "2s"
_patience_s: Final = 60.0
"""After a lock was not to be had, so long without another try."""

log = structlog.get_logger()


def month_of(epoch_ms: int) -> date:
    """Return the first day of the month of a moment, in UTC."""
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date().replace(day=1)


def months_from(month: date, *, ahead: int) -> list[date]:
    """Return a month and those that follow it."""
    index = month.year * 12 + month.month - 1
    return [date((index + n) // 12, (index + n) % 12 + 1, 1) for n in range(ahead + 1)]


class Partitions:
    """Knows which months have been made."""

    def __init__(self, clock: Clock, *, months_ahead: int) -> None:
        self._clock = clock
        self._months_ahead = months_ahead
        self._made: set[date] = set()
        self._wait_until_s = clock.monotonic_s()

    async def make(self, connection: AsyncConnection, months: Iterable[date]) -> None:
        """Make the partitions of these months and of the next ones, in transactions of its own."""
        ahead = months_from(self._clock.now().date().replace(day=1), ahead=self._months_ahead)
        wanted = {month for month in months if earliest_month <= month <= ahead[-1]}
        missing = sorted(wanted.union(ahead) - self._made)
        if not missing or self._clock.monotonic_s() < self._wait_until_s:
            return
        try:
            await connection.execute(f"set local lock_timeout = '{_lock_timeout}'")
            await connection.execute(
                "select zcc.make_month_partition(parent, month) "
                "from unnest(%s::text[]) parent, unnest(%s::date[]) month order by parent, month",
                (list(_partitioned), missing),
            )
            await connection.commit()
        except LockNotAvailable:
            await connection.rollback()
            self._wait_until_s = self._clock.monotonic_s() + _patience_s
            log.warning("partitions not made yet", months=[str(month) for month in missing])
        else:
            self._made.update(missing)
