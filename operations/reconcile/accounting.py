"""Pure: is anything missing? Accepted events against what was stored or set aside.

Every accepted event must be in the topic that ingest wrote, and from there in each store, unless a
worker on the way set it aside. What is in neither is unaccounted for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredIds:
    """Event ids by the place where they were found.

    ``accepted`` are those that Zoom's side saw acknowledged; None where nobody kept a ledger, and
    the raw topics are the measure. ``set_aside`` maps a worker to the ids in its dead letters.
    """

    accepted: frozenset[str] | None
    in_topics: frozenset[str]
    in_stores: Mapping[str, frozenset[str]]
    set_aside: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accounting:
    """The result. ``missing`` maps a place to the ids that should be there, sorted."""

    accepted: int
    unaccounted: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]

    @property
    def complete(self) -> bool:
        """Whether every accepted event is where it belongs."""
        return not self.unaccounted


def account(found: StoredIds) -> Accounting:
    """Compare what was accepted with every place that must have it.

    The workers in ``set_aside`` that are no stores stand before all stores: what they set aside is
    expected in none. What a store set aside is not expected in that store.
    """
    accepted = found.in_topics if found.accepted is None else found.accepted
    upstream = frozenset[str]().union(
        *(ids for worker, ids in found.set_aside.items() if worker not in found.in_stores)
    )
    missing = {"topics": accepted - found.in_topics}
    for store, stored in found.in_stores.items():
        own = found.set_aside.get(store, frozenset())
        missing[store] = accepted - stored - upstream - own
    return Accounting(
        accepted=len(accepted),
        unaccounted=tuple(sorted(frozenset().union(*missing.values()))),
        missing={place: tuple(sorted(ids)) for place, ids in missing.items()},
    )
