"""Reads the written objects back, for accounting."""

import asyncio
from collections.abc import AsyncIterator

import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from sinks.object_storage.bucket import errors_by_fault
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.store import open_store


async def stored_event_ids(settings: ObjectStorageSettings) -> AsyncIterator[str]:
    """Yield the event id of every row of every object, one object in memory at a time.

    Raises:
        TransientError: the store does not answer.
    """
    store = open_store(settings)
    with errors_by_fault():
        async for listed in obstore.list(store):
            for entry in listed:
                if not entry["path"].endswith(".parquet"):
                    continue
                answer = await obstore.get_async(store, entry["path"])
                content = (await answer.bytes_async()).to_bytes()
                for event_id in await asyncio.to_thread(_event_ids, content):
                    yield event_id


def _event_ids(content: bytes) -> list[str]:
    table = pq.read_table(pa.BufferReader(content), columns=["event_id"])
    ids: list[str] = table["event_id"].to_pylist()
    return ids
