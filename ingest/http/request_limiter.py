"""Pure: limits the requests under way, so that an overload is answered at once and never queued."""

from collections import deque

from ingest.http.request_context import RequestContext


class RequestLimiter:
    """Counts signed requests that wait for the broker, and the bytes of all bodies held."""

    __slots__ = ("_max_bytes", "_max_requests", "requests", "size_bytes")

    def __init__(self, *, requests: int, size_bytes: int) -> None:
        self._max_requests = requests
        self._max_bytes = size_bytes
        self.requests = 0
        self.size_bytes = 0

    @property
    def overloaded(self) -> bool:
        """Whether one more request would be too many."""
        return self.requests >= self._max_requests

    def admit(self, request: RequestContext) -> None:
        """Count a request that waits for the broker, until `release`."""
        request.is_admitted = True
        self.requests += 1

    def reserve(self, size_bytes: int) -> bool:
        """Count bytes of a body, until `release`; False if they are too many, and not counted."""
        if self.size_bytes + size_bytes > self._max_bytes:
            return False
        self.size_bytes += size_bytes
        return True

    def release(self, request: RequestContext) -> None:
        """Count a request and its bytes no longer; a second call does nothing."""
        if request.is_admitted:
            request.is_admitted = False
            self.requests -= 1
        if request.held_bytes:
            self.size_bytes -= request.held_bytes
            request.held_bytes = 0

    def release_all(self, requests: deque[RequestContext]) -> None:
        """Release requests that are dropped, and leave none."""
        while requests:
            self.release(requests.popleft())
