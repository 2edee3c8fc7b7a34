"""Loads all users and queues of the account before events need them.

They are read at the start, and again before they grow old: a page of 300 costs one call, and lists
have a budget of their own. So single lookups remain for new entities, and for accounts larger than
the cache.
"""

from contextlib import aclosing
from typing import Final, TypeVar

import structlog

from processors.enrichment.lookup import CachedLookup
from processors.enrichment.settings import EnrichmentSettings
from runtime.clock import Clock
from zoom.entities import Queue, User
from zoom.errors import ZoomError
from zoom.lookups import EntityLookup

Entity = TypeVar("Entity", User, Queue)

_ids_each: Final = 2
_retry_s: Final = 60.0

_log: Final = structlog.get_logger()


async def keep_preloaded(
    source: EntityLookup[Entity],
    lookup: CachedLookup[str, Entity],
    settings: EnrichmentSettings,
    *,
    clock: Clock,
) -> None:
    """Read all entities again and again, for ever."""
    while True:
        pause_s = settings.cache_ttl_s / 2
        try:
            await _read_all(source, lookup, max_entities=settings.cache_entries // _ids_each)
        except ZoomError as error:
            _log.warning("preload_failed", error=str(error))
            pause_s = min(pause_s, _retry_s)
        await clock.sleep(pause_s)


async def _read_all(
    source: EntityLookup[Entity], lookup: CachedLookup[str, Entity], *, max_entities: int
) -> None:
    count = 0
    async with aclosing(source.all()) as entities:
        async for entity in entities:
            lookup.keep(entity)
            count += 1
            if count >= max_entities:
                return
