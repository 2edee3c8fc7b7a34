"""Segments in object storage: one create-only put each."""

from runtime.object_store.errors import ObjectGoneError
from runtime.object_store.store import ObjectStore


class BucketSegments:
    """`ingest.spill.store.SegmentStore` in an object store.

    ``put_timeout_s`` is the time after which a put is of no use.
    """

    def __init__(self, store: ObjectStore, *, put_timeout_s: float) -> None:
        self._store = store
        self._put_timeout_s = put_timeout_s

    async def put(self, name: str, content: bytes) -> None:
        """See `SegmentStore.put`."""
        # One that exists is an attempt whose response was lost: the name ends with the digest.
        await self._store.create(name, content, timeout_s=self._put_timeout_s)

    async def get(self, name: str) -> bytes | None:
        """See `SegmentStore.get`."""
        try:
            return await self._store.get(name)
        except ObjectGoneError:
            return None

    async def delete(self, name: str) -> None:
        """See `SegmentStore.delete`."""
        await self._store.delete(name)

    async def sizes(self) -> dict[str, int]:
        """See `SegmentStore.sizes`."""
        return {each.path: each.size_bytes async for page in self._store.pages() for each in page}
