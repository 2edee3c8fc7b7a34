"""The simulator's own clock, because it imports nothing of the runtime that it tests."""

import time
from datetime import UTC, datetime
from typing import Protocol


class SimulatorClock(Protocol):
    """The wall clock, which dates and signs, and a monotonic one, which paces."""

    def now(self) -> datetime:
        """The present time in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some fixed time, at the pace of the running loop."""
        ...


class MachineClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the present time in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()
