"""Composition of the spill: from its settings to a running one, or none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.spill.settings import SpillSettings
from ingest.spill.spill import Spill
from ingest.spill.store import open_places
from runtime.clock import Clock
from runtime.contracts import Publisher


@asynccontextmanager
async def spilling(
    settings: SpillSettings,
    *,
    instance: str,
    produce_deadline_s: float,
    publisher: Publisher,
    clock: Clock,
) -> AsyncIterator[Spill | None]:
    """Run the spill during the block; yields None where the settings name no place for it.

    ``instance`` is `SpillSettings.instance_name`, with something of its own behind it for each of
    several processes on one host, the same after a restart.

    Raises:
        ConfigurationError: the place cannot be used, or both deadlines are too long for Zoom.
    """
    if not settings.url:
        yield None
        return
    settings.require_in_time(produce_deadline_s=produce_deadline_s)
    places = open_places(settings, successor_of=instance)
    async with Spill(
        settings, places, instance=instance, publisher=publisher, clock=clock
    ) as spill:
        yield spill
