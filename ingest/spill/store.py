"""The stores of segments, a folder or a bucket: one for waiting segments, one for refused ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from ingest.spill.local import FolderSegments
from ingest.spill.remote import BucketSegments, open_prefix
from ingest.spill.settings import SpillSettings
from runtime.errors import ConfigurationError

_waiting: Final = "waiting"
_refused: Final = "refused"


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
    scheme, _, rest = settings.url.partition("://")
    if scheme == "file":
        waiting, refused = (FolderSegments(Path(rest) / name) for name in (_waiting, _refused))
        if successor_of is not None:
            waiting.make(successor_of=successor_of)
            refused.make(successor_of=successor_of)
        return SegmentStores(waiting, refused)
    bucket, _, prefix = rest.partition("/")
    return SegmentStores(
        _in_bucket(settings, bucket, f"{prefix}/{_waiting}"),
        _in_bucket(settings, bucket, f"{prefix}/{_refused}"),
    )


def _in_bucket(settings: SpillSettings, bucket: str, prefix: str) -> BucketSegments:
    store = open_prefix(settings, bucket=bucket, prefix=prefix.strip("/"))
    return BucketSegments(store, put_timeout_s=settings.deadline_s)
