"""Pure: the records of the reference topic: keys, values, and which of two states is the newer.

Several write that topic: the walk over Zoom's lists, webhooks, and single lookups. Each record says
as of when it holds: when Zoom was asked, or the time of the event that says so. Readers keep the
newer state of an entity; the order of the records does not matter to them. The time stands in the
header ``zcc-as-of`` too, because a tombstone has no value.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

import orjson

from .enriched_record import UnreadableRecordError, earliest_ms, latest_ms
from .envelope import JsonObject
from .headers import Headers, as_of_header, text, timestamp

_key_parts: Final = 3
_epoch: Final = datetime.fromtimestamp(0, UTC)
_millisecond: Final = timedelta(milliseconds=1)


class ReferenceKey(NamedTuple):
    """One entity of an account: ``user``, ``queue``, and so on, and its id in Zoom's API."""

    account_id: str
    entity: str
    id: str

    def encode(self) -> bytes:
        """Return the key of its records."""
        return f"{self.account_id}:{self.entity}:{self.id}".encode()


class Snapshot(NamedTuple):
    """The state of an entity at ``as_of_ms``, epoch milliseconds; None says that it is gone."""

    key: ReferenceKey
    as_of_ms: int
    state: JsonObject | None

    @property
    def headers(self) -> Headers:
        """The headers of its record."""
        return ((as_of_header, timestamp(self.as_of_ms).encode()),)

    @property
    def value(self) -> bytes | None:
        """The value of its record; None for a tombstone."""
        if self.state is None:
            return None
        return orjson.dumps(
            {
                "entity": self.key.entity,
                "account_id": self.key.account_id,
                "id": self.key.id,
                "as_of": timestamp(self.as_of_ms),
                "state": self.state,
            }
        )


def read_key(key: bytes | None) -> ReferenceKey:
    """Read the key of a record.

    Raises:
        UnreadableRecordError: it is not ``account_id:entity:id`` in UTF-8.
    """
    try:
        parts = (key or b"").decode().split(":", _key_parts - 1)
    except UnicodeDecodeError:
        parts = []
    if len(parts) != _key_parts or not all(parts):
        raise UnreadableRecordError("expected a key of account_id:entity:id")
    return ReferenceKey(*parts)


def as_of_ms(headers: Headers, *, timestamp_ms: int) -> int:
    """Return as of when a record holds, from its header; without a readable one its timestamp.

    Records of a former version have no such header: a tombstone then holds from when it was sent.
    """
    value = text(headers, as_of_header)
    moment = None if value is None else _epoch_ms(value)
    return timestamp_ms if moment is None else moment


@lru_cache(maxsize=4_096)  # a walk asks for many entities in one call
def _epoch_ms(value: str) -> int | None:
    """Read a time; None where it is none, or outside what stores can hold."""
    try:
        moment = (datetime.fromisoformat(value) - _epoch) // _millisecond
    except (ValueError, TypeError):  # TypeError: a time without a zone
        return None
    return moment if earliest_ms <= moment <= latest_ms else None


def is_newer(this_ms: int, other_ms: int, *, this_gone: bool) -> bool:
    """Return whether a state replaces another; of the same millisecond, only a deletion does."""
    return this_ms > other_ms or (this_ms == other_ms and this_gone)
