"""Pure: paths of ids, compiled into one tree per event, and what an object has at them.

The tree visits each object on the way once, so that a typical event costs less than three
microseconds.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from processors.entities.references import (
    Entity,
    EntityReference,
    deprecated_ids,
    ids,
    members_of_known_events,
    owners,
)
from schemas.envelope import JsonObject
from zoom.entity_ids import longest_id

_owner: Final = "owner_id"
_new: Final = tuple.__new__
"""Creates a reference in half the time of its class."""


class Branch(NamedTuple):
    """What to read of an object.

    ``ids`` has the member, the deprecated one for the same entity, and the kind; ``inner`` the
    members that hold an object, or an array of them. ``owners``: kinds by ``owner_type``.
    """

    ids: tuple[tuple[str, str | None, Entity], ...]
    owners: Mapping[str, Entity]
    inner: "tuple[tuple[str, Branch], ...]"


def branch_of(paths: Iterable[str], kinds: Collection[Entity]) -> Branch:
    """Compile paths such as ``updates.role_id``; those to other kinds of entities are left out.

    Raises:
        KeyError: a path ends in a member that names no kind of entity.
    """
    named: list[tuple[str, str | None, Entity]] = []
    owned: Mapping[str, Entity] = {}
    inner: dict[str, list[str]] = {}
    for path in paths:
        member, _, rest = path.partition(".")
        name = member.removesuffix("[]")
        if rest:
            inner.setdefault(name, []).append(rest)
        elif name == _owner:
            owned = {type_: kind for type_, kind in owners.items() if kind in kinds}
        elif (kind := members_of_known_events[name]) in kinds:
            named.append((name, deprecated_ids.get(name), kind))
    branches = ((name, branch_of(rests, kinds)) for name, rests in inner.items())
    return Branch(tuple(named), owned, tuple(each for each in branches if any(each[1])))


def collect(branch: Branch, entity: JsonObject, into: dict[EntityReference, None]) -> None:
    """Add what an object names, in order."""
    read = entity.get
    for member, deprecated, kind in branch.ids:
        value = read(member)
        if deprecated is not None and (not value or type(value) is not str):
            value = read(deprecated)
        if type(value) is str:
            if 0 < len(value) <= longest_id:
                into[_new(EntityReference, (kind, value))] = None
        elif value is not None:
            into.update((EntityReference(kind, id_), None) for id_ in ids(value))
    if branch.owners:
        _collect_owner(branch.owners, entity, into)
    for member, inner in branch.inner:
        value = read(member)
        for item in value if type(value) is list else (value,):
            if type(item) is dict:
                collect(inner, item, into)


def _collect_owner(
    owners_: Mapping[str, Entity], entity: JsonObject, into: dict[EntityReference, None]
) -> None:
    type_ = entity.get("owner_type")
    kind = owners_.get(type_) if isinstance(type_, str) else None
    if kind is not None:
        into.update((EntityReference(kind, id_), None) for id_ in ids(entity.get(_owner)))
