"""Creates, reads and lists objects below the prefix, each request under a time limit."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import obstore
from obstore import exceptions
from obstore.store import ObjectStore

from runtime.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from obstore import ObjectMeta

page_objects: Final = 1000
"""The most objects that one request lists. Source: Amazon S3 API, ListObjectsV2, MaxKeys."""

_tail_bytes: Final = 64 * 1024
"""Longer than a footer of this sink."""

_refused: Final = "object storage refuses"
_check: Final = "check ZCC_OBJECT_STORAGE_URL and keys"
_no_bucket: Final = (
    "object storage does not know the bucket of ZCC_OBJECT_STORAGE_URL; create it first"
)
_status: Final = re.compile(r"non-2xx status code: (401|403|404)\b")
_refusals: Final = {
    "401": f"{_refused}: 401; {_check}",
    "403": f"{_refused}: 403; {_check}",
    "404": _no_bucket,
}


class ObjectGoneError(TransientError):
    """An object that existed a moment ago has been deleted."""


class Listed(NamedTuple):
    """An object in a listing."""

    path: str
    size_bytes: int


class Bucket:
    """A store, with a time limit for each request.

    All methods raise TransientError where the store does not answer in time, ConfigurationError
    where it refuses.
    """

    def __init__(self, store: ObjectStore, *, request_timeout_s: float) -> None:
        self._store = store
        self._timeout_s = request_timeout_s

    async def create(self, path: str, content: bytes) -> bool:
        """Create an object; return False, and change nothing, where it exists."""
        try:
            with errors_by_fault():
                async with asyncio.timeout(self._timeout_s):
                    await obstore.put_async(self._store, path, content, mode="create")
        except FileExistsError:
            return False
        return True

    async def read(self, path: str) -> bytes:
        """Return the content of an object that is known to exist."""
        with errors_by_fault(), _deleted_meanwhile(path):
            async with asyncio.timeout(self._timeout_s):
                answer = await obstore.get_async(self._store, path)
                return (await answer.bytes_async()).to_bytes()

    async def read_tail(self, listed: Listed) -> bytes:
        """Return the end of an object, long enough for a Parquet footer."""
        start = max(0, listed.size_bytes - _tail_bytes)
        with errors_by_fault(), _deleted_meanwhile(listed.path):
            async with asyncio.timeout(self._timeout_s):
                tail = await obstore.get_range_async(
                    self._store, listed.path, start=start, end=listed.size_bytes
                )
                return tail.to_bytes()

    async def folders(self, folder: str) -> Sequence[str]:
        """Return the direct subfolders of a folder; one request for a thousand of them."""
        with errors_by_fault():
            async with asyncio.timeout(self._timeout_s):
                listed = await obstore.list_with_delimiter_async(self._store, folder)
        return listed["common_prefixes"]

    async def pages(self, folder: str) -> AsyncIterator[Sequence[Listed]]:
        """Yield all objects below a folder, unordered; one request per page."""
        stream = aiter(obstore.list(self._store, folder, chunk_size=page_objects))
        while True:
            with errors_by_fault():
                async with asyncio.timeout(self._timeout_s):
                    try:
                        page = await anext(stream)
                    except StopAsyncIteration:
                        return
            yield [_listed(each) for each in page]


def _listed(meta: "ObjectMeta") -> Listed:
    return Listed(meta["path"], meta["size"])


@contextmanager
def _deleted_meanwhile(path: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise ObjectGoneError(f"{path} was there a moment ago and has been deleted") from error


@contextmanager
def errors_by_fault() -> Iterator[None]:
    """Raise the store's errors as ours; `FileExistsError` stays unchanged."""
    try:
        yield
    except (exceptions.AlreadyExistsError, FileExistsError):
        raise FileExistsError from None
    except (
        exceptions.PermissionDeniedError,
        exceptions.UnauthenticatedError,
        exceptions.InvalidPathError,
        exceptions.NotSupportedError,
        exceptions.UnknownConfigurationKeyError,
    ) as error:
        raise ConfigurationError(f"{_refused}: {type(error).__name__}; {_check}") from error
    except (exceptions.NotFoundError, FileNotFoundError) as error:
        raise ConfigurationError(_no_bucket) from error
    except (exceptions.BaseError, OSError, TimeoutError) as error:
        # The library has no class for a refused list: only its message shows the status.
        refused = _status.search(str(error))
        if refused is not None:
            raise ConfigurationError(_refusals[refused[1]]) from error
        raise TransientError(f"object storage does not answer: {type(error).__name__}") from error
