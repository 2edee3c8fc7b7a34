"""Pure: compares the accepted events with the stored events and the dead letters.

Every accepted event must be in the topic that ingest wrote, and from there in each store or in the
dead letters of a worker on the way. An event that is in neither is unaccounted for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredIds:
    """Event ids by store.

    ``accepted`` are those that Zoom's side saw acknowledged; None if there is no ledger, and the
    raw topics are the measure. ``dead_lettered`` maps a worker to the ids in its dead letters.
    """

    accepted: frozenset[str] | None
    in_topics: frozenset[str]
    in_stores: Mapping[str, frozenset[str]]
    dead_lettered: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accounting:
    """The result. ``missing`` maps a store to the ids that should be there, sorted."""

    accepted: int
    unaccounted: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether no accepted event is missing."""
        return not self.unaccounted


def account(stored_ids: StoredIds) -> Accounting:
    """Compare the accepted events with every store that must have them.

    A worker in ``dead_lettered`` that is not a store comes before all stores: its dead letters are
    expected in none. The dead letters of a sink are not expected in its store.
    """
    accepted = stored_ids.in_topics if stored_ids.accepted is None else stored_ids.accepted
    upstream = frozenset[str]().union(
        *(
            ids
            for worker, ids in stored_ids.dead_lettered.items()
            if worker not in stored_ids.in_stores
        )
    )
    missing = {"topics": accepted - stored_ids.in_topics}
    for store, stored in stored_ids.in_stores.items():
        own = stored_ids.dead_lettered.get(store, frozenset())
        missing[store] = accepted - stored - upstream - own
    return Accounting(
        accepted=len(accepted),
        unaccounted=tuple(sorted(frozenset().union(*missing.values()))),
        missing={store: tuple(sorted(ids)) for store, ids in missing.items()},
    )
