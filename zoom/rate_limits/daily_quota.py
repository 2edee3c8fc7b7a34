"""Grants calls of one label within the day's limit, and saves their count.

The counts are loaded before the first call of a share or of a day. Where they cannot be loaded,
calls do not stop: the limit becomes the remaining fraction of the day, which is what an even use
would have left, and loading is repeated a minute later.
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
    """The day's limit of one label, divided by the process's present share."""

    def __init__(
        self,
        label: Label,
        limit: int,
        *,
        reserved: float,
        counts: DailyCounts | None,
        clock: Clock,
    ) -> None:
        """Divide ``limit``, all members' calls per day; without ``counts`` memory holds them."""
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
        """Calls per day of all members."""
        return self._limit

    @property
    def used(self) -> int:
        """How many of them all members have used today, as far as this process knows."""
        daily_share, today = self._daily_share, self._clock.now().astimezone(UTC).date()
        return 0 if daily_share is None or daily_share.day != today else daily_share.used

    @property
    def remaining_day_s(self) -> float:
        """How long the day lasts."""
        now = self._clock.now().astimezone(UTC)
        return (_midnight(now.date() + _day) - now).total_seconds()

    def correct(self, limit: int) -> bool:
        """Adopt a limit that Zoom reports; return whether that changes anything."""
        limit = min(self._configured_limit, limit)
        changed, self._limit = limit != self._limit, limit
        if self._daily_share is not None and self._load_at_s is None:
            self._daily_share.limit = limit
        return changed

    def on_share_changed(self, share: MemberShare | None) -> None:
        """Take a new share, or give it up; without one, calls wait."""
        self._share = share
        if share is None:
            self._has_share.clear()
        else:
            self._has_share.set()

    async def take(self, priority: Priority) -> DailyShare | None:
        """Use one call, and return the share to give it back to; None = there is none left."""
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
                if daily_share.share == self._share:  # else the others had divided the rest by then
                    return daily_share

    async def finish(self) -> None:
        """Save the exact use, for the end of the process, when no call is in flight."""
        async with self._lock:
            daily_share = self._daily_share
            if (
                daily_share is None or daily_share.share != self._share
            ):  # else others hold its calls
                return
            if (count := daily_share.to_finish()) is not None:
                await self._save(daily_share, count)

    async def _current_share(self) -> DailyShare:
        """Return the calls of the present share and day, once the saved counts are loaded."""
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
        """Load the use of the day. Until then the use is unknown."""
        daily_share.limit = int(self._limit * self.remaining_day_s / _day.total_seconds())
        self._daily_share, self._load_at_s = (
            daily_share,
            self._clock.monotonic_s() + _reload_interval_s,
        )
        try:
            async with asyncio.timeout(_store_timeout_s):
                counts = await self._counts.load(self._label)
        except asyncio.CancelledError:
            # The caller's time is over. The next caller loads again, for a while.
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
        if count is None or self._load_at_s is not None:  # an unknown count must not be overwritten
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
    """Holds the counts of one process while it runs."""

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
