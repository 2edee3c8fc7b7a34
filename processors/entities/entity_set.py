"""Pure: the entities of one kind and one account, by id and by alias."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast

import orjson

from processors.entities.alias_index import AliasIndex
from processors.entities.fields import Fragment
from schemas.enriched_record import UnreadableRecordError
from schemas.envelope import JsonObject

_minute_ms: Final = 60_000
_entry_bytes: Final = 320
"""Memory of an entry besides its texts: the object, its numbers, its part of the dict.

Measured, as is the next one: `benchmarks/results/reference_table.json`.
"""
_alias_bytes: Final = 190

Project = Callable[[JsonObject], Fragment]


@dataclass(slots=True)
class Size:
    """Bytes of memory, about."""

    bytes: int = 0


class Entry:
    """The newest known state of an entity, as of ``as_of_ms``; a newer one has another entry."""

    __slots__ = ("_fragment", "_project", "_size", "_value", "aliases", "as_of_ms", "is_used")

    def __init__(self, as_of_ms: int, value: bytes | None, size: Size) -> None:
        self.as_of_ms = as_of_ms
        self.aliases: tuple[str, ...] = ()
        self.is_used = False
        """Whether it was looked up since the last search for entries to drop."""
        self._value = value
        self._size = size
        self._fragment: Fragment | None = None
        self._project: Project | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the entity was deleted."""
        return self._value is None

    @property
    def state(self) -> JsonObject | None:
        """The state, parsed anew; None where the entity is gone."""
        return None if self._value is None else state_in(self._value)

    def fragment(self, project: Project) -> Fragment | None:
        """Return what ``project`` makes of the state; None where the entity is gone.

        It is kept for further calls with the same ``project``, which has to be the same object.
        """
        if self._project is not project:
            state = self.state
            fragment = None if state is None else project(state)
            self._size.bytes += sum(map(len, fragment or ())) - sum(map(len, self._fragment or ()))
            self._project, self._fragment = project, fragment
        return self._fragment

    def leave(self) -> None:
        """Note that no set holds it any more, so that what is kept here counts no more."""
        self._size = Size()

    def size_bytes(self, id_: str) -> int:
        """Return its memory, about."""
        aliases = sum(_alias_bytes + len(alias) for alias in self.aliases)
        fragment = sum(map(len, self._fragment or ()))
        return _entry_bytes + len(id_) + len(self._value or b"") + fragment + aliases


def state_in(value: bytes) -> JsonObject:
    """Read the state in the value of a record.

    Raises:
        UnreadableRecordError: it is not an object with an object ``state``.
    """
    try:
        members = orjson.loads(value)
    except orjson.JSONDecodeError:
        members = None
    state = members.get("state") if isinstance(members, dict) else None
    if not isinstance(state, dict):
        raise UnreadableRecordError("expected a JSON object with a state, an object")
    return cast("JsonObject", state)


class EntitySet:
    """The entities of one kind and one account, by id. The memory of all adds to ``size``."""

    def __init__(self, size: Size) -> None:
        self.entries: dict[str, Entry] = {}
        self.minutes: dict[int, int] = {}
        """How many entities that exist hold as of each minute since the epoch."""
        self._aliases = AliasIndex()
        self._size = size

    def find(self, id_: str) -> Entry | None:
        """Return the entity with this id or alias, an alias in any letter case.

        Of several with one alias it is the newest. One that is gone counts where no other exists.
        """
        entry = self.entries.get(id_)
        if entry is not None and not entry.is_gone:
            return entry
        ids = self._aliases.ids(id_) or self._aliases.ids(id_.lower())
        named = [(self.entries[each].as_of_ms, each) for each in ids]
        return self.entries[max(named)[1]] if named else entry

    def present(self) -> Iterator[str]:
        """Yield the ids of the entities that exist."""
        return (id_ for id_, entry in self.entries.items() if not entry.is_gone)

    def put(self, id_: str, entry: Entry) -> None:
        """Put an entry in the place of an earlier one."""
        if id_ in self.entries:
            entry.is_used = self.entries[id_].is_used
            self.remove(id_)
        self.entries[id_] = entry
        self._size.bytes += entry.size_bytes(id_)
        for alias in entry.aliases:
            self._aliases.add(alias, id_)
        if not entry.is_gone:
            minute = entry.as_of_ms // _minute_ms
            self.minutes[minute] = self.minutes.get(minute, 0) + 1

    def remove(self, id_: str) -> None:
        """Remove an entry that is there."""
        entry = self.entries.pop(id_)
        self._size.bytes -= entry.size_bytes(id_)
        entry.leave()
        for alias in entry.aliases:
            self._aliases.remove(alias, id_)
        if not entry.is_gone:
            minute = entry.as_of_ms // _minute_ms
            self.minutes[minute] -= 1
            if not self.minutes[minute]:
                del self.minutes[minute]


def as_of_range(sets: Mapping[object, EntitySet]) -> tuple[int, int] | None:
    """Return as of when the oldest and the newest entity of some sets hold, to a minute."""
    minutes = [minute for each in sets.values() for minute in each.minutes]
    return (min(minutes) * _minute_ms, max(minutes) * _minute_ms) if minutes else None
