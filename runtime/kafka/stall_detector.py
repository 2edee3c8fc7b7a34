"""How long nothing has been heard, as a member of a group judges it."""

from collections.abc import Hashable
from typing import Final

from runtime.clock import Clock

look_s: Final = 1.0
"""How often somebody looks."""


class StallDetector:
    """How long nothing has changed, as seen by someone who looks every `look_s`.

    Time between two looks counts for no more than twice that: while nobody looks, because the loop
    or the listener is busy, nothing is missed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: Hashable = None
        self._looked_s = clock.monotonic_s()
        self._silent_s = 0.0

    def progressed(self) -> None:
        """Start again."""
        self._silent_s = 0.0

    def silent_for_s(self, seen: Hashable) -> float:
        """Return for how long nothing else was seen than this."""
        now_s = self._clock.monotonic_s()
        passed_s = min(now_s - self._looked_s, 2 * look_s)
        self._silent_s = self._silent_s + passed_s if seen == self._seen else 0.0
        self._seen, self._looked_s = seen, now_s
        return self._silent_s
