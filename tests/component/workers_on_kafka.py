"""Workers on a real broker, through the composition, and a sink that remembers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Self

from runtime.settings import WorkerSettings
from runtime.values import Assignment, Batch, Rejection, Resume, TopicPartition
from tests.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
worker = WorkerSettings(
    health_host="127.0.0.1", health_port=0, commit_interval_s=0.1, session_timeout_s=6
)


@asynccontextmanager
async def until_terminated(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run in this process and end it as an orchestrator does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work)
            yield
            os.kill(os.getpid(), signal.SIGTERM)
            await task
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.05)


class LogSink:
    """Remembers what it stored of which log."""

    planned = True

    def __init__(self) -> None:
        self.stored: list[tuple[str, bytes | None]] = []
        self._topic_id = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        self._topic_id = "".join(assignment.topic_ids.values())
        return {
            source: Resume(state.log_start if state.committed is None else state.committed)
            for source, state in assignment.partitions.items()
        }

    async def prepare(self, batch: Batch) -> None: ...

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        self.stored += [(self._topic_id, delivery.value) for delivery in batch.deliveries]
        return ()
