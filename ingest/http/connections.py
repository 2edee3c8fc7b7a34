"""All connections of a process: what they share, how many there may be, and their orderly end.

Two bounds, and what gives way to them. Requests that are not received whole, nobody knows from
whom: the oldest goes. Connections, each of which is an open file: the oldest that has never sent
anything goes, then the oldest that is idle, then the oldest unfinished request. What waits for the
broker never goes. So whoever opens many and renews them only drives out his own.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from enum import StrEnum
from typing import Final, Protocol

from ingest.http.admission import RequestLimiter
from ingest.http.exchange import Application
from ingest.http.limits import RequestBounds
from ingest.http.shedding import Origin, SheddingQueue
from ingest.metrics import metrics
from runtime.clock import Clock
from runtime.process.metrics_exposition import count, flush_counters

_tick_s: Final = 0.1
"""How late a bound of time may be noticed; also how exact deadlines of requests are."""


class Displaced(StrEnum):
    """What a connection did that had to make room; a closed set for labels."""

    SILENT = "silent"
    IDLE = "idle"
    UNFINISHED = "unfinished"
    NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """How many connections there may be, and how many requests that are not received whole."""

    connections: int
    unfinished: int


class Watched(Protocol):
    """A connection as `Connections` sees it."""

    @property
    def due_s(self) -> float:
        """When `overdue` is to be called."""
        ...

    def __hash__(self) -> int:
        """By identity."""
        ...

    @property
    def origin(self) -> Origin:
        """Where its present request comes from."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        ...

    @property
    def is_disposable(self) -> bool:
        """Whether nobody waits for anything of it."""
        ...

    def overdue(self) -> None:
        """End what has taken too long."""
        ...

    def make_room(self) -> None:
        """Answer an unfinished request, if there is one, and close."""
        ...

    def close(self) -> None:
        """Close when everything is written."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Connections:
    """Watches over the connections of a process. `run` has to run all the while."""

    def __init__(
        self,
        application_of: Callable[[str, bytes], Application],
        *,
        limits: RequestBounds,
        room: ConnectionBounds,
        admission: RequestLimiter,
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
        self._most = room.connections
        self._open: OrderedDict[Watched, None] = OrderedDict()
        """In the order in which they last became idle."""
        self._silent: SheddingQueue[Watched] = SheddingQueue(room.connections)
        self._unfinished: SheddingQueue[Watched] = SheddingQueue(room.unfinished)
        self._write_date()

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def opened(self, connection: Watched) -> None:
        """Watch over a connection; where it is one too many, another makes room or it goes."""
        origin = connection.origin
        has_room = len(self._open) < self._most or self._make_room(origin)
        self._open[connection] = None
        if has_room:
            self._silent.enter(connection, origin)
        else:
            count(metrics.crowded_out, Displaced.NEWCOMER.value)
            connection.abort()

    def spoke(self, connection: Watched) -> None:
        """Take note that a connection has sent its first bytes."""
        self._silent.leave(connection)

    def rested(self, connection: Watched) -> float:
        """Take note that a connection has become idle; return until when it may be."""
        self._open.move_to_end(connection)
        return self.now_s() + self.limits.keep_alive_s

    def on_headers(self, connection: Watched) -> None:
        """Count a request that is not received whole; where it is one too many, the oldest goes."""
        origin = connection.origin
        self._unfinished.enter(connection, origin)
        if self._unfinished.is_over:
            self._displace_unfinished(origin, but=None)

    def finished(self, connection: Watched) -> None:
        """Count it no longer."""
        self._unfinished.leave(connection)

    def hold(self, connection: Watched, size_bytes: int) -> bool:
        """Hold more bytes of a body, for which unfinished requests make room; False in vain."""
        while not self.admission.hold(size_bytes):
            if not self._displace_unfinished(connection.origin, but=connection):
                return False
        return True

    def closed(self, connection: Watched) -> None:
        """No longer watch over it."""
        self._silent.leave(connection)
        self._unfinished.leave(connection)
        del self._open[connection]

    async def run(self, tick: Callable[[float], None]) -> None:
        """Keep the time for all connections, and for ``tick``, for ever."""
        while True:
            await self._clock.sleep(_tick_s)
            self._write_date()
            now_s = self.now_s()
            for connection in [each for each in self._open if each.due_s <= now_s]:
                connection.overdue()
            tick(now_s)
            metrics.connections.set(len(self._open))
            metrics.unfinished.set(len(self._unfinished))
            flush_counters()

    async def drain(self, timeout_s: float) -> None:
        """End idle connections now, others with their last answer or after so long."""
        self.draining = True
        until_s = self.now_s() + timeout_s
        await self._clock.sleep(_tick_s)  # what was accepted a moment ago becomes a connection now
        while self._open and self.now_s() < until_s:
            for connection in [each for each in self._open if each.is_idle]:
                connection.close()
            await self._clock.sleep(_tick_s)
        for connection in list(self._open):
            connection.abort()
        while self._open:
            await self._clock.sleep(_tick_s)

    def _make_room(self, origin: Origin) -> bool:
        silent = self._silent.oldest(origin)
        if silent is not None:
            self._displace(silent, Displaced.SILENT)
            return True
        idle = self._oldest_idle()
        if idle is not None:
            self._displace(idle, Displaced.IDLE)
            return True
        return self._displace_unfinished(origin, but=None)

    def _oldest_idle(self) -> Watched | None:
        """Return it; those on the way to it move to the end, where they come when they rest."""
        for _ in range(len(self._open)):
            connection = next(iter(self._open))
            if connection.is_disposable:
                return connection
            self._open.move_to_end(connection)
        return None

    def _displace_unfinished(self, origin: Origin, *, but: Watched | None) -> bool:
        oldest = self._unfinished.oldest(origin)
        if oldest is None or oldest is but:
            return False
        self._displace(oldest, Displaced.UNFINISHED)
        return True

    def _displace(self, connection: Watched, state: Displaced) -> None:
        count(metrics.crowded_out, state.value)
        self._silent.leave(connection)
        self._unfinished.leave(connection)
        connection.make_room()

    def _write_date(self) -> None:
        moment = self._clock.now().replace(microsecond=0)
        self.date = b"date: %b\r\n" % format_datetime(moment, usegmt=True).encode()
