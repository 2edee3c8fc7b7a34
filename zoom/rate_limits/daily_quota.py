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
_reload_interval_s: Final = 60.0
_day: Final = timedelta(days=1)

_log: Final = structlog.get_logger()


class DailyBudget:
    """The day's limit of one label, as the process has it in its present seat."""

    def __init__(
        self,
        label: Label,
        limit: int,
        *,
        reserved: float,
        counts: DailyCounts | None,
        clock: Clock,
    ) -> None:
        """Divide ``limit``, what all seats have of a day; without ``counts`` only memory keeps."""
        self._label = label
        self._configured_limit = self._limit = limit
        self._reserved = reserved
        self._counts = _InMemory() if counts is None else counts
        self._clock = clock
        self._daily_share: DailyShare | None = None
        self._load_since_s = 0.0
        self._load_at_s: float | None = None
        self._share: MemberShare | None = None
        self._has_share = asyncio.Event()
        self._lock = asyncio.Lock()

    @property
    def limit(self) -> int:
        """Calls a day of all seats."""
        return self._limit

    @property
    def used(self) -> int:
        """How many of them are used today by all seats, as far as is known here."""
        daily_share, today = self._daily_share, self._clock.now().astimezone(UTC).date()
        return 0 if daily_share is None or daily_share.day != today else daily_share.used

    @property
    def remaining_day_s(self) -> float:
        """How long the day goes on."""
        now = self._clock.now().astimezone(UTC)
        return (_midnight(now.date() + _day) - now).total_seconds()

    def correct(self, limit: int) -> bool:
        """Keep to a limit that the other side names; return whether that changes anything."""
        limit = min(self._configured_limit, limit)
        changed, self._limit = limit != self._limit, limit
        if self._daily_share is not None and self._load_at_s is None:
            self._daily_share.limit = limit
        return changed

    def on_share_changed(self, share: MemberShare | None) -> None:
        """Take a seat, or give it up; until there is one, calls wait."""
        self._share = share
        if share is None:
            self._has_share.clear()
        else:
            self._has_share.set()

    async def take(self, priority: Priority) -> DailyShare | None:
        """Use one call, and return what it can be given back to; None = there is none left."""
        async with self._lock:
            while True:
                daily_share = await self._current_share()
                if not daily_share.take(priority):
                    return None
                try:
                    await self._checkpoint(daily_share)
                except asyncio.CancelledError:
                    daily_share.give_back()
                    raise
                if daily_share.share == self._share:  # else it was kept too late for the others
                    return daily_share

    async def finish(self) -> None:
        """Keep what was used, and nothing ahead of it; for the end, when no call is under way."""
        async with self._lock:
            daily_share = self._daily_share
            if daily_share is None or daily_share.share != self._share:  # else others have its part
                return
            if (count := daily_share.to_finish()) is not None:
                await self._save(daily_share, count)

    async def _current_share(self) -> DailyShare:
        """Return the allowance of the present seat and day, once all that is kept is known."""
        while True:
            while (share := self._share) is None:
                await self._has_share.wait()
            today = self._clock.now().astimezone(UTC).date()
            daily_share = self._daily_share
            if daily_share is None or daily_share.share != share or daily_share.day != today:
                daily_share = DailyShare(
                    self._limit, reserved=self._reserved, share=share, day=today
                )
                self._load_at_s = self._load_since_s = self._clock.monotonic_s()
            if self._load_at_s is not None and self._clock.monotonic_s() >= self._load_at_s:
                await self._load_counts(daily_share)
            if self._share == share:
                return daily_share

    async def _load_counts(self, daily_share: DailyShare) -> None:
        """Find out what is used of the day; until that is done, nobody knows."""
        daily_share.limit = int(self._limit * self.remaining_day_s / _day.total_seconds())
        self._daily_share, self._load_at_s = (
            daily_share,
            self._clock.monotonic_s() + _reload_interval_s,
        )
        try:
            async with asyncio.timeout(_store_timeout_s):
                counts = await self._counts.load(self._label)
        except asyncio.CancelledError:
            # Its caller has no more time. The next asks again, unless they have for too long.
            if self._clock.monotonic_s() - self._load_since_s < _store_timeout_s:
                self._load_at_s = self._load_since_s
            else:
                self._log_unknown(daily_share, "no caller waits for so long")
            raise
        except (TransientError, TimeoutError) as error:
            self._log_unknown(daily_share, _reason(error))
            return
        daily_share.limit = self._limit
        daily_share.recalculate(counts)
        self._load_at_s = None

    def _log_unknown(self, daily_share: DailyShare, why: str) -> None:
        _log.warning(
            "daily_budget_unknown", label=self._label.value, limit=daily_share.limit, error=why
        )

    async def _checkpoint(self, daily_share: DailyShare) -> None:
        count = daily_share.pending_checkpoint()
        if count is None or self._load_at_s is not None:  # what is not known is not written over
            return
        await self._save(daily_share, count)

    async def _save(self, daily_share: DailyShare, count: Count) -> None:
        try:
            async with asyncio.timeout(_store_timeout_s):
                await self._counts.save(self._label, daily_share.share.rank, count)
        except (TransientError, TimeoutError) as error:
            _log.warning("daily_budget_not_kept", label=self._label.value, error=_reason(error))
        daily_share.checkpointed(count)


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
