"""Measures how long a member of a group has received nothing."""

from collections.abc import Hashable
from typing import Final

from runtime.clock import Clock

poll_interval_s: Final = 1.0
"""Interval between two polls of the detector."""


class StallDetector:
    """Measures how long nothing has changed, when polled every `poll_interval_s`.

    The time between two polls counts for at most twice that interval: while the loop or the
    listener is busy, there is no poll, and nothing is missed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: Hashable = None
        self._checked_s = clock.monotonic_s()
        self._silent_s = 0.0

    def progressed(self) -> None:
        """Restart the measurement."""
        self._silent_s = 0.0

    def silent_for_s(self, seen: Hashable) -> float:
        """Return for how long this has been the only value seen."""
        now_s = self._clock.monotonic_s()
        elapsed_s = min(now_s - self._checked_s, 2 * poll_interval_s)
        self._silent_s = self._silent_s + elapsed_s if seen == self._seen else 0.0
        self._seen, self._checked_s = seen, now_s
        return self._silent_s
