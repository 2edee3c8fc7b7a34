"""The tables of one worker: followed while it works, awaited before it begins."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import structlog

from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.tables.follower import TableFollower

_look_s: Final = 0.05

log = structlog.get_logger()


class FollowedTables:
    """An async context manager: the tables are followed from entering to leaving it."""

    def __init__(self, followers: Sequence[TableFollower], *, worker: str, clock: Clock) -> None:
        self._followers = followers
        self._worker = worker
        self._clock = clock
        self._tasks = BackgroundTasks()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for follower in self._followers:
            self._tasks.start(follower.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._tasks.__aexit__(kind, error, trace)

    async def wait(self, stopping: asyncio.Event, *, without_progress_s: float) -> None:
        """Return once all have caught up, at a stop, or after so long without any new record.

        Work has to go on without a table that cannot be read: events must not wait for it.
        """
        taken, since_s = -1, self._clock.monotonic_s()
        while not stopping.is_set() and not all(each.caught_up for each in self._followers):
            now_s = self._clock.monotonic_s()
            if (now := sum(each.taken_count for each in self._followers)) != taken:
                taken, since_s = now, now_s
            if now_s - since_s >= without_progress_s:
                log.error(
                    "begins without its tables",
                    worker=self._worker,
                    waits_for=self.readiness_problem(),
                )
                return
            await self._clock.sleep(_look_s)

    def readiness_problem(self) -> str | None:
        """Return which tables may lack answers, and why; None where none does."""
        problems = (each.readiness_problem() for each in self._followers)
        return "; ".join(filter(None, problems)) or None

    def remarks(self) -> str | None:
        """Return what an operator should know of tables that have caught up."""
        return "\n".join(filter(None, (each.remarks() for each in self._followers))) or None
