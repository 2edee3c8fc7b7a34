"""Workers on a real broker, through the composition, and a sink that remembers."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from runtime.settings import WorkerSettings
from tests.support.fakes.sinks import RecordingSink
from tests.support.patience import HANG_GUARD_S

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


class LogSink(RecordingSink):
    """Remembers what it stored of which log."""

    def __init__(self) -> None:
        super().__init__(planned=True)
        self.by_log: list[tuple[str, bytes]] = []
        self.after_store = self._note

    def _note(self) -> None:
        topic_id = "".join(self.assignments[-1].topic_ids.values())
        self.by_log += [(topic_id, each.value or b"") for each in self.batches[-1].deliveries]
