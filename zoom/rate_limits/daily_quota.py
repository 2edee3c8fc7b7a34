"""Grants calls of one label against the day's limit, and keeps the count of them.

Nothing is loaded before the first call of a seat, or of a day. Where what is kept cannot be had,
the calls do not stop: of the day's limit as much is granted as there is left of the day, which is
all that a steady use would have left, and the store is asked again a minute later.
"""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from runtime.clock import Clock
from runtime.errors import TransientError
from runtime.member_share import MemberShare
from zoom.limits import Label, Priority
from zoom.rate_limits.daily_share import Count, Counts, DailyCounts, DailyShare

_store_timeout_s: Final = 4.0
_ask_again_s: Final = 60.0
_day: Final = timedelta(days=1)

_log: Final = structlog.get_logger()


class DailyBudget:
    """The day's limit of one label, as the process has it in its present seat."""

    def __init__(
        self,
        label: Label,
        limit: int,
        *,
        kept_back: float,
        counts: DailyCounts | None,
        clock: Clock,
    ) -> None:
        """Divide ``limit``, what all seats have of a day; without ``counts`` only memory keeps."""
        self._label = label
        self._most = self._limit = limit
        self._kept_back = kept_back
        self._counts = _InMemory() if counts is None else counts
        self._clock = clock
        self._allowance: DailyShare | None = None
        self._asked_s = 0.0
        self._ask_again_s: float | None = None
        self._seat: MemberShare | None = None
        self._seated = asyncio.Event()
        self._lock = asyncio.Lock()

    @property
    def limit(self) -> int:
        """Calls a day of all seats."""
        return self._limit

    @property
    def used(self) -> int:
        """How many of them are used today by all seats, as far as is known here."""
        allowance, today = self._allowance, self._clock.now().astimezone(UTC).date()
        return 0 if allowance is None or allowance.day != today else allowance.used

    @property
    def left_of_day_s(self) -> float:
        """How long the day goes on."""
        now = self._clock.now().astimezone(UTC)
        return (_midnight(now.date() + _day) - now).total_seconds()

    def correct(self, limit: int) -> bool:
        """Keep to a limit that the other side names; return whether that changes anything."""
        limit = min(self._most, limit)
        changed, self._limit = limit != self._limit, limit
        if self._allowance is not None and self._ask_again_s is None:
            self._allowance.limit = limit
        return changed

    def on_share_changed(self, share: MemberShare | None) -> None:
        """Take a seat, or give it up; until there is one, calls wait."""
        self._seat = share
        if share is None:
            self._seated.clear()
        else:
            self._seated.set()

    async def take(self, priority: Priority) -> DailyShare | None:
        """Use one call, and return what it can be given back to; None = there is none left."""
        async with self._lock:
            while True:
                allowance = await self._present()
                if not allowance.take(priority):
                    return None
                try:
                    await self._keep(allowance)
                except asyncio.CancelledError:
                    allowance.give_back()
                    raise
                if allowance.share == self._seat:  # else it was kept too late for the others
                    return allowance

    async def finish(self) -> None:
        """Keep what was used, and nothing ahead of it; for the end, when no call is under way."""
        async with self._lock:
            allowance = self._allowance
            if allowance is None or allowance.share != self._seat:  # else others have its part
                return
            if (count := allowance.to_finish()) is not None:
                await self._save(allowance, count)

    async def _present(self) -> DailyShare:
        """Return the allowance of the present seat and day, once all that is kept is known."""
        while True:
            while (share := self._seat) is None:
                await self._seated.wait()
            today = self._clock.now().astimezone(UTC).date()
            allowance = self._allowance
            if allowance is None or allowance.share != share or allowance.day != today:
                allowance = DailyShare(
                    self._limit, kept_back=self._kept_back, share=share, day=today
                )
                self._ask_again_s = self._asked_s = self._clock.monotonic_s()
            if self._ask_again_s is not None and self._clock.monotonic_s() >= self._ask_again_s:
                await self._reckon(allowance)
            if self._seat == share:
                return allowance

    async def _reckon(self, allowance: DailyShare) -> None:
        """Find out what is used of the day; until that is done, nobody knows."""
        allowance.limit = int(self._limit * self.left_of_day_s / _day.total_seconds())
        self._allowance, self._ask_again_s = allowance, self._clock.monotonic_s() + _ask_again_s
        try:
            async with asyncio.timeout(_store_timeout_s):
                counts = await self._counts.load(self._label)
        except asyncio.CancelledError:
            # Its caller has no more time. The next asks again, unless they have for too long.
            if self._clock.monotonic_s() - self._asked_s < _store_timeout_s:
                self._ask_again_s = self._asked_s
            else:
                self._tell_unknown(allowance, "no caller waits for so long")
            raise
        except (TransientError, TimeoutError) as error:
            self._tell_unknown(allowance, _reason(error))
            return
        allowance.limit = self._limit
        allowance.recalculate(counts)
        self._ask_again_s = None

    def _tell_unknown(self, allowance: DailyShare, why: str) -> None:
        _log.warning(
            "daily_budget_unknown", label=self._label.value, limit=allowance.limit, error=why
        )

    async def _keep(self, allowance: DailyShare) -> None:
        count = allowance.pending_checkpoint()
        if count is None or self._ask_again_s is not None:  # what is not known is not written over
            return
        await self._save(allowance, count)

    async def _save(self, allowance: DailyShare, count: Count) -> None:
        try:
            async with asyncio.timeout(_store_timeout_s):
                await self._counts.save(self._label, allowance.share.rank, count)
        except (TransientError, TimeoutError) as error:
            _log.warning("daily_budget_not_kept", label=self._label.value, error=_reason(error))
        allowance.kept(count)


class _InMemory:
    """Keeps the counts of one process, for as long as it runs."""

    def __init__(self) -> None:
        self._counts: dict[int, Count] = {}

    async def load(self, label: Label) -> Counts:  # noqa: ARG002 - each label has one of its own
        return self._counts

    async def save(self, label: Label, rank: int, count: Count) -> None:  # noqa: ARG002 - as above
        self._counts[rank] = count


def _reason(error: Exception) -> str:
    return str(error) or f"no answer in {_store_timeout_s:g} s"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
