"""The settings of the S3 server of the tests, and what lies in the store of some settings."""

from typing import Any

from pydantic import SecretStr

from runtime.object_store.settings import ObjectStoreSettings
from runtime.object_store.store import ObjectStore, open_object_store
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack


def s3_values(stack: RealStack, prefix: str, **others: object) -> dict[str, Any]:
    """Return the values of settings whose store is a prefix in the bucket of the tests."""
    return {
        "url": f"s3://{stack.s3_bucket}/{prefix}",
        "endpoint": stack.s3_endpoint,
        "access_key_id": stack.s3_access_key,
        "secret_access_key": SecretStr(stack.s3_secret_key),
        **others,
    }


def opened(settings: ObjectStoreSettings) -> ObjectStore:
    """Return the store, with a limit that only a hang exceeds."""
    return open_object_store(settings, request_timeout_s=HANG_GUARD_S)


async def parquet_paths(settings: ObjectStoreSettings) -> list[str]:
    """Return the paths of all Parquet objects, in order."""
    pages = [page async for page in opened(settings).pages()]
    return sorted(each.path for page in pages for each in page if each.path.endswith(".parquet"))
