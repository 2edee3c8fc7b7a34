"""Segments in object storage: one create-only put each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import obstore
from obstore import exceptions
from obstore.store import ObjectStore, S3Store

from ingest.spill.settings import SpillSettings
from runtime.errors import ConfigurationError, TransientError

if TYPE_CHECKING:  # obstore has these names for type checkers only
    from obstore.store import ClientConfig, S3Config

_timeout_s: Final = 10.0
"""For all calls but put: no request waits for them."""
_page: Final = 1000
"""Names in one response. Source: S3 API, ListObjectsV2, its maximum."""


def open_prefix(settings: SpillSettings, *, bucket: str, prefix: str) -> ObjectStore:
    """Return the store of a prefix. No server is contacted."""
    client: ClientConfig = {"allow_http": settings.endpoint.startswith("http://")}
    config: S3Config = {"region": settings.region}
    if settings.access_key_id:
        config["access_key_id"] = settings.access_key_id
        config["secret_access_key"] = settings.secret_access_key.get_secret_value()
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
    return S3Store(bucket, prefix=prefix, config=config, client_options=client)


class BucketSegments:
    """`ingest.spill.store.SegmentStore` in a store of obstore.

    ``put_timeout_s`` is the time after which a put is of no use.
    """

    def __init__(self, store: ObjectStore, *, put_timeout_s: float) -> None:
        self._store = store
        self._put_timeout_s = put_timeout_s

    async def put(self, name: str, content: bytes) -> None:
        """See `SegmentStore.put`."""
        async with _errors_by_fault(self._put_timeout_s):
            try:
                await obstore.put_async(self._store, name, content, mode="create")
            except (exceptions.AlreadyExistsError, FileExistsError):
                return  # an attempt whose response was lost: the name ends with the digest

    async def get(self, name: str) -> bytes | None:
        """See `SegmentStore.get`."""
        async with _errors_by_fault(_timeout_s):
            try:
                answer = await obstore.get_async(self._store, name)
                return (await answer.bytes_async()).to_bytes()
            except (exceptions.NotFoundError, FileNotFoundError):
                return None

    async def delete(self, name: str) -> None:
        """See `SegmentStore.delete`."""
        async with _errors_by_fault(_timeout_s):
            await obstore.delete_async(self._store, name)

    async def sizes(self) -> dict[str, int]:
        """See `SegmentStore.sizes`."""
        pages = obstore.list(self._store, chunk_size=_page)
        sizes: dict[str, int] = {}
        while True:
            async with _errors_by_fault(_timeout_s):
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return sizes
            sizes |= {each["path"]: each["size"] for each in page}


@asynccontextmanager
async def _errors_by_fault(timeout_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except (
        exceptions.PermissionDeniedError,
        exceptions.UnauthenticatedError,
        exceptions.InvalidPathError,
        exceptions.NotSupportedError,
        exceptions.UnknownConfigurationKeyError,
    ) as error:
        raise ConfigurationError(
            f"ZCC_SPILL_URL: object storage refuses: {type(error).__name__}; check it and the keys"
        ) from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise ConfigurationError("ZCC_SPILL_URL: the bucket does not exist; create it") from error
    except (exceptions.BaseError, OSError, TimeoutError) as error:
        raise TransientError(
            f"ZCC_SPILL_URL: object storage does not answer: {type(error).__name__}"
        ) from error
