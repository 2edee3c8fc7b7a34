"""Time as the simulator knows it; its own, since it imports nothing of what it is to test."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The wall clock, which dates and signs, and a steady one, which paces."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment, at the pace of the running loop."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()
