"""Probes the object store without changing it."""

import asyncio
from pathlib import Path

import obstore

from sinks.object_storage.bucket import errors_by_fault
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import marker_path
from sinks.object_storage.store import open_store


async def is_marked(settings: ObjectStorageSettings) -> bool:
    """Return whether a sink has written below the prefix: its marker object exists.

    Raises:
        TransientError: the store does not answer.
        ConfigurationError: no such bucket, or no right to list it.
    """
    scheme, _, path = settings.url.partition("://")
    if scheme == "file" and not await asyncio.to_thread(Path("/", path.lstrip("/")).is_dir):
        return False
    store = open_store(settings)
    limit = asyncio.timeout(settings.request_timeout_s)
    with errors_by_fault():
        async with limit:
            async for _ in obstore.list(store, chunk_size=1):
                break  # only this tells a missing bucket from a missing object
            try:
                await obstore.head_async(store, marker_path)
            except FileNotFoundError:
                return False
    return True
