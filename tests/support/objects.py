"""What lies in the store of some settings."""

from runtime.object_store.settings import ObjectStoreSettings
from runtime.object_store.store import ObjectStore, open_object_store
from tests.patience import HANG_GUARD_S


def opened(settings: ObjectStoreSettings) -> ObjectStore:
    """Return the store, with a limit that only a hang exceeds."""
    return open_object_store(settings, request_timeout_s=HANG_GUARD_S)


async def parquet_paths(settings: ObjectStoreSettings) -> list[str]:
    """Return the paths of all Parquet objects, in order."""
    pages = [page async for page in opened(settings).pages()]
    return sorted(each.path for page in pages for each in page if each.path.endswith(".parquet"))
