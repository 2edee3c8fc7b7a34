"""Pure: which signatures were answered 204 already, so that a replay makes no second record.

A signature covers its timestamp, so Zoom's own retries never have an old one; who sends one again
has only seen it. What is forgotten too early is kept as a second record, which consumers remove by
its event id: nothing here can lose an event, because only what the broker has is remembered.
"""


class AnsweredSignatures:
    """Remembers at most ``most`` signatures by app: each for ``lasting_s``, or in the last half.

    Two sets take turns: the younger is filled, the older only looked at, and given up as a whole
    once the younger is full or old. So remembering costs one insertion and forgetting nothing.
    """

    __slots__ = ("_half", "_lasting_s", "_older", "_younger", "_younger_since_s")

    def __init__(self, most: int, *, lasting_s: float) -> None:
        self._half = most // 2
        self._lasting_s = lasting_s
        self._younger: set[tuple[str, bytes]] = set()
        self._older: set[tuple[str, bytes]] = set()
        self._younger_since_s = 0.0

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._younger) + len(self._older)

    def __contains__(self, app_and_signature: tuple[str, bytes]) -> bool:
        """Whether it was added and is not forgotten."""
        return app_and_signature in self._younger or app_and_signature in self._older

    def add(self, app: str, signature: bytes) -> None:
        """Remember a signature that was answered 204."""
        if len(self._younger) >= self._half:
            self._take_turns()
        if self._half:
            self._younger.add((app, signature))

    def tick(self, now_s: float) -> None:
        """Forget what no longer verifies anyway; to be called all the while."""
        if now_s - self._younger_since_s >= self._lasting_s:
            self._take_turns()
            self._younger_since_s = now_s

    def _take_turns(self) -> None:
        self._older, self._younger = self._younger, set()
