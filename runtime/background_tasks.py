"""Runs tasks in the background, and cancels them when their owner ends."""

import asyncio
from collections.abc import Coroutine
from typing import Self


class BackgroundTasks:
    """A task group for work that has no end of its own. An async context manager.

    Leaving cancels the work and waits until it has ended. An error of the body leaves as it is, not
    in a group; an error of the work is a defect, ends the body and leaves as a group.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Start it; it is cancelled when this is left."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)
