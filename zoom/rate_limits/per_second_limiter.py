"""Pure: grants calls of one label within a member's part of the limit per second.

Without a share nothing is granted.
"""

from math import inf
from typing import Final

from runtime.member_share import MemberShare
from zoom.rate_limits.pacing import ClockReading, SlidingWindow, TimeSlots, pacing_for, whole_calls

_at_once_s: Final = 1e-6
"""A shorter wait counts as none: differences of large floats are not exact."""


class SecondBudget:
    """Grants calls of one label to one member; the caller waits."""

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
        """Calls per second of the whole account, as far as known."""
        return self._limit

    @property
    def opens_s(self) -> float:
        """Monotonic time at which the first window of the present share is over."""
        return self._opens_s

    @property
    def calls_per_second(self) -> float:
        """Calls per second of all members together."""
        rate = self._limit * self._share
        return whole_calls(rate) * min(1.0, rate)

    @property
    def own_calls_per_second(self) -> float:
        """Calls per second of this member; 0 without a share."""
        if self._member_share is None:
            return 0.0
        calls = whole_calls(self._limit * self._share)
        members = self._member_share.members
        part = self._member_share.part_of(calls) if members <= calls else calls / members
        return part * self.calls_per_second / calls

    def on_share_changed(self, member_share: MemberShare | None, now: ClockReading) -> None:
        """Take a new share, or give it up. A new share grants nothing for one window."""
        self._member_share = member_share
        self._pace = (
            None
            if member_share is None
            else pacing_for(self._limit * self._share, member_share, now)
        )
        self._opens_s = inf if self._pace is None else now.monotonic_s + self._pace.wait_s(now)

    def wait_s(self, now: ClockReading, *, ahead: int = 0) -> float:
        """Return how long a call would wait behind ``ahead`` others; infinite without a share."""
        if self._pace is None:
            return inf
        wait_s = max(self._pace.wait_s(now, ahead=ahead), self.paused_s(now))
        return wait_s if wait_s > _at_once_s else 0.0

    def grant(self, now: ClockReading) -> None:
        """Note that a call is sent now; `wait_s` has allowed it."""
        if self._pace is not None:
            self._pace.grant(now)

    def pause(self, until_s: float) -> None:
        """Grant nothing before this monotonic time: Zoom reports too many calls."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def paused_s(self, now: ClockReading) -> float:
        """Return how long the pause lasts; 0 where there is none."""
        return max(0.0, self._paused_until_s - now.monotonic_s)

    def correct(self, per_second: int, now: ClockReading) -> bool:
        """Adopt a limit that Zoom reports; return whether that changes anything.

        It never raises the limit above the configured one.
        """
        limit = min(self._configured_limit, per_second)
        if limit == self._limit:
            return False
        self._limit = limit
        self.on_share_changed(self._member_share, now)
        return True
