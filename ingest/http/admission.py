"""Pure: how much may be under way at once, so that an overload is answered and never piled up."""

from ingest.http.exchange import RequestContext


class RequestLimiter:
    """Counts signed requests that wait for their fate, and the bytes of all bodies held."""

    __slots__ = ("_most_bytes", "_most_requests", "requests", "size_bytes")

    def __init__(self, *, requests: int, size_bytes: int) -> None:
        self._most_requests = requests
        self._most_bytes = size_bytes
        self.requests = 0
        self.size_bytes = 0

    @property
    def full(self) -> bool:
        """Whether one more request would be too many."""
        return self.requests >= self._most_requests

    def admit(self, exchange: RequestContext) -> None:
        """Count a request that waits; to be followed by `let_go`."""
        exchange.is_admitted = True
        self.requests += 1

    def let_go(self, exchange: RequestContext) -> None:
        """Count a request and its bytes no longer."""
        if exchange.is_admitted:
            exchange.is_admitted = False
            self.requests -= 1
        if exchange.held_bytes:
            self.size_bytes -= exchange.held_bytes
            exchange.held_bytes = 0

    def hold(self, size_bytes: int) -> bool:
        """Count bytes of body; False where they are too many, and then not counted."""
        if self.size_bytes + size_bytes > self._most_bytes:
            return False
        self.size_bytes += size_bytes
        return True
