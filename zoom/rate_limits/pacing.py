"""Pure: when the calls of one seat may go out, so that all seats together keep a limit per second.

Limits count calls in a second, over all apps of the account. A bucket that refills evenly would
admit twice its size within one second, so what counts here is the sliding window.

Seats do not know of each other's calls. What each may send within one window is therefore a whole
number, and these numbers add up to the limit: of 5 calls four seats have 2, 1, 1 and 1. Were each
to have 1.25, two of them would go out together now and then, and at worst all eight of four seats.

Where there are more seats than calls, each has one call in a cycle of several windows, at a phase
of the wall clock that is its own: then calls of all seats come one after the other, evenly spaced.
That takes clocks that agree within some milliseconds, and a call that comes late waits for the
next cycle.
"""

from collections import deque
from math import floor
from typing import Final, NamedTuple

from runtime.member_share import MemberShare


class ClockReading(NamedTuple):
    """A moment by two clocks: one never goes back, the other is the same in all replicas."""

    monotonic_s: float
    unix_s: float


spacing: Final = 1.02
"""A second and what the network may squeeze: calls leave us further apart than they arrive."""

_late: Final = 0.005
"""Of a window: so late a call may still use its phase. With as much early, and clocks apart by as
much, ``spacing`` keeps the limit."""

_rounding: Final = 1e-9
"""0.29 * 100 is 28.999…: a product that should be whole is."""


def whole_calls(rate: float) -> int:
    """Return how many calls one window holds at so many calls per second; its fraction is lost."""
    return max(1, floor(rate + _rounding))


def pacing_for(rate: float, share: MemberShare, now: ClockReading) -> "SlidingWindow | TimeSlots":
    """Return the pace of one seat among those that share ``rate`` calls per second.

    The window before ``now`` counts as spent: by others who had this seat, by the same ones in
    other seats, or by a process that has just ended.
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
        """Return how long a call waits that goes after so many others."""
        rounds, index = divmod(ahead, len(self._granted))
        return self._granted[index] + (rounds + 1) * self._length_s - now.monotonic_s

    def grant(self, now: ClockReading) -> None:
        """Note that a call goes out."""
        self._granted.append(now.monotonic_s)


class TimeSlots:
    """One call in each cycle, at the phase of its seat."""

    def __init__(
        self, share: MemberShare, second_s: float, step_s: float, now: ClockReading
    ) -> None:
        self._cycle_s = share.members * step_s
        self._phase_s = share.rank * step_s
        self._late_s = _late * second_s
        self._not_before_s = now.monotonic_s + second_s * spacing

    def wait_s(self, now: ClockReading, *, ahead: int = 0) -> float:
        """Return how long a call waits that goes after so many others."""
        rest_s = max(0.0, self._not_before_s - now.monotonic_s)
        into_s = (now.unix_s + rest_s - self._phase_s) % self._cycle_s
        to_phase_s = 0.0 if into_s <= self._late_s else self._cycle_s - into_s
        return rest_s + to_phase_s + ahead * self._cycle_s

    def grant(self, now: ClockReading) -> None:
        """Note that a call goes out."""
        self._not_before_s = now.monotonic_s + self._cycle_s / 2
