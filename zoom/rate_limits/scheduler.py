"""Schedules API calls by priority within the rate limit, and adjusts the limit from answers.

Invariants, per label:

1. Order: waiting calls form one queue, by priority and then by arrival. Only its first call may
   take a grant, so a waiting call never delays one of higher priority.
2. Bound: at most `max_waiting` calls wait, each at most ``budget_wait_s``. A call whose turn is
   known to come later is refused at once.
3. Grant before use: a call is sent only after the per-second budget has granted it, and after its
   use of the day is saved. A call that was not sent gives its part of the day back.
4. No share, no call: a member of a group has no share before the group has assigned one, and none
   during a rebalance. Its calls wait meanwhile, because other members may hold its part.
5. Limits only fall: an answer may lower a limit or pause a label, never raise a limit above the
   configured one.

See docs/explanation/api-budget.md.
"""

import asyncio
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from math import inf
from typing import Final, NamedTuple, NoReturn

import structlog

from runtime.clock import Clock
from runtime.member_share import MemberShare, sole_member
from zoom.errors import UnavailableError, ZoomFault
from zoom.limits import Label, Limit, Priority
from zoom.messages import ApiResponse
from zoom.metrics import metrics
from zoom.rate_limits.daily_quota import DailyBudget
from zoom.rate_limits.daily_share import DailyCounts
from zoom.rate_limits.pacing import ClockReading
from zoom.rate_limits.per_second_limiter import SecondBudget
from zoom.rate_limits.response_headers import rate_limit_hint
from zoom.settings import ZoomSettings

_poll_interval_s: Final = 0.5
"""The first call in a queue notices a shorter wait after this long at most."""

max_waiting: Final = 1000
"""Calls in one queue. Without a share their wait is unknown."""

_log: Final = structlog.get_logger()


class _Waiter(NamedTuple):
    """A call in a queue; waiters sort by their turn."""

    priority: Priority
    arrival: int
    first: asyncio.Event


@dataclass(frozen=True, slots=True)
class _LabelQueue:
    """One label: its budgets, and its waiting calls in the order of their turns."""

    label: Label
    budget: SecondBudget
    daily: DailyBudget | None
    waiting: list[_Waiter]


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The state of one label for people: of the whole account, and of the share of all members."""

    label: Label
    limit_per_second: int
    share_per_second: float
    share_per_day: int | None
    members: int
    used_today: int
    waiting: int
    paused_until: datetime | None


class RateLimitScheduler:
    """The scheduler of one process for one account's API."""

    def __init__(
        self,
        settings: ZoomSettings,
        *,
        clock: Clock,
        member_share: MemberShare | None = sole_member,
        counts: DailyCounts | None = None,
        account: str = "",
    ) -> None:
        """Begin with this share. A member of a group begins with None; see `on_share_changed`.

        ``account`` is the label of its metrics.
        """
        self._settings = settings
        self._log = _log.bind(account=settings.account_id)
        self._account = account
        self._clock = clock
        self._has_share = asyncio.Event()
        self._arrivals = count()
        self._queues: Mapping[Label, _LabelQueue] = {
            label: self._new_queue(label, limit, counts) for label, limit in settings.limits.items()
        }
        for label in settings.limits:
            self._create_counters(label)
        self.on_share_changed(member_share)

    def _new_queue(self, label: Label, limit: Limit, counts: DailyCounts | None) -> _LabelQueue:
        share, daily = self._settings.share, None
        if limit.per_day is not None:
            daily = DailyBudget(
                label,
                int(limit.per_day * share),
                reserved=self._settings.backfill_reserve,
                counts=counts,
                clock=self._clock,
            )
        return _LabelQueue(label, SecondBudget(limit.per_second, share=share), daily, [])

    def on_share_changed(self, member_share: MemberShare | None) -> None:
        """Take the share that the group has assigned, or give it up before a rebalance."""
        self._take_share(member_share)
        metrics.budget_members.set(0 if member_share is None else member_share.members)

    def close(self) -> None:
        """Give up the share for good, because the account has another scheduler or none.

        Calls that wait are refused when their wait is over.
        """
        self._take_share(None)

    def _take_share(self, member_share: MemberShare | None) -> None:
        self._member_share = member_share
        for queue in self._queues.values():
            queue.budget.on_share_changed(member_share, self._now())
            if queue.daily is not None:
                queue.daily.on_share_changed(member_share)
            self._show_limits(queue)
        if member_share is None:
            self._has_share.clear()
        else:
            self._has_share.set()

    async def wait_until_open(self, label: Label) -> None:
        """Return once the first window of a new share is over, during which nothing is granted.

        For callers with a shorter time limit than that. It takes at most ``budget_wait_s``; calls
        may be made in any case.
        """
        budget = self._queues[label].budget
        until_s = self._clock.monotonic_s() + self._settings.budget_wait_s
        while (left_s := min(budget.opens_s, until_s) - self._clock.monotonic_s()) > 0:
            await self._clock.sleep(min(left_s, _poll_interval_s))

    async def take(self, label: Label, priority: Priority, *, operation: str) -> None:
        """Return when a call may be sent.

        Raises:
            UnavailableError: over budget; no turn comes in time.
        """
        queue, timeout_s = self._queues[label], self._settings.budget_wait_s
        # Refuse now a call whose turn comes too late: a place in the queue would only delay the
        # caller's own retry. Without a share the wait is infinite, which says nothing about the
        # turn, so such a call waits for the share.
        expected_s = self._expected_s(queue, priority)
        if timeout_s < expected_s < inf or len(queue.waiting) >= max_waiting:
            detail = f"{operation}: the budget is spent for {expected_s:.1f} s"
            self._refuse(queue, detail, expected_s)
        try:
            # The estimate may turn out wrong: a higher priority, a pause or a rebalance came in
            # between. So the wait has a limit of its own.
            async with asyncio.timeout(timeout_s):
                if queue.daily is None:
                    await self._wait(queue, priority)
                else:
                    await self._wait_today(queue, queue.daily, priority, operation)
        except TimeoutError:
            detail = f"{operation}: no turn came in {timeout_s:g} s"
            self._refuse(queue, detail, self._expected_s(queue, priority))
        metrics.budget_used.labels(label.value, priority.name.lower(), self._account).inc()

    def _expected_s(self, queue: _LabelQueue, priority: Priority) -> float:
        ahead = sum(waiter.priority <= priority for waiter in queue.waiting)
        return queue.budget.wait_s(self._now(), ahead=ahead)

    def _refuse(self, queue: _LabelQueue, detail: str, wait_s: float) -> NoReturn:
        if self._member_share is None:
            raise self._refusal(queue, "no_share", f"{detail}; the group is rebalancing", None)
        reason = "paused" if queue.budget.paused_s(self._now()) else "second"
        raise self._refusal(queue, reason, detail, wait_s)

    def _refusal(
        self, queue: _LabelQueue, reason: str, detail: str, retry_after_s: float | None
    ) -> UnavailableError:
        metrics.budget_refused.labels(queue.label.value, reason, self._account).inc()
        return UnavailableError(ZoomFault.OVER_BUDGET, detail, retry_after_s=retry_after_s)

    async def _wait_today(
        self, queue: _LabelQueue, daily: DailyBudget, priority: Priority, operation: str
    ) -> None:
        # The day first: its count has to be saved before the call may go out, and a second that
        # was granted would expire meanwhile.
        daily_share = await daily.take(priority)
        if daily_share is None:
            detail = f"{operation}: the day's budget is spent"
            raise self._refusal(queue, "day", detail, daily.remaining_day_s)
        try:
            await self._wait(queue, priority)
        except BaseException:  # a cancelled or refused call was not sent
            daily_share.give_back()
            raise

    async def _wait(self, queue: _LabelQueue, priority: Priority) -> None:
        # Pass only an empty queue at once: a free grant belongs to the first waiting call.
        if not queue.waiting and queue.budget.wait_s(now := self._now()) <= 0:
            queue.budget.grant(now)
            return
        waiter = _Waiter(priority, next(self._arrivals), asyncio.Event())
        waiting = metrics.budget_waiting.labels(
            queue.label.value, priority.name.lower(), self._account
        )
        since_s = self._clock.monotonic_s()
        insort(queue.waiting, waiter)
        waiting.inc()
        try:
            await self._wait_first(queue, waiter)
        finally:
            # Granted, refused or cancelled: the queue has a new first call, which sleeps on its
            # event and has to look at the budget itself.
            queue.waiting.remove(waiter)
            if queue.waiting:
                queue.waiting[0].first.set()
            waiting.dec()
            waited_s = self._clock.monotonic_s() - since_s
            metrics.budget_wait.labels(queue.label.value, self._account).inc(waited_s)

    async def _wait_first(self, queue: _LabelQueue, waiter: _Waiter) -> None:
        while True:
            # Checked after each sleep: a call of higher priority may have become the first.
            if queue.waiting[0] is not waiter:
                waiter.first.clear()
                await waiter.first.wait()
                continue
            now = self._now()
            wait_s = queue.budget.wait_s(now)
            if wait_s <= 0:
                queue.budget.grant(now)
                return
            # Neither wake-up grants anything: the budget decides again, because the share, the
            # limit or a pause may have changed. The sleep is short for the same reason.
            if wait_s == inf:
                await self._has_share.wait()
            else:
                await self._clock.sleep(min(wait_s, _poll_interval_s))

    async def finish(self) -> None:
        """Save the exact use of the day, for a process that ends, when no call is in flight.

        Without it, the calls that were saved ahead of their use are lost for the day.
        """
        for queue in self._queues.values():
            if queue.daily is not None:
                await queue.daily.finish()

    def observe_response(self, label: Label, response: ApiResponse) -> None:
        """Adjust the limits by the answer to a call."""
        hint = rate_limit_hint(label, response, self._clock.now())
        queue, now = self._queues[hint.label], self._now()
        if hint.limit is not None and self._correct(queue, hint.window, hint.limit, now):
            metrics.budget_corrections.labels(hint.label.value, "limit", self._account).inc()
            self._log.warning(
                "zoom_limit_corrected", label=hint.label.value, window=hint.window, limit=hint.limit
            )
            self._show_limits(queue)
        # Pause the whole label, not the call: the limit counts for all calls of all apps.
        if hint.spent_for_s is not None:
            queue.budget.pause(now.monotonic_s + hint.spent_for_s)
            metrics.budget_corrections.labels(hint.label.value, hint.window, self._account).inc()
            if hint.window == "day":
                self._log.warning(
                    "zoom_day_used_up", label=hint.label.value, for_s=hint.spent_for_s
                )

    def _correct(self, queue: _LabelQueue, window: str, limit: int, now: ClockReading) -> bool:
        if window == "second":
            return queue.budget.correct(limit, now)
        return queue.daily is not None and queue.daily.correct(int(limit * self._settings.share))

    def snapshot(self) -> tuple[LimitStatus, ...]:
        """Return the present state of each label."""
        return tuple(self._status(queue) for queue in self._queues.values())

    def _status(self, queue: _LabelQueue) -> LimitStatus:
        paused_s = queue.budget.paused_s(self._now())
        return LimitStatus(
            label=queue.label,
            limit_per_second=queue.budget.limit,
            share_per_second=queue.budget.calls_per_second,
            share_per_day=queue.daily.limit if queue.daily else None,
            members=self._member_share.members if self._member_share else 0,
            used_today=queue.daily.used if queue.daily else 0,
            waiting=len(queue.waiting),
            paused_until=self._clock.now() + timedelta(seconds=paused_s) if paused_s else None,
        )

    def _now(self) -> ClockReading:
        return ClockReading(self._clock.monotonic_s(), self._clock.now().timestamp())

    def _create_counters(self, label: Label) -> None:
        """Create each series at 0: Prometheus sees no increase in a series that starts at 1."""
        zoom, account = metrics, self._account
        zoom.budget_wait.labels(label.value, account)
        for reason in ("second", "day", "paused", "no_share"):
            zoom.budget_refused.labels(label.value, reason, account)
        for kind in ("limit", "second", "day"):
            zoom.budget_corrections.labels(label.value, kind, account)
        for priority in Priority:
            zoom.budget_used.labels(label.value, priority.name.lower(), account)
            zoom.budget_waiting.labels(label.value, priority.name.lower(), account)

    def _show_limits(self, queue: _LabelQueue) -> None:
        gauge, label = metrics.budget_limit, queue.label.value
        gauge.labels(label, "second", self._account).set(queue.budget.own_calls_per_second)
        if queue.daily is not None:
            gauge.labels(label, "day", self._account).set(queue.daily.limit)
