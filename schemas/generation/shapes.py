"""Pure: the objects inside events, each once, with a name and a module of its own.

Seventy events hold a list of teams, and all these teams look alike: they become one class. What
more than one family uses goes to the module ``shared``. A class is called after the member where
it was found (``teams``: ``Team``); where several members share it, after the words that their names
have in common (``invited_participant``, ``joining_participant``: ``Participant``); where a name
would stand for two shapes, the event goes before it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from .json_schema import Schema

shared_module: Final = "shared"


@dataclass(frozen=True, slots=True)
class Shape:
    """An object below ``payload.object``. ``places`` are the names of the members it stands in."""

    name: str
    module: str
    schema: Schema
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    event: str
    family: str
    place: str
    schema: Schema


def key_of(schema: Schema) -> str:
    """Return what two schemas have in common if and only if they are equal."""
    return json.dumps(schema, sort_keys=True)


def shapes(objects: Iterable[tuple[str, str, Schema]]) -> Mapping[str, Shape]:
    """Find all shapes, an inner one before the one that holds it.

    Args:
        objects: (class name of an event, its family, the schema of its ``payload.object``).

    Returns:
        By `key_of` its schema, each shape.
    """
    groups: dict[str, list[_Found]] = {}
    taken = set[str]()
    for event, family, schema in objects:
        taken |= {event, f"{event}Object"}
        for place, inner in _below(schema):
            groups.setdefault(key_of(inner), []).append(_Found(event, family, place, inner))
    names = {key: _common_name([found.place for found in group]) for key, group in groups.items()}
    modules = {key: _module(group) for key, group in groups.items()}
    uses = Counter((modules[key], name) for key, name in names.items())
    return {
        key: Shape(
            name=name if uses[modules[key], name] == 1 and name not in taken else first.event + name,
            module=modules[key],
            schema=first.schema,
            places=tuple(dict.fromkeys(found.place for found in group)),
        )
        for key, group in groups.items()
        for name, first in [(names[key], group[0])]
    }


def camel(name: str) -> str:
    """Write ``a_name`` as ``AName``."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _below(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield (member, schema) of each object inside another, inner ones first."""
    for name, member in cast("dict[str, Schema]", schema.get("properties", {})).items():
        while "items" in member:
            member = cast("Schema", member["items"])
        if "properties" in member:
            yield from _below(member)
            yield name, member


def _module(group: Sequence[_Found]) -> str:
    families = {found.family for found in group}
    return shared_module if len(families) > 1 else group[0].family


def _common_name(places: Sequence[str]) -> str:
    """Name a class after the words that the members have in common, at the end or at the start."""
    each = [_singular(place).split("_") for place in dict.fromkeys(places)]
    words = _common_start([name[::-1] for name in each])[::-1] or _common_start(each) or each[0]
    return camel("_".join(words))


def _common_start(names: Sequence[Sequence[str]]) -> list[str]:
    columns = zip(*names, strict=False)
    same = [len(set(column)) == 1 for column in columns]
    return list(names[0][: (*same, False).index(False)])


def _singular(name: str) -> str:
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")
