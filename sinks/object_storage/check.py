"""Checks an object store for `zcc doctor`: it answers, and whether a sink has written there."""

import asyncio

from runtime.object_store.settings import FolderLocation
from runtime.object_store.store import open_object_store
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import marker_path


async def check(settings: ObjectStorageSettings) -> str:
    """Return the state of the store in one line. Nothing is changed, not even a folder made.

    Raises:
        ConfigurationError: the store refuses.
        TransientError: it does not answer.
    """
    text = (
        "a sink has written there"
        if await _is_marked(settings)
        else "nothing was written there yet"
    )
    return f"it answers; {text}"


async def _is_marked(settings: ObjectStorageSettings) -> bool:
    location = settings.location
    if isinstance(location, FolderLocation) and not await asyncio.to_thread(location.path.is_dir):
        return False
    store = open_object_store(settings, request_timeout_s=settings.request_timeout_s)
    await anext(store.pages(), None)  # only a list tells a missing bucket from a missing object
    return await store.exists(marker_path)
