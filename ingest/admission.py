"""Pure: how much may be under way at once, so that an overload is answered and never piled up."""


class Admission:
    """Counts requests from their head to their answer, and the bytes of body they hold."""

    __slots__ = ("_most_bytes", "_most_requests", "requests", "size_bytes")

    def __init__(self, *, requests: int, size_bytes: int) -> None:
        self._most_requests = requests
        self._most_bytes = size_bytes
        self.requests = 0
        self.size_bytes = 0

    @property
    def full(self) -> bool:
        """Whether the request that has just entered is one too many."""
        return self.requests > self._most_requests or self.size_bytes >= self._most_bytes

    def enter(self) -> None:
        """Count a request; to be followed by one `leave`."""
        self.requests += 1

    def hold(self, size_bytes: int) -> bool:
        """Count bytes of body; False where they are too many, and then not counted."""
        if self.size_bytes + size_bytes > self._most_bytes:
            return False
        self.size_bytes += size_bytes
        return True

    def leave(self, size_bytes: int) -> None:
        """Let go of a request and of the bytes it held."""
        self.requests -= 1
        self.size_bytes -= size_bytes
