"""Pure: what this process may ask of the account's rate limits, per label.

Limits count calls per second, over all apps of the account. A bucket that refills evenly would
admit twice its size within one second, so each label keeps the times of its last grants instead: a
call goes out no earlier than one window after the call that was ``size`` calls before it. Thus no
window ever holds more than ``size`` calls, and a burst of that size costs nobody a wait.

A share may come to less than one call per second: the window is stretched then, never the size
rounded up. Where a share is no whole number of calls, the fraction is given away.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from math import floor
from typing import Final, Literal

Plan = Literal["pro", "business_plus"]


class Label(StrEnum):
    """The weight that Zoom gives to an operation."""

    LIGHT = "LIGHT"
    MEDIUM = "MEDIUM"
    HEAVY = "HEAVY"


calls_per_second: Final[Mapping[Plan, Mapping[Label, int]]] = {
    "pro": {Label.LIGHT: 20, Label.MEDIUM: 10, Label.HEAVY: 5},
    "business_plus": {Label.LIGHT: 40, Label.MEDIUM: 20, Label.HEAVY: 10},
}
"""Source: Zoom API rate limits, Contact Center."""

window_s: Final = 1.02
"""A second and what the network may squeeze: calls leave us further apart than they arrive."""

_rounding: Final = 1e-9
"""0.29 * 100 is 28.999…: a product that should be whole is."""


class Budget:
    """Grants calls; the caller waits. All times are seconds of one clock that never goes back."""

    def __init__(self, *, plan: Plan, share: float) -> None:
        """Take ``share`` (above 0, at most 1) of what the plan gives."""
        self._lanes = {label: _Lane(rate * share) for label, rate in calls_per_second[plan].items()}

    def wait_s(self, label: Label, now_s: float) -> float:
        """Return how long a call that asks now would wait; nothing is granted."""
        return self._lanes[label].next_s(now_s) - now_s

    def reserve(self, label: Label, now_s: float) -> float:
        """Grant one call and return how long it must wait. It cannot be given back."""
        return self._lanes[label].grant_s(now_s) - now_s

    def pause(self, label: Label, until_s: float) -> None:
        """Grant no further call before this moment: the other side says that it had too many."""
        self._lanes[label].pause(until_s)


class _Lane:
    def __init__(self, rate: float) -> None:
        size = max(1, floor(rate + _rounding))
        self._granted: deque[float] = deque(maxlen=size)
        self._window_s = window_s * max(1.0, size / rate)
        self._paused_until_s = 0.0

    def next_s(self, now_s: float) -> float:
        earliest_s = max(now_s, self._paused_until_s)
        if len(self._granted) == self._granted.maxlen:
            earliest_s = max(earliest_s, self._granted[0] + self._window_s)
        return max(earliest_s, self._granted[-1]) if self._granted else earliest_s

    def grant_s(self, now_s: float) -> float:
        moment_s = self.next_s(now_s)
        self._granted.append(moment_s)
        return moment_s

    def pause(self, until_s: float) -> None:
        self._paused_until_s = max(self._paused_until_s, until_s)
