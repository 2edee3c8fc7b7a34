"""All connections of a process: their shared state, their bounds, and their orderly end.

There are two bounds. Beyond the bound of unfinished requests, whose senders are still unknown, the
oldest one is closed. Beyond the bound of connections, each of which is an open file, the oldest
silent connection is closed, then the oldest idle one, then the oldest unfinished request. A request
that waits for the broker is never closed. So a client that opens many connections loses only its
own.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from enum import StrEnum
from typing import Final, Protocol

from ingest.http.limits import RequestBounds
from ingest.http.request_context import Application
from ingest.http.request_limiter import RequestLimiter
from ingest.http.shedding import Origin, SheddingQueue
from ingest.metrics import metrics
from runtime.clock import Clock
from runtime.process.metrics_exposition import count, flush_counters

_tick_s: Final = 0.1
"""How late a timeout may be noticed; also how exact deadlines of requests are."""


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
        """When `on_timeout` is to be called, on the monotonic clock."""
        ...

    def __hash__(self) -> int:
        """By identity."""
        ...

    @property
    def origin(self) -> Origin:
        """The sender of its present request."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun, and none waits."""
        ...

    @property
    def is_disposable(self) -> bool:
        """Whether it has answered something and is of no use now."""
        ...

    def on_timeout(self) -> None:
        """End what has taken too long."""
        ...

    def make_room(self) -> None:
        """Answer an unfinished request, if there is one, and close."""
        ...

    def close(self) -> None:
        """Close an idle connection once everything is written."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Connections:
    """Watches over the connections of a process while `run` runs."""

    def __init__(
        self,
        application_of: Callable[[str, bytes], Application],
        *,
        limits: RequestBounds,
        bounds: ConnectionBounds,
        limiter: RequestLimiter,
        clock: Clock,
    ) -> None:
        self.application_of = application_of
        self.limits = limits
        self.limiter = limiter
        self.draining = False
        """Once set, each response is the last of its connection."""
        self.date = _date_header(clock)
        self.now_s = clock.monotonic_s
        self._clock = clock
        self._max_connections = bounds.connections
        self._open: OrderedDict[Watched, None] = OrderedDict()
        """In the order in which they last became idle."""
        self._silent: SheddingQueue[Watched] = SheddingQueue(bounds.connections)
        self._unfinished: SheddingQueue[Watched] = SheddingQueue(bounds.unfinished)

    def __len__(self) -> int:
        """Return how many are open."""
        return len(self._open)

    def opened(self, connection: Watched) -> None:
        """Watch over a connection. If it is one too many, another one makes room, or it goes."""
        origin = connection.origin
        has_room = len(self._open) < self._max_connections or self._make_room(origin)
        self._open[connection] = None
        if has_room:
            self._silent.add(connection, origin)
        else:
            count(metrics.crowded_out, Displaced.NEWCOMER.value)
            connection.abort()

    def first_bytes(self, connection: Watched) -> None:
        """Note that a connection is silent no longer."""
        self._silent.discard(connection)

    def became_idle(self, connection: Watched) -> float:
        """Note that a connection is idle; return until when it may be."""
        self._open.move_to_end(connection)
        return self.now_s() + self.limits.keep_alive_s

    def request_unfinished(self, connection: Watched) -> None:
        """Count a request that is not received whole; if it is one too many, the oldest goes."""
        origin = connection.origin
        self._unfinished.add(connection, origin)
        if self._unfinished.is_over:
            self._displace_unfinished(origin, but=None)

    def request_finished(self, connection: Watched) -> None:
        """Count it no longer."""
        self._unfinished.discard(connection)

    def reserve(self, connection: Watched, size_bytes: int) -> bool:
        """Reserve bytes for a body; unfinished requests make room. False if none is left to."""
        while not self.limiter.reserve(size_bytes):
            if not self._displace_unfinished(connection.origin, but=connection):
                return False
        return True

    def closed(self, connection: Watched) -> None:
        """Watch over it no longer."""
        self._silent.discard(connection)
        self._unfinished.discard(connection)
        del self._open[connection]

    async def run(self, tick: Callable[[float], None]) -> None:
        """Notice the timeouts of all connections, and call ``tick``, until cancelled."""
        while True:
            await self._clock.sleep(_tick_s)
            self.date = _date_header(self._clock)
            now_s = self.now_s()
            for connection in [each for each in self._open if each.due_s <= now_s]:
                connection.on_timeout()
            tick(now_s)
            metrics.connections.set(len(self._open))
            metrics.unfinished.set(len(self._unfinished))
            flush_counters()

    async def drain(self, timeout_s: float) -> None:
        """End idle connections now, others with their last response or after the timeout."""
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
        """Return it; those on the way to it move to the end, as they will once they are idle."""
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
        self._silent.discard(connection)
        self._unfinished.discard(connection)
        connection.make_room()


def _date_header(clock: Clock) -> bytes:
    now = clock.now().replace(microsecond=0)
    return b"date: %b\r\n" % format_datetime(now, usegmt=True).encode()
