"""Pure: a bounded cache of the most recently used answers; old ones stay until replaced."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class CacheEntry(Generic[Value]):
    """An answer, and the time from which it is old.

    ``value`` None says that the entity does not exist, or with a ``failure`` that the answer is
    unknown.
    """

    value: Value | None
    fresh_until_s: float
    failure: Exception | None = None


class RecentAnswers(Generic[Key, Value]):
    """At most ``bound`` entries; the least recently used is evicted."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._entries: OrderedDict[Key, CacheEntry[Value]] = OrderedDict()

    def get(self, key: Key) -> CacheEntry[Value] | None:
        """Return the entry, of any age; this counts as a use."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: CacheEntry[Value]) -> None:
        """Add or replace an entry."""
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._bound:
            self._entries.popitem(last=False)
