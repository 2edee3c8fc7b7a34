"""Waiting for a change, in the order in which it began."""

import asyncio


class Waiting:
    def __init__(self) -> None:
        self._changes: dict[asyncio.Future[None], None] = {}

    def wake(self) -> None:
        """Wake all who wait."""
        for change in self._changes:
            _wake(change)

    async def wait(self, timeout_s: float) -> None:
        """Wait until somebody wakes all, no longer than this."""
        loop = asyncio.get_running_loop()
        change: asyncio.Future[None] = loop.create_future()
        self._changes[change] = None
        timer = loop.call_later(timeout_s, _wake, change)
        try:
            await change
        finally:
            timer.cancel()
            del self._changes[change]


def _wake(change: asyncio.Future[None]) -> None:
    if not change.done():
        change.set_result(None)
