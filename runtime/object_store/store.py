"""Creates, reads, lists and deletes the objects below a URL, each request under a time limit."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import obstore

from runtime.object_store.errors import already_exists, errors_by_fault, missing_object, not_found
from runtime.object_store.opening import Client, open_client
from runtime.object_store.settings import ObjectStoreSettings

if TYPE_CHECKING:  # obstore has this name for type checkers only
    from obstore import ObjectMeta

page_objects: Final = 1000
"""The most objects that one request lists. Source: Amazon S3 API, ListObjectsV2, MaxKeys."""


class StoredObject(NamedTuple):
    """An object in a listing."""

    path: str
    size_bytes: int


class ObjectStore:
    """Objects by path. Nothing is overwritten.

    All methods raise TransientError where the store does not answer in time, ConfigurationError
    where it refuses. A request that has failed may have been carried out.
    """

    def __init__(self, client: Client, *, url_variable: str, request_timeout_s: float) -> None:
        self._client = client
        self._url_variable = url_variable
        self._timeout_s = request_timeout_s

    async def create(self, path: str, content: bytes, *, timeout_s: float | None = None) -> bool:
        """Create an object; return False, and change nothing, where it exists.

        ``timeout_s`` replaces the store's limit.
        """
        async with self._request(timeout_s):
            try:
                await obstore.put_async(self._client, path, content, mode="create")
            except already_exists:
                return False
        return True

    async def get(self, path: str) -> bytes:
        """Return the content of an object.

        Raises:
            ObjectGoneError: it is not there.
        """
        async with self._request():
            with missing_object(path):
                answer = await obstore.get_async(self._client, path)
                return (await answer.bytes_async()).to_bytes()

    async def get_range(self, path: str, *, start: int, end: int) -> bytes:
        """Return the bytes of an object from ``start`` up to but without ``end``.

        Raises:
            ObjectGoneError: it is not there.
        """
        async with self._request():
            with missing_object(path):
                content = await obstore.get_range_async(self._client, path, start=start, end=end)
                return content.to_bytes()

    async def exists(self, path: str) -> bool:
        """Return whether an object is there. A bucket that is not there has none."""
        async with self._request():
            try:
                await obstore.head_async(self._client, path)
            except not_found:
                return False
        return True

    async def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        async with self._request():
            try:
                await obstore.delete_async(self._client, path)
            except not_found:
                return

    async def folders(self, folder: str) -> Sequence[str]:
        """Return the direct subfolders of a folder; one request for a thousand of them."""
        async with self._request():
            listed = await obstore.list_with_delimiter_async(self._client, folder)
        return listed["common_prefixes"]

    async def pages(self, folder: str = "") -> AsyncIterator[Sequence[StoredObject]]:
        """Yield all objects below a folder, unordered; one request per page.

        Only a list shows that a bucket does not exist: other requests miss the object.
        """
        stream = aiter(obstore.list(self._client, folder or None, chunk_size=page_objects))
        while True:
            async with self._request():
                try:
                    page = await anext(stream)
                except StopAsyncIteration:
                    return
            yield [_stored_object(each) for each in page]

    @asynccontextmanager
    async def _request(self, timeout_s: float | None = None) -> AsyncIterator[None]:
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        with errors_by_fault(self._url_variable):
            async with asyncio.timeout(limit_s):
                yield


def open_object_store(
    settings: ObjectStoreSettings, *, request_timeout_s: float, folder: str = ""
) -> ObjectStore:
    """Return the store of the URL, or of a folder below it. No server is contacted.

    Raises:
        ConfigurationError: the folder cannot be created.
    """
    client = open_client(settings, request_timeout_s=request_timeout_s, folder=folder)
    return ObjectStore(
        client, url_variable=settings.url_variable, request_timeout_s=request_timeout_s
    )


def _stored_object(listed: "ObjectMeta") -> StoredObject:
    return StoredObject(listed["path"], listed["size"])
