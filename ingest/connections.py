"""All connections of a process: what they share, and their orderly end."""

from collections.abc import Callable
from email.utils import format_datetime
from typing import Final

from ingest.admission import Admission
from ingest.connection import Connection, Limits
from ingest.exchange import Application
from runtime.clock import Clock
from runtime.exposition import add_tally

_tick_s: Final = 0.1
"""How late a bound of time may be noticed; also how exact deadlines of requests are."""


class Connections:
    """Makes connections and watches over them. `run` has to run all the while."""

    def __init__(
        self,
        application_of: Callable[[str], Application],
        *,
        limits: Limits,
        admission: Admission,
        clock: Clock,
    ) -> None:
        self.application_of = application_of
        self.limits = limits
        self.admission = admission
        self.draining = False
        """Once set, each answer is the last on its connection."""
        self.date = b""
        self.now_s = clock.monotonic_s
        self._clock = clock
        self._open: set[Connection] = set()
        self._write_date()

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def make(self) -> Connection:
        """Return the protocol of a new connection."""
        return Connection(self)

    def opened(self, connection: Connection) -> None:
        """Watch over a connection."""
        self._open.add(connection)

    def closed(self, connection: Connection) -> None:
        """No longer watch over it."""
        self._open.discard(connection)

    async def run(self, tick: Callable[[float], None]) -> None:
        """Keep the time for all connections, and for ``tick``, for ever."""
        while True:
            await self._clock.sleep(_tick_s)
            self._write_date()
            now_s = self.now_s()
            for connection in [each for each in self._open if each.due_s <= now_s]:
                connection.overdue()
            tick(now_s)
            add_tally()

    async def drain(self, timeout_s: float) -> None:
        """End idle connections now, others with their last answer or after so long."""
        self.draining = True
        until_s = self.now_s() + timeout_s
        await self._clock.sleep(_tick_s)  # what was accepted a moment ago becomes a connection now
        while self._open and self.now_s() < until_s:
            for connection in [each for each in self._open if each.is_idle]:
                connection.close()
            await self._clock.sleep(_tick_s)
        for connection in self._open:
            connection.abort()
        while self._open:
            await self._clock.sleep(_tick_s)

    def _write_date(self) -> None:
        moment = self._clock.now().replace(microsecond=0)
        self.date = b"date: %b\r\n" % format_datetime(moment, usegmt=True).encode()
