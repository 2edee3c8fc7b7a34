"""Pure: which answers of Zoom are news, compared with what the reference topic holds.

Webhooks, the walk and lookups write that topic at the same time, so what is known may be newer than
an answer: it was asked before the other writer knew better. Such an answer is no news. A state that
a newer version of this program wrote may have further members; only the kept ones are compared.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from processors.entities.kind import Kind
from schemas.envelope import JsonObject
from schemas.reference_record import ReferenceKey, Snapshot, is_newer


class KnownEntity(Protocol):
    """The newest known state of an entity, as of ``as_of_ms``, epoch milliseconds."""

    @property
    def as_of_ms(self) -> int:
        """As of when the state holds."""
        ...

    @property
    def state(self) -> JsonObject | None:
        """The state; None where the entity is gone."""
        ...


class KnownEntities(Protocol):
    """What the reference topic holds; `processors.entities.table.ReferenceTable` follows it."""

    def get(self, account_id: str, entity: str, id_: str) -> KnownEntity | None:
        """Return the newest state of an entity; None where nothing is known."""
        ...

    def ids(self, account_id: str, entity: str) -> Collection[str]:
        """Return the ids of all entities of a kind that exist."""
        ...


class Account(NamedTuple):
    """The account that the answers are about, and what is known of it."""

    id: str
    known: KnownEntities

    def held(self, kind: Kind, id_: str) -> KnownEntity | None:
        """Return what is known of an entity by this id; aliases of others do not count."""
        entry = self.known.get(self.id, kind.entity, id_)
        state = None if entry is None else entry.state
        if state is not None and state.get(kind.id_field) != id_:
            return None
        return entry

    def own_id(self, kind: Kind, id_: str) -> str:
        """Return the id that the topic has for an entity, given any of its ids."""
        entry = self.known.get(self.id, kind.entity, id_)
        state = None if entry is None else entry.state
        own = None if state is None else state.get(kind.id_field)
        return own if isinstance(own, str) else id_

    def news(self, kind: Kind, id_: str, state: JsonObject, as_of: datetime) -> Snapshot | None:
        """Return the snapshot to publish; None where it says nothing new, or is old itself."""
        as_of_ms, held = epoch_ms(as_of), self.held(kind, id_)
        if held is not None:
            if not is_newer(as_of_ms, held.as_of_ms, this_gone=False):
                return None
            if held.state is not None and kept_of(kind, held.state) == state:
                return None
        return Snapshot(ReferenceKey(self.id, kind.entity, id_), as_of_ms, state)

    def gone(self, kind: Kind, id_: str, as_of_ms: int) -> Snapshot | None:
        """Return the tombstone to publish; None where the entity is known to be gone, or newer."""
        held = self.held(kind, id_)
        if held is not None and (
            held.state is None or not is_newer(as_of_ms, held.as_of_ms, this_gone=True)
        ):
            return None
        return Snapshot(ReferenceKey(self.id, kind.entity, id_), as_of_ms, None)


def kept_of(kind: Kind, state: JsonObject) -> JsonObject:
    """Return the kept members of a stored state."""
    return {name: state[name] for name in kind.kept if name in state}


def epoch_ms(moment: datetime) -> int:
    """Return an aware time in epoch milliseconds."""
    return int(moment.timestamp() * 1000)
