"""A worker in a process of its own: how tests start it, and what runs in it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from runtime.process.logs import configure_logs
from runtime.process.parent_death import end_with_parent
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from tests.support.child_process import child_process
from tests.support.components import component_of

name = "test"


@asynccontextmanager
async def worker_process(
    kafka: KafkaSettings,
    source: str,
    target: str = "",
    *,
    slowest_s: float,
    log: Path,
    **settings: object,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it until the end of the block, where it is killed if it is still there.

    Its handler takes up to ``slowest_s`` and hands each record on to the ``target``, if there is
    one. ``settings`` are those of a worker, its log is added to the file.
    """
    chosen = {"health_host": "127.0.0.1", "health_port": 0} | settings
    async with child_process(
        "tests.support.worker_process",
        source,
        target,
        str(slowest_s),
        kafka=kafka,
        log=log,
        settings=chosen,
    ) as process:
        yield process


async def _work(source: str, target: str, slowest_s: float) -> None:
    rng = Random()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(rng.uniform(0, slowest_s))
        return (Record(target, delivery.key, delivery.value),) if target else ()

    await run_handler(
        handler, component_of(name, [source]), kafka=KafkaSettings(), worker=WorkerSettings()
    )


if __name__ == "__main__":
    parent_pid, source, target, slowest_s = sys.argv[1:]
    end_with_parent(int(parent_pid))
    configure_logs()
    asyncio.run(_work(source, target, float(slowest_s)))
