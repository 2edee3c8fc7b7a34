"""Pure: the distinct objects inside events, each with its class name and module.

Seventy events hold a list of teams, and all these teams have one schema: they become one class.
Classes of more than one family go to the module ``shared``. A class is named after its member
(``teams``: ``Team``). Where several members share it, it is named after their common words
(``invited_participant``, ``joining_participant``: ``Participant``). No name is ambiguous in any
module: the most used class keeps it, and the others get their event's name as a prefix.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, cast

from .json_schema import Schema

shared_module: Final = "shared"


@dataclass(frozen=True, slots=True)
class Shape:
    """An object below ``payload.object``, and the class that it becomes.

    ``member_path`` is the first member that holds it, with ``[]`` appended for an item of an array.
    ``elsewhere`` says that members of another name hold the same.
    """

    name: str
    module: str
    schema: Schema
    member_path: str
    elsewhere: bool


@dataclass(frozen=True, slots=True)
class _Occurrence:
    event: str
    family: str
    member_path: str
    schema: Schema


def shapes(objects: Iterable[tuple[str, str, Schema]]) -> Mapping[str, Shape]:
    """Return all shapes, inner ones before outer ones.

    Args:
        objects: (class name of an event, its family, the schema of its ``payload.object``).

    Returns:
        Each shape, by `key_of` its schema.
    """
    groups: dict[str, list[_Occurrence]] = {}
    taken = set[str]()
    for event, family, schema in objects:
        taken |= {event, f"{event}Object"}
        for member_path, inner in _below(schema):
            groups.setdefault(key_of(inner), []).append(
                _Occurrence(event, family, member_path, inner)
            )
    names = _class_names(groups, taken)
    return {
        key: Shape(
            names[key],
            _module(group),
            group[0].schema,
            group[0].member_path,
            elsewhere=len({each.member_path for each in group}) > 1,
        )
        for key, group in groups.items()
    }


def key_of(schema: Schema) -> str:
    """Return a key that two schemas share if and only if they are equal."""
    return json.dumps(schema, sort_keys=True)


def camel(name: str) -> str:
    """Write ``a_name`` as ``AName``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _below(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield (member, schema) of each object inside another, inner ones first."""
    for name, member in cast("dict[str, Schema]", schema.get("properties", {})).items():
        member_path, inner = name, member
        while "items" in inner:
            member_path, inner = f"{member_path}[]", cast("Schema", inner["items"])
        if "properties" in inner:
            yield from _below(inner)
            yield member_path, inner


def _module(group: Sequence[_Occurrence]) -> str:
    families = {each.family for each in group}
    return shared_module if len(families) > 1 else group[0].family


def _class_names(groups: Mapping[str, Sequence[_Occurrence]], taken: set[str]) -> dict[str, str]:
    """Return a name for each group that differs from all others and from those in ``taken``."""
    wanted = {key: _common_name(group) for key, group in groups.items()}
    names: dict[str, str] = {}
    for key, group in groups.items():
        same_named = [k for k, name in wanted.items() if name == wanted[key] and k != key]
        first = all(len(groups[other]) < len(group) for other in same_named)
        plain = wanted[key] if first else group[0].event + wanted[key]
        numbered = (plain + (str(number) if number > 1 else "") for number in count(1))
        names[key] = next(name for name in numbered if name not in taken)
        taken.add(names[key])
    return names


def _common_name(group: Sequence[_Occurrence]) -> str:
    """Join the common words of the members, at the end or else at the start."""
    each = [
        _singular(member_path).split("_")
        for member_path in dict.fromkeys(f.member_path for f in group)
    ]
    words = _common_start([name[::-1] for name in each])[::-1] or _common_start(each) or each[0]
    return camel("_".join(words))


def _common_start(names: Sequence[Sequence[str]]) -> list[str]:
    same = [len(set(column)) == 1 for column in zip(*names, strict=False)]
    return list(names[0][: [*same, False].index(False)])


def _singular(member_path: str) -> str:
    name = member_path.rstrip("[]")
    return name if name == member_path else name.removesuffix("s")
