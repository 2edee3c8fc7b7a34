"""Pure: the next due item: new events at their pace, and delayed ones.

The source yields one group of items per new event, each with the seconds that it waits beyond the
event's own time. Everything passes through a heap, which also holds items to retry. The item due
first goes first; on a tie the one added first. No new event is read while too many items wait, or
before the time that the source has reached.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

max_waiting: Final = 50_000
"""About 2 KB each: the memory cost of a receiver that is down."""


class SendQueue(Generic[Item]):
    """Times are seconds of one monotonic clock.

    The taker of an item calls `settled` once it is finished or was added again; until then the
    queue is not `finished`. A ``rate_per_s`` of 0 makes every new event due at once. ``reached_s``
    returns the time of the last event that was read: the next one is no earlier.
    """

    def __init__(
        self,
        source: Iterator[Sequence[tuple[float, Item]]],
        *,
        rate_per_s: float,
        start_s: float,
        reached_s: Callable[[], float] = lambda: float("-inf"),
    ) -> None:
        self._source = source
        self._rate_per_s = rate_per_s
        self._start_s = start_s
        self._reached_s = reached_s
        self._drawn = 0
        self._exhausted = False
        self._waiting: list[tuple[float, int, Item]] = []
        self._added = 0
        self._out = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left, and no taken item may be added again."""
        return self._exhausted and not self._waiting and not self._out

    def add(self, item: Item, *, due_s: float) -> None:
        """Add an item that is due at this time."""
        heapq.heappush(self._waiting, (due_s, self._added, item))
        self._added += 1

    def take(self, now_s: float) -> Item | None:
        """Return the item that has been due longest, or None."""
        while self._next_new_s(now_s) <= now_s:
            self._draw(self._next_new_s(now_s))
        if not self._waiting or self._waiting[0][0] > now_s:
            return None
        self._out += 1
        return heapq.heappop(self._waiting)[2]

    def settled(self) -> None:
        """Note that a taken item is finished, or waits here again."""
        self._out -= 1

    def wait_s(self, now_s: float) -> float | None:
        """Return for how long nothing can become due; None: not before something is added."""
        first_s = self._waiting[0][0] if self._waiting else float("inf")
        due_s = min(first_s, self._next_new_s(now_s))
        return None if due_s == float("inf") else max(0.0, due_s - now_s)

    def _next_new_s(self, now_s: float) -> float:
        """Return when to read the next event; never while an item is due before it."""
        if self._exhausted or len(self._waiting) >= max_waiting:
            return float("inf")
        paced_s = self._start_s + self._drawn / self._rate_per_s if self._rate_per_s else now_s
        new_s = max(paced_s, self._reached_s())
        if self._waiting and self._waiting[0][0] <= new_s:
            return float("inf")
        return new_s

    def _draw(self, due_s: float) -> None:
        items = next(self._source, None)
        if items is None:
            self._exhausted = True
            return
        self._drawn += 1
        for delay_s, item in items:
            self.add(item, due_s=due_s + delay_s)
