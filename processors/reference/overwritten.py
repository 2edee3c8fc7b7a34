"""Pure: finds entities whose newest state is followed by an older one in the reference topic.

Readers keep the newer state, but compaction keeps the last record: once it has run, only the older
state is left. Two writers that know nothing of each other can cause that: a lookup is asked before
a webhook comes, and published after it. So somebody must publish the newer state again, before the
topic's compaction lag is over; the active walker does.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from processors.entities.kinds import kinds
from processors.entities.table import ReferenceTable
from runtime.values import Delivery
from schemas.reference_record import Snapshot, as_of_ms, is_newer, read_key

_key_parts: Final = 3


class WatchedTable:
    """`runtime.contracts.Table` that hands all records to another, and notes what is overwritten.

    It keeps the newest time of each key, some 200 bytes.
    """

    def __init__(self, table: ReferenceTable, entities: Collection[str]) -> None:
        self._table = table
        self._entities = frozenset(entity.encode() for entity in entities)
        self._newest: dict[bytes, tuple[int, bool]] = {}
        self._overwritten: dict[bytes, None] = {}

    def __len__(self) -> int:
        """Return how many entities the table holds."""
        return len(self._table)

    @property
    def overwritten_count(self) -> int:
        """How many entities have an older state last."""
        return len(self._overwritten)

    def take(self, delivery: Delivery) -> None:
        """Take the next record.

        Raises:
            UnreadableRecordError: the key violates the contract.
        """
        self._table.take(delivery)
        key = delivery.key or b""
        if key.split(b":", _key_parts - 1)[1] not in self._entities:
            return
        moment_ms = as_of_ms(delivery.headers, timestamp_ms=delivery.timestamp_ms)
        newest = self._newest.get(key)
        is_gone = delivery.value is None
        if (
            newest is None
            or newest[0] == moment_ms
            or is_newer(moment_ms, newest[0], this_gone=is_gone)
        ):
            self._newest[key] = moment_ms, is_gone
            self._overwritten.pop(key, None)
        else:
            self._overwritten[key] = None

    def settle(self) -> bool:
        """Do a part of the table's work; return whether nothing is left of it."""
        return self._table.settle()

    def clear(self) -> None:
        """Forget everything."""
        self._table.clear()
        self._newest.clear()
        self._overwritten.clear()

    def corrections(self, most: int) -> Sequence[Snapshot]:
        """Return the newest states of some overwritten entities, those noted first.

        An entity stays overwritten until the topic brings its newest state again. Those that have
        left the table are forgotten, because nobody here knows their state any more.
        """
        return list(self._corrections(most))

    def _corrections(self, most: int) -> Iterator[Snapshot]:
        for raw in tuple(self._overwritten)[:most]:
            key = read_key(raw)
            held = self._table.get(*key)
            if held is None or held.as_of_ms != self._newest[raw][0]:
                del self._overwritten[raw]
                continue
            state = held.state
            if state is None or state.get(kinds[key.entity].id_field) == key.id:
                yield Snapshot(key, held.as_of_ms, state)
