"""The stores of segments, a folder or a bucket: one for waiting segments, one for refused ones."""

from dataclasses import dataclass
from typing import Final, Protocol, assert_never

from ingest.spill.local import FolderSegments
from ingest.spill.remote import BucketSegments
from ingest.spill.settings import SpillSettings
from runtime.errors import ConfigurationError
from runtime.object_store.settings import BucketLocation, FolderLocation
from runtime.object_store.store import open_object_store

_waiting: Final = "waiting"
_refused: Final = "refused"
_request_timeout_s: Final = 10.0
"""For all requests to a bucket but put: no webhook waits for them."""


class SegmentStore(Protocol):
    """Files by name, without folders.

    Every call raises TransientError if the store does not answer or has no room, and
    ConfigurationError if it is not set up or refuses. The call may have been carried out then.
    """

    async def put(self, name: str, content: bytes) -> None:
        """Return once the content is durable. A file of this name already has this content."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Return the content, None if it is gone."""
        ...

    async def delete(self, name: str) -> None:
        """Delete it, if it is there."""
        ...

    async def sizes(self) -> dict[str, int]:
        """Return the size in bytes of each durable file, by name."""
        ...


@dataclass(frozen=True, slots=True)
class SegmentStores:
    """``waiting``: to be produced. ``refused``: refused by the broker for good."""

    waiting: SegmentStore
    refused: SegmentStore


def open_stores(settings: SpillSettings, *, successor_of: str | None = None) -> SegmentStores:
    """Return the stores below the URL. No server is contacted.

    With ``successor_of``, a folder is made, and the half-written files of that earlier process are
    removed from it.

    Raises:
        ConfigurationError: there is no URL, or the folder cannot be made.
    """
    if not settings.url:
        raise ConfigurationError("ZCC_SPILL_URL is empty: nothing is spilled")
    match settings.location:
        case FolderLocation(path):
            waiting, refused = (FolderSegments(path / name) for name in (_waiting, _refused))
            if successor_of is not None:
                waiting.make(successor_of=successor_of)
                refused.make(successor_of=successor_of)
            return SegmentStores(waiting, refused)
        case BucketLocation():
            return SegmentStores(_in_bucket(settings, _waiting), _in_bucket(settings, _refused))
        case _ as never:
            assert_never(never)


def _in_bucket(settings: SpillSettings, folder: str) -> BucketSegments:
    store = open_object_store(settings, request_timeout_s=_request_timeout_s, folder=folder)
    return BucketSegments(store, put_timeout_s=settings.deadline_s)
