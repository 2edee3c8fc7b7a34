"""Builds webhook bodies from facts, guided by the schemas, so that no event needs its own code.

A scenario keeps a set of facts under the names that the schemas use: ``user_id``, ``queue_name``,
``task_status``. Each member of an event's schema takes the fact of its name, so all events of a
scenario agree. Three rules produce the mix of a real account:

1. required members are always present; without a fact, the schema determines an invented value;
2. optional ones are present when given for this very event, else usually, deprecated ones
   sometimes;
3. a value outside the known values of an optional member is left out, as a voice call has no
   ``channel_source``; for a required member it is a mistake of the scenario, and raises.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final, cast

import orjson

from schemas.catalogue import json_schema
from simulator.synthetic_values import opaque_id, to_the_millisecond

Facts = Mapping[str, object]
Schema = Mapping[str, object]

usual_chance: Final = 0.92
deprecated_chance: Final = 0.2
shuffled_chance: Final = 0.15
escaped_chance: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of ``payload.object``; the known values of an array are those of its items."""

    name: str
    required: bool
    deprecated: bool
    known_values: frozenset[object] | None
    schema: Schema

    def admits(self, value: object) -> bool:
        if self.known_values is None:
            return True
        return self.known_values.issuperset(value if isinstance(value, list) else (value,))


def payload_object(event: str, *, facts: Facts, known: Facts, rng: Random) -> dict[str, object]:
    """Return ``payload.object`` of an event.

    Args:
        event: full name.
        facts: of this event; its schema must have them. None leaves a member out.
        known: facts of the scenario; those without a member in the event are ignored.
        rng: decides which optional members are present.

    Raises:
        KeyError: the event is unknown.
        ValueError: a fact has no member, or a required member cannot hold its value.
    """
    members = _members(event)
    if not facts.keys() <= members.keys():
        raise ValueError(f"{event}: expected members of its schema, got {sorted(facts)}")
    values = ((member.name, _value(member, facts, known, rng)) for member in members.values())
    return {name: value for name, value in values if value is not None}


def invented(event: str, member: str, rng: Random) -> object:
    """Invent a value for one member of an event from its schema, with all members below it."""
    return _invent(member, _members(event)[member].schema, rng)


def invented_members(event: str, rng: Random) -> dict[str, object]:
    """Invent all members of an event that are not deprecated."""
    return {
        name: _invent(name, member.schema, rng)
        for name, member in _members(event).items()
        if not member.deprecated
    }


def render(event: str, *, event_ts_ms: int, account_id: str, entity: Facts, rng: Random) -> bytes:
    """Encode a body as a sender may: compact, members in any order, characters escaped or not."""
    style = rng.random()
    if style < shuffled_chance:
        shuffled = dict(rng.sample(list(entity.items()), len(entity)))
        payload = {"object": shuffled, "account_id": account_id}
        return orjson.dumps({"payload": payload, "event_ts": event_ts_ms, "event": event})
    body = {
        "event": event,
        "event_ts": event_ts_ms,
        "payload": {"account_id": account_id, "object": entity},
    }
    if style > 1 - escaped_chance:
        return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()
    return orjson.dumps(body)


@cache
def _members(event: str) -> dict[str, _Member]:
    schema = json_schema(event)
    for step in ("payload", "object"):
        schema = cast("Mapping[str, Schema]", schema["properties"])[step]
    required = cast("list[str]", schema.get("required", []))
    properties = cast("Mapping[str, Schema]", schema["properties"])
    return {
        name: _member(name, member, required=name in required)
        for name, member in properties.items()
    }


def _member(name: str, schema: Schema, *, required: bool) -> _Member:
    values = cast("Schema", schema.get("items", schema)).get("x-known-values")
    return _Member(
        name,
        required,
        bool(schema.get("deprecated")),
        None if values is None else frozenset(cast("list[object]", values)),
        schema,
    )


def _value(member: _Member, facts: Facts, known: Facts, rng: Random) -> object:
    """Return the value of a member, or None where it is left out."""
    for_this_event = member.name in facts
    value = facts[member.name] if for_this_event else known.get(member.name)
    if value is None:
        return _invent(member.name, member.schema, rng) if member.required else None
    if not member.admits(value):
        if member.required:
            raise ValueError(f"{member.name}: expected a known value, got {value!r}")
        return None
    if member.required or (for_this_event and not member.deprecated):
        return value
    chance = deprecated_chance if member.deprecated else usual_chance
    return value if rng.random() < chance else None


def _invent(name: str, schema: Schema, rng: Random) -> object:
    if values := schema.get("x-known-values"):
        return rng.choice(cast("list[object]", values))
    return _inventors[cast("str", schema.get("type", "object"))](name, schema, rng)


def _invent_object(_name: str, schema: Schema, rng: Random) -> object:
    properties = cast("Mapping[str, Schema]", schema["properties"])
    return {name: _invent(name, member, rng) for name, member in properties.items()}


def _invent_array(name: str, schema: Schema, rng: Random) -> object:
    return [_invent(name, cast("Schema", schema["items"]), rng)]


def _invent_integer(_name: str, schema: Schema, rng: Random) -> object:
    low, high = cast("int", schema.get("minimum", 1)), cast("int", schema.get("maximum", 60))
    return rng.randint(low, high)


def _invent_boolean(_name: str, _schema: Schema, rng: Random) -> object:
    return rng.random() < 0.5  # noqa: PLR2004 - a coin


def _invent_string(name: str, schema: Schema, rng: Random) -> object:
    match schema.get("format"):
        case "date-time":
            return to_the_millisecond(1_700_000_000_000 + rng.randrange(10**10))
        case "email":
            return "somebody@example.com"
    if name.endswith(("_id", "_ids")):
        return opaque_id(rng)
    return f"{name.replace('_', ' ').capitalize()} {rng.randint(1, 9)}"


_inventors: Final[Mapping[str, Callable[[str, Schema, Random], object]]] = {
    "object": _invent_object,
    "array": _invent_array,
    "integer": _invent_integer,
    "boolean": _invent_boolean,
    "string": _invent_string,
}
