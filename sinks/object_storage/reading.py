"""Reads the written objects back, for accounting."""

import asyncio
from collections.abc import AsyncIterator

import pyarrow as pa
import pyarrow.parquet as pq

from runtime.object_store.store import open_object_store
from sinks.object_storage.settings import ObjectStorageSettings


async def stored_event_ids(settings: ObjectStorageSettings) -> AsyncIterator[str]:
    """Yield the event id of every row of every object, one object in memory at a time.

    Raises:
        TransientError: the store does not answer.
        ConfigurationError: it refuses.
    """
    store = open_object_store(settings, request_timeout_s=settings.request_timeout_s)
    async for page in store.pages():
        for each in page:
            if each.path.endswith(".parquet"):
                for event_id in await asyncio.to_thread(_event_ids, await store.get(each.path)):
                    yield event_id


def _event_ids(content: bytes) -> list[str]:
    table = pq.read_table(pa.BufferReader(content), columns=["event_id"])
    ids: list[str] = table["event_id"].to_pylist()
    return ids
