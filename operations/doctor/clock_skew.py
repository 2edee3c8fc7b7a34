"""Measures how far this machine's clock is from Zoom's, by the ``Date`` of Zoom's responses."""

from datetime import datetime, timedelta
from typing import Final

from runtime.clock import Clock
from zoom.errors import moment_of
from zoom.messages import ApiResponse, Request, Transport

_resolution: Final = timedelta(seconds=1)
"""Of the header ``Date``. Source: RFC 9110, section 6.6.1."""


class ServerDates:
    """A `zoom.messages.Transport` that compares the date of each response with the clock."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self.skew_s: float | None = None

    async def send(self, request: Request) -> ApiResponse:
        """See `Transport.send`."""
        sent_at = self._clock.now()
        response = await self._transport.send(request)
        date = moment_of(response.headers.get("date", ""))
        if date is not None:
            self.skew_s = skew_s(date, sent_at, self._clock.now())
        return response


def skew_s(date: datetime, sent_at: datetime, received_at: datetime) -> float:
    """Return how many seconds this clock is ahead at least; negative: behind; 0: it may be right.

    The other clock showed ``date``, to the second, at some moment between the two of this one.
    """
    if sent_at > date + _resolution:
        return (sent_at - date - _resolution).total_seconds()
    if received_at < date:
        return (received_at - date).total_seconds()
    return 0.0
