"""Where segments are kept: a folder or a bucket, each with a place for those that were refused."""

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

    Every call raises TransientError where the store does not answer or has no room, and
    ConfigurationError where it is not set up or refuses; nobody knows then whether it was done.
    """

    async def put(self, name: str, content: bytes) -> None:
        """Return once the content is durable. What is there under this name has this content."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Return the content, None where it is gone."""
        ...

    async def delete(self, name: str) -> None:
        """Take it away, if it is there."""
        ...

    async def sizes(self) -> dict[str, int]:
        """Return the bytes of each that is durable, by name."""
        ...


@dataclass(frozen=True, slots=True)
class SegmentStores:
    """``waiting``: to be produced. ``refused``: what the broker will never take as it is."""

    waiting: SegmentStore
    refused: SegmentStore


def open_places(settings: SpillSettings, *, successor_of: str | None = None) -> SegmentStores:
    """Return the places below the URL. No server is contacted.

    For the process that follows ``successor_of`` a folder is made, and what that one has left half
    written in it is taken away.

    Raises:
        ConfigurationError: there is no URL, or the folder cannot be made.
    """
    if not settings.url:
        raise ConfigurationError("ZCC_SPILL_URL is empty: nothing is spilled")
    scheme, _, rest = settings.url.partition("://")
    if scheme == "file":
        waiting, refused = (FolderSegments(Path(rest) / place) for place in (_waiting, _refused))
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
