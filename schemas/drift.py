"""Pure: where a body departs from the contract. It is measured, and never a reason to refuse.

The JSON Schema of an event is compiled once into nodes with exactly the data of the check, so that
checking takes a few microseconds: it compares dictionaries and types, and creates no text for a
conforming body. Times are part of the type: a text that is not a time, in place of a ``date-time``,
is a wrong type. Other formats and bounds are not worth their cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Final, NamedTuple, cast

from .catalogue import events, json_schema

Schema = Mapping[str, object]
Body = Mapping[str, object]


class DriftKind(StrEnum):
    """How a body departs from the contract; a closed set for labels."""

    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_ENUM_VALUE = "unknown_enum_value"
    WRONG_TYPE = "wrong_type"
    MISSING_REQUIRED = "missing_required"
    UNKNOWN_EVENT = "unknown_event"


class Drift(NamedTuple):
    """One departure.

    ``pointer`` has the name of each member on the way, and ``[]`` for the items of an array.
    ``value`` is what stands there, None where it is missing, the whole body of an unknown event; it
    may be personal and is not for logs.
    """

    kind: DriftKind
    pointer: tuple[str, ...]
    value: object

    @property
    def path(self) -> str:
        """The pointer as text."""
        return path_of(self.pointer)


@dataclass(frozen=True, slots=True)
class Contract:
    """A compiled schema. ``types`` are orjson's for the JSON types, None where any is allowed.

    ``members`` and ``items`` are None where the schema says nothing of inner values. Known values
    apply only to values of their own types. ``is_plain``: only the type is checked.
    """

    pointer: tuple[str, ...]
    types: frozenset[type] | None
    known_values: frozenset[object]
    known_types: frozenset[type]
    is_time: bool
    members: Mapping[str, "Contract"] | None
    required: frozenset[str]
    items: "Contract | None"
    is_plain: bool


_types: Final[Mapping[str, type]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": NoneType,
}


def drift_of(body: Body, event: str) -> Sequence[Drift]:
    """Return all departures of a parsed body from the contract of its event.

    An unknown event is one departure, with any content.
    """
    if event not in events:
        return (Drift(DriftKind.UNKNOWN_EVENT, ("event",), body),)
    return departures(body, _contract_of(event))


def path_of(pointer: Sequence[str]) -> str:
    """Return a pointer as text: ``payload.object.users[].user_id``."""
    return ".".join(pointer).replace(".[]", "[]")


def departures(body: Body, contract: Contract) -> Sequence[Drift]:
    """Return the departures of a parsed JSON object from a compiled schema of an object."""
    drifts: list[Drift] = []
    _check_members(body, contract, drifts)
    return drifts


def compiled(schema: Schema, pointer: tuple[str, ...] = ()) -> Contract:
    """Compile a schema of ours; ``pointer`` is the address of its value."""
    members = cast("Mapping[str, Schema] | None", schema.get("properties"))
    items = cast("Schema | None", schema.get("items"))
    known = cast("Sequence[object]", schema.get("x-known-values", ()))
    is_time = schema.get("format") == "date-time"
    return Contract(
        pointer,
        _types_of(schema.get("type")),
        frozenset(known),
        frozenset(map(type, known)),
        is_time,
        _compiled_members(members, pointer) if members else None,
        frozenset(cast("Sequence[str]", schema.get("required", ()))),
        compiled(items, (*pointer, "[]")) if items else None,
        is_plain=not (known or is_time or members or items),
    )


def _compiled_members(
    members: Mapping[str, Schema], pointer: tuple[str, ...]
) -> Mapping[str, Contract]:
    return {name: compiled(schema, (*pointer, name)) for name, schema in members.items()}


def _types_of(names: object) -> frozenset[type] | None:
    if names is None:
        return None
    each = [names] if isinstance(names, str) else cast("Sequence[str]", names)
    return frozenset(_types[name] for name in each)


@cache
def _contract_of(event: str) -> Contract:
    return compiled(json_schema(event))


def _check_members(value: Body, contract: Contract, drifts: list[Drift]) -> None:
    members = contract.members
    if members is None:
        return
    for name, child in value.items():
        member = members.get(name)
        if member is None:
            drifts.append(Drift(DriftKind.UNKNOWN_FIELD, (*contract.pointer, name), child))
        elif not member.is_plain or member.types is None or type(child) not in member.types:
            _check(child, member, drifts)
    if not value.keys() >= contract.required:
        drifts.extend(
            Drift(DriftKind.MISSING_REQUIRED, (*contract.pointer, name), None)
            for name in sorted(contract.required - value.keys())
        )


def _check(value: object, contract: Contract, drifts: list[Drift]) -> None:
    if not _is_of_type(value, contract):
        drifts.append(Drift(DriftKind.WRONG_TYPE, contract.pointer, value))
    elif isinstance(value, dict):
        _check_members(value, contract, drifts)
    elif isinstance(value, list):
        if contract.items is not None:
            for item in value:
                _check(item, contract.items, drifts)
    elif type(value) in contract.known_types and value not in contract.known_values:
        drifts.append(Drift(DriftKind.UNKNOWN_ENUM_VALUE, contract.pointer, value))


def _is_of_type(value: object, contract: Contract) -> bool:
    types = contract.types
    if types is None:
        return True
    if type(value) in types:
        return not contract.is_time or not isinstance(value, str) or is_time(value)
    # JSON does not distinguish a whole number of either type.
    if type(value) is int:
        return float in types
    return isinstance(value, float) and value.is_integer() and int in types


def is_time(text: str) -> bool:
    """Return whether text is a time as `schemas.identity` reads it."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
