"""A process that drains a folder and stops between producing and deleting, to be killed there."""

import asyncio
import sys
from pathlib import Path

from ingest.spill.store import SegmentStore
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from tests.support.spill import TroubledStore, running


class Stuck(TroubledStore):
    """Deletes nothing but what the start has made to prove that it can."""

    async def delete(self, name: str) -> None:
        if "-0-" in name:
            await super().delete(name)
            return
        print("all of it is acknowledged", flush=True)  # noqa: T201 - what the test waits for
        await asyncio.Event().wait()


async def main(folder: Path) -> None:
    def stuck(store: SegmentStore) -> SegmentStore:
        return Stuck(store)

    async with (
        KafkaPublisher(KafkaSettings(), client_id="spill-process", clock=SystemClock()) as kafka,
        running(folder, kafka, waiting=stuck),
    ):
        await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1])))
