"""Runs a module of the tests as a worker in a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from runtime.settings import KafkaSettings

_root = Path(__file__).parents[2]


@asynccontextmanager
async def child_process(
    module: str, *arguments: str, kafka: KafkaSettings, log: Path, settings: Mapping[str, object]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run it until the end of the block, where it is killed if it is still there.

    The module gets the id of this process before its arguments. ``settings`` are those of a worker;
    its log is added to the file.
    """
    environment = {
        **{each: value for each, value in os.environ.items() if not each.startswith("ZCC_")},
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        **{f"ZCC_WORKER_{each.upper()}": str(value) for each, value in settings.items()},
    }
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, str(os.getpid()), *arguments),
            cwd=_root,
            env=environment,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
