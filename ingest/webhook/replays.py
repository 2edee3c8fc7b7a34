"""Pure: signatures that were answered 204, so that a replay makes no second record.

A signature covers its timestamp, so Zoom's own retries never repeat one; a replay comes from
somebody who has seen a request. A signature forgotten too early makes a second record, which
consumers remove by its event id. No event is lost, because a signature is remembered only after
its record is stored.
"""


class AcknowledgedSignatures:
    """Remembers at most ``max_size`` signatures by app, each for ``lifetime_s`` or less.

    At least the last half of ``max_size`` is remembered. There are two sets. New signatures enter
    the younger; when it is full or old, the older is dropped as a whole and the younger takes its
    role. So remembering costs one insertion and forgetting nothing.
    """

    __slots__ = ("_half", "_lifetime_s", "_older", "_younger", "_younger_since_s")

    def __init__(self, max_size: int, *, lifetime_s: float) -> None:
        self._half = max_size // 2
        self._lifetime_s = lifetime_s
        self._younger: set[tuple[str, bytes]] = set()
        self._older: set[tuple[str, bytes]] = set()
        self._younger_since_s = 0.0

    def __len__(self) -> int:
        """Return how many signatures are remembered."""
        return len(self._younger) + len(self._older)

    def __contains__(self, app_and_signature: tuple[str, bytes]) -> bool:
        """Whether it was added and is still remembered."""
        return app_and_signature in self._younger or app_and_signature in self._older

    def add(self, app: str, signature: bytes) -> None:
        """Remember a signature that was answered 204."""
        if len(self._younger) >= self._half:
            self._rotate()
        if self._half:
            self._younger.add((app, signature))

    def tick(self, now_s: float) -> None:
        """Forget signatures that are too old to verify; call it several times a second."""
        if now_s - self._younger_since_s >= self._lifetime_s:
            self._rotate()
            self._younger_since_s = now_s

    def _rotate(self) -> None:
        self._older, self._younger = self._younger, set()
