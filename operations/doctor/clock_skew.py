"""Tells how far this machine's clock is from Zoom's, by the dates of Zoom's answers."""

from datetime import datetime, timedelta
from typing import Final

from runtime.clock import Clock
from zoom.errors import moment_of
from zoom.messages import Request, Response, Transport

_resolution: Final = timedelta(seconds=1)
"""Of the header ``Date``. Source: RFC 9110, section 6.6.1."""


class DatesHeard:
    """A `zoom.messages.Transport` that notes the date of the latest answer."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self.skew_s: float | None = None

    async def send(self, request: Request) -> Response:
        """See `Transport.send`."""
        asked_at = self._clock.now()
        response = await self._transport.send(request)
        told = moment_of(response.headers.get("date", ""))
        if told is not None:
            self.skew_s = skew_s(told, asked_at, self._clock.now())
        return response


def skew_s(told: datetime, asked_at: datetime, answered_at: datetime) -> float:
    """Return how many seconds this clock is ahead at least; negative: behind; 0: it may be right.

    The other clock showed ``told``, to the second, at some moment between the two of this one.
    """
    if asked_at > told + _resolution:
        return (asked_at - told - _resolution).total_seconds()
    if answered_at < told:
        return (answered_at - told).total_seconds()
    return 0.0
