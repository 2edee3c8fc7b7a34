"""Pure: the reference topic in memory: the newest state of each entity, bounded in bytes.

`runtime.tables` follows the topic. Of each entity the state with the newest ``as_of`` counts, in
whichever order the records come. A deletion is remembered like a state, so that an older state that
is written after it does not bring the entity back.

A record is only compared when it is taken, and parsed when the table settles: at a start most
records are old versions. Until then lookups find the state before. A value that cannot be read
leaves the state before in place.

Above the bound, entries that were not looked up since the last search leave (the clock algorithm,
second chance), and so does what is known of their age.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from processors.entities.entity_set import EntitySet, Entry, Size, as_of_range, state_in
from runtime.values import Delivery
from schemas.enriched_record import UnreadableRecordError
from schemas.envelope import JsonObject
from schemas.reference_record import as_of_ms, is_newer, read_key

_settled_at_once: Final = 500
"""Records parsed by one call of `settle`, some milliseconds."""
_pending_bytes: Final = 250
"""Memory of a record that waits besides its key and value; measured."""
_key_parts: Final = 3

Aliases = Callable[[str, str, JsonObject], Iterable[str]]
"""Returns the other ids of an entity, from its kind, its id and its state."""


def no_aliases(_entity: str, _id: str, _state: JsonObject) -> Iterable[str]:
    """Return no other ids."""
    return ()


class ReferenceTable:
    """`runtime.contracts.TopicTable` of the reference topic; records of other kinds are ignored.

    An alias is found in any letter case if it is in lower case itself.
    """

    def __init__(
        self, limit_bytes: int, *, kinds: Collection[str], aliases: Aliases = no_aliases
    ) -> None:
        self.evicted_count = 0
        """How many entries have left because of the bound."""
        self._limit_bytes = limit_bytes
        self._kinds = frozenset(kind.encode() for kind in kinds)
        self._aliases = aliases
        self._held = Size()
        self.clear()

    def clear(self) -> None:
        """Forget everything but the count of evicted entries."""
        self._held.bytes = 0
        self._waiting_bytes = 0
        self._waiting: dict[bytes, tuple[int, bytes | None]] = {}
        self._sets: dict[tuple[str, str], EntitySet] = {}
        self._count = 0
        self._clock = self._hand()

    def __len__(self) -> int:
        """Return how many entities it holds, deleted ones included."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """Memory of what it holds, about."""
        return self._held.bytes + self._waiting_bytes

    def get(self, account_id: str, entity: str, id_: str) -> Entry | None:
        """Return the newest state of an entity by one of its ids; None where nothing is known.

        The entry of a deleted entity has no state.
        """
        entities = self._sets.get((account_id, entity))
        entry = None if entities is None else entities.find(id_)
        if entry is not None:
            entry.is_used = True
        return entry

    def ids(self, account_id: str, entity: str) -> Collection[str]:
        """Return the ids of all entities of a kind that exist; aliases are not among them."""
        entities = self._sets.get((account_id, entity))
        return () if entities is None else tuple(entities.present())

    def as_of_range(self, entity: str) -> tuple[int, int] | None:
        """Return as of when the oldest and the newest state of a kind hold, in all accounts.

        Epoch milliseconds, rounded down to the minute; None where no entity of the kind exists.
        """
        return as_of_range({key: each for key, each in self._sets.items() if key[1] == entity})

    def take(self, delivery: Delivery) -> None:
        """Take a record; `settle` puts it in its place.

        Raises:
            UnreadableRecordError: the key violates the contract.
        """
        key, value = delivery.key or b"", delivery.value
        parts = key.split(b":", _key_parts - 1)
        if len(parts) != _key_parts:
            raise UnreadableRecordError("expected a key of account_id:entity:id")
        if parts[1] not in self._kinds:
            return
        moment_ms = as_of_ms(delivery.headers, timestamp_ms=delivery.timestamp_ms)
        before = self._waiting.get(key)
        if before is None:
            grown_bytes = _pending_bytes + len(key)
        elif is_newer(moment_ms, before[0], this_gone=value is None):
            grown_bytes = -len(before[1] or b"")
        else:
            return
        self._waiting[key] = (moment_ms, value)
        self._waiting_bytes += grown_bytes + len(value or b"")
        if self._held.bytes + self._waiting_bytes > self._limit_bytes:
            self._make_room()

    def settle(self) -> bool:
        """Put some of the records in their places; return whether none is left.

        Raises:
            UnreadableRecordError: one violates the contract, and is gone; call again.
        """
        for _ in range(min(_settled_at_once, len(self._waiting))):
            self._settle_one()
        self._make_room()
        return not self._waiting

    def _settle_one(self) -> None:
        key, (moment_ms, value) = self._waiting.popitem()
        if not self._waiting:
            self._waiting = {}  # an emptied dict keeps its memory
        self._waiting_bytes -= _pending_bytes + len(key) + len(value or b"")
        account_id, entity, id_ = read_key(key)
        entities = self._sets.setdefault((account_id, entity), EntitySet(self._held))
        held = entities.entries.get(id_)
        if held is not None and not is_newer(moment_ms, held.as_of_ms, this_gone=value is None):
            return
        entry = Entry(moment_ms, value, self._held)
        if value is not None:
            aliases = self._aliases(entity, id_, state_in(value))
            entry.aliases = tuple(alias for alias in aliases if alias != id_)
        entities.put(id_, entry)
        self._count += held is None

    def _make_room(self) -> None:
        """Drop entries until the bound holds; what waits has to be put in its place for that."""
        while self.size_bytes > self._limit_bytes:
            if self._count:
                entities, id_ = next(self._clock)
                entities.remove(id_)
                self._count -= 1
                self.evicted_count += 1
            else:
                self._settle_one()

    def _hand(self) -> Iterator[tuple[EntitySet, str]]:
        """Yield entries to drop, in turn those that were not used since their last turn."""
        while True:
            for entities in tuple(self._sets.values()):
                for id_ in tuple(entities.entries):
                    entry = entities.entries[id_]  # none leaves but by this hand
                    if entry.is_used:
                        entry.is_used = False
                    else:
                        yield entities, id_
