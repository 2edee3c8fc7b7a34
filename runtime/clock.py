"""The only module that reads the time; all others get a `Clock`."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the code may know it, real or simulated."""

    def now(self) -> datetime:
        """The present moment in UTC, for people and records."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment, for durations and deadlines."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is that clock

    def monotonic_s(self) -> float:
        """Return the machine's monotonic time."""
        return time.monotonic()  # noqa: TID251 - this is that clock

    async def sleep(self, delay_s: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(delay_s)
