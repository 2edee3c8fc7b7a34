"""A poller in a process of its own: how tests start it, and what runs in it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from runtime.process.logs import configure_logs
from runtime.process.parent_death import end_with_parent
from runtime.service import run_poller
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Feed, Fetched, Record
from tests.support.child_process import child_process
from tests.support.components import component_of

name = "poller"


@asynccontextmanager
async def poller_process(
    kafka: KafkaSettings, member: str, target: str, *, port: int, log: Path, **settings: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it until the end of the block, where it is killed if it is still there."""
    chosen = {"health_host": "127.0.0.1", "health_port": port} | settings
    async with child_process(
        "tests.support.poller_process", member, target, kafka=kafka, log=log, settings=chosen
    ) as process:
        yield process


class _Endless:
    """Two feeds of numbers without an end, three to a page; each record names its publisher."""

    feeds = (Feed("a"), Feed("b"))
    page_records = 3

    def __init__(self, member: str, target: str) -> None:
        self._member = member
        self._target = target

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        return now

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        await asyncio.sleep(0.01)
        first = int(watermark or 0)
        end = first + self.page_records
        values = [f"{self._member} {feed.name} {number}".encode() for number in range(first, end)]
        return Fetched([Record(self._target, b"k", each) for each in values], str(end))


if __name__ == "__main__":
    parent_pid, member, target = sys.argv[1:]
    end_with_parent(int(parent_pid))
    configure_logs()
    asyncio.run(
        run_poller(
            _Endless(member, target),
            component_of(name, writes=[target]),
            kafka=KafkaSettings(),
            worker=WorkerSettings(),
        )
    )
