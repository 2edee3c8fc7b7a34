"""What the runners of an assignment may take, first in, first out.

`asyncio.Queue` wakes a waiting runner for each item. Where the handler answers without waiting, the
first one empties the queue, and the others wake up for nothing. So one runner is woken for all
items, and each that finds more than its own wakes two others: a hundred are awake after seven turns
of the loop.

Invariant: while there are items and runners that wait, a runner is on its way.
"""

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

_wakes: Final = 2


class ReadyQueue(Generic[Item]):
    """A queue without a bound. A waiting runner may be cancelled only together with all others."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._on_their_way = 0

    def put(self, item: Item) -> None:
        """Add an item."""
        self._items.append(item)
        if not self._on_their_way:
            self._wake(1)

    async def get(self) -> Item:
        """Remove and return the first item; wait for it where there is none."""
        while not self._items:
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken
            self._on_their_way -= 1
            if len(self._items) > 1:
                self._wake(_wakes)
        return self._items.popleft()

    def _wake(self, count: int) -> None:
        while count and self._waiting:
            waiting = self._waiting.pop()  # the last one: its memory is in the processor's cache
            if not waiting.done():
                waiting.set_result(None)
                self._on_their_way += 1
                count -= 1
