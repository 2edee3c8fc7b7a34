"""Checks an object store for `zcc doctor`: it answers, and whether a sink has written there."""

from sinks.object_storage.probe import is_marked
from sinks.object_storage.settings import ObjectStorageSettings


async def check(settings: ObjectStorageSettings) -> str:
    """Return the state of the store in one line.

    Raises:
        ConfigurationError: the store refuses.
        TransientError: it does not answer.
    """
    marked = await is_marked(settings)
    text = "a sink has written there" if marked else "nothing was written there yet"
    return f"it answers; {text}"
