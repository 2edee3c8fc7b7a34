"""Composition of the spill: from its settings to a running one, or none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog

from ingest.spill.backlog import Backlog
from ingest.spill.drain_loop import DrainLoop
from ingest.spill.metrics import metrics
from ingest.spill.settings import SpillSettings
from ingest.spill.spill import Spill
from ingest.spill.store import SegmentStores, open_stores
from ingest.spill.writer import SegmentWriter, WriteFailure
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import TransientError

_start_timeout_s: Final = 5.0

_log = structlog.get_logger()


@asynccontextmanager
async def spilling(
    settings: SpillSettings,
    *,
    instance: str,
    produce_deadline_s: float,
    publisher: Publisher,
    clock: Clock,
) -> AsyncIterator[Spill | None]:
    """Run the spill during the block; yields None if the settings name no store for it.

    ``instance`` is `SpillSettings.instance_name`. Each of several processes on one host adds a
    suffix of its own, the same after a restart.

    Raises:
        ConfigurationError: the store cannot be used, or both deadlines are too long for Zoom.
    """
    if not settings.url:
        yield None
        return
    settings.require_in_time(produce_deadline_s=produce_deadline_s)
    stores = open_stores(settings, successor_of=instance)
    async with running_spill(
        settings, stores, instance=instance, publisher=publisher, clock=clock
    ) as spill:
        yield spill


@asynccontextmanager
async def running_spill(
    settings: SpillSettings,
    stores: SegmentStores,
    *,
    instance: str,
    publisher: Publisher,
    clock: Clock,
) -> AsyncIterator[Spill]:
    """Run the spill during the block, even if its store does not answer at first.

    ``instance`` is the name of this process; no other that lives may have it. Segments that wait at
    the end are found again by the next process of this name.

    Raises:
        ConfigurationError: the store refuses.
    """
    _create_series()
    writer_of = partial(
        SegmentWriter,
        instance=instance,
        clock=clock,
        deadline_s=settings.deadline_s,
        max_bytes=settings.max_bytes,
    )
    own = Backlog()
    waiting = writer_of(stores.waiting, own)
    refused = writer_of(stores.refused, Backlog())  # it bounds what this process adds
    await _try_store(waiting)
    async with BackgroundTasks() as background:
        loop = DrainLoop(stores, waiting, own, instance=instance, publisher=publisher, clock=clock)
        for work in (waiting.run(), refused.run(), loop.run()):
            background.start(work)
        yield Spill(waiting, refused)


async def _try_store(writer: SegmentWriter) -> None:
    try:
        async with asyncio.timeout(_start_timeout_s):
            await writer.probe()
    except (TransientError, TimeoutError) as error:
        _log.warning("spill does not answer", error=str(error))


def _create_series() -> None:
    """Create each series at 0: Prometheus sees no increase in a series that starts at 1."""
    for reason in WriteFailure:
        metrics.failed.labels(reason)
    for kind in ("refused", "unreadable"):
        metrics.moved_to_refused.labels(kind)
