"""Pure: grants calls of one label against the account's limit per second, to one seat.

Without a seat nothing is granted.
"""

from math import inf
from typing import Final

from runtime.member_share import MemberShare
from zoom.rate_limits.pacing import ClockReading, SlidingWindow, TimeSlots, pacing_for, whole_calls

_at_once_s: Final = 1e-6
"""Shorter waits are none: differences of large numbers are not exact."""


class SecondBudget:
    """Grants calls of one label to one seat; the caller waits."""

    def __init__(self, per_second: int, *, share: float) -> None:
        """Take ``share`` (above 0, at most 1) of an account's calls per second."""
        self._configured_limit = self._limit = per_second
        self._share = share
        self._member_share: MemberShare | None = None
        self._pace: SlidingWindow | TimeSlots | None = None
        self._paused_until_s = -inf
        self._opens_s = inf

    @property
    def limit(self) -> int:
        """Calls per second of the whole account, as far as is known."""
        return self._limit

    @property
    def opens_s(self) -> float:
        """Monotonic moment at which the first window of the present seat has gone by."""
        return self._opens_s

    @property
    def calls_per_second(self) -> float:
        """How many calls of a second all seats have together."""
        rate = self._limit * self._share
        return whole_calls(rate) * min(1.0, rate)

    @property
    def own_calls_per_second(self) -> float:
        """How many of them this seat has; none without a seat."""
        if self._member_share is None:
            return 0.0
        calls = whole_calls(self._limit * self._share)
        members = self._member_share.members
        part = self._member_share.part_of(calls) if members <= calls else calls / members
        return part * self.calls_per_second / calls

    def on_share_changed(self, member_share: MemberShare | None, now: ClockReading) -> None:
        """Take a seat, or give it up; one that was just taken grants nothing for one window."""
        self._member_share = member_share
        self._pace = (
            None
            if member_share is None
            else pacing_for(self._limit * self._share, member_share, now)
        )
        self._opens_s = inf if self._pace is None else now.monotonic_s + self._pace.wait_s(now)

    def wait_s(self, now: ClockReading, *, ahead: int = 0) -> float:
        """Return how long a call would wait that goes after so many others; for ever = no seat."""
        if self._pace is None:
            return inf
        wait_s = max(self._pace.wait_s(now, ahead=ahead), self.paused_s(now))
        return wait_s if wait_s > _at_once_s else 0.0

    def grant(self, now: ClockReading) -> None:
        """Note that a call goes out now; `wait_s` has said that it may."""
        if self._pace is not None:
            self._pace.grant(now)

    def pause(self, until_s: float) -> None:
        """Grant nothing before this monotonic moment: the other side says that it had too many."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def paused_s(self, now: ClockReading) -> float:
        """Return for how long nothing is granted whatever the windows hold; 0 = not so."""
        return max(0.0, self._paused_until_s - now.monotonic_s)

    def correct(self, per_second: int, now: ClockReading) -> bool:
        """Keep to a limit that the other side names; return whether that changes anything.

        It never raises the limit above the one that was configured.
        """
        limit = min(self._configured_limit, per_second)
        if limit == self._limit:
            return False
        self._limit = limit
        self.on_share_changed(self._member_share, now)
        return True
