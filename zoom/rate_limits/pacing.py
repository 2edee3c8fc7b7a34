"""Pure: the times at which one member may call, so that all members keep a limit per second.

Limits count calls in a second, over all apps of the account. A token bucket with even refill would
admit twice its size within one second, so the limit applies to a sliding window.

Members do not know of each other's calls. So each has a whole number of calls per window, and these
numbers add up to the limit: of 5 calls four members have 2, 1, 1 and 1. With 1.25 calls each, two
of them would at times go out together, and at worst all eight of four members.

With more members than calls, each has one call in a cycle of several windows, at its own phase of
the wall clock: the calls of all members follow one after the other, evenly spaced. That needs
clocks that agree within some milliseconds, and a late call waits for the next cycle.
"""

from collections import deque
from math import floor
from typing import Final, NamedTuple

from runtime.member_share import MemberShare


class ClockReading(NamedTuple):
    """A time by two clocks: one is monotonic, the other is the same in all replicas."""

    monotonic_s: float
    unix_s: float


spacing: Final = 1.02
"""A second and a margin for the network: calls arrive closer together than they were sent."""

_late: Final = 0.005
"""Fraction of a window by which a call may be late for its phase. With the same error early, and
the same between clocks, ``spacing`` still keeps the limit."""

_rounding: Final = 1e-9
"""0.29 * 100 is 28.999…: corrects a product that should be whole."""


def whole_calls(rate: float) -> int:
    """Return the whole calls of one window at this many calls per second; the fraction is lost."""
    return max(1, floor(rate + _rounding))


def pacing_for(rate: float, share: MemberShare, now: ClockReading) -> "SlidingWindow | TimeSlots":
    """Return the pacing of one member among those that share ``rate`` calls per second.

    The window before ``now`` counts as spent: by another process with this share, by this one with
    another share, or by a process that has just ended.
    """
    calls = whole_calls(rate)
    second_s = max(1.0, 1.0 / rate)  # less than one call per second: the second is stretched
    if share.members <= calls:
        return SlidingWindow(share.part_of(calls), second_s * spacing, now)
    return TimeSlots(share, second_s, second_s * spacing / calls, now)


class SlidingWindow:
    """At most ``size`` calls in any window."""

    def __init__(self, size: int, length_s: float, now: ClockReading) -> None:
        self._granted = deque([now.monotonic_s] * size, maxlen=size)
        self._length_s = length_s

    def wait_s(self, now: ClockReading, *, ahead: int = 0) -> float:
        """Return how long a call waits that follows ``ahead`` others."""
        rounds, index = divmod(ahead, len(self._granted))
        return self._granted[index] + (rounds + 1) * self._length_s - now.monotonic_s

    def grant(self, now: ClockReading) -> None:
        """Note that a call is sent."""
        self._granted.append(now.monotonic_s)


class TimeSlots:
    """One call in each cycle, at the phase of the member's rank."""

    def __init__(
        self, share: MemberShare, second_s: float, step_s: float, now: ClockReading
    ) -> None:
        self._cycle_s = share.members * step_s
        self._phase_s = share.rank * step_s
        self._late_s = _late * second_s
        self._not_before_s = now.monotonic_s + second_s * spacing

    def wait_s(self, now: ClockReading, *, ahead: int = 0) -> float:
        """Return how long a call waits that follows ``ahead`` others."""
        rest_s = max(0.0, self._not_before_s - now.monotonic_s)
        into_s = (now.unix_s + rest_s - self._phase_s) % self._cycle_s
        to_phase_s = 0.0 if into_s <= self._late_s else self._cycle_s - into_s
        return rest_s + to_phase_s + ahead * self._cycle_s

    def grant(self, now: ClockReading) -> None:
        """Note that a call is sent."""
        self._not_before_s = now.monotonic_s + self._cycle_s / 2
