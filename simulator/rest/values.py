"""Invents values that fit a schema of the catalogue."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final, cast

from simulator.rest.schema import fits, types_of
from simulator.rest.words import Scene, mac_address, mail_address, moment, network_address, word
from zoom.catalogue import Schema

usual_chance: Final = 0.92
deprecated_chance: Final = 0.2
null_chance: Final = 0.2
max_inner_items: Final = 2

_usual_maximum: Final = 600
_words: Final = ("alpha", "beta", "gamma", "delta")


def invent(name: str, schema: Schema, scene: Scene, rng: Random) -> object:
    """Invent a value for a member of this name.

    It may violate a schema that few values satisfy: the caller checks it.
    """
    kinds = types_of(schema)
    if "null" in kinds and rng.random() < null_chance:
        return None
    known = schema.get("x-known-values", schema.get("enum", ()))
    if values := [value for value in known if fits(value, schema)]:
        return rng.choice(values)
    if "oneOf" in schema:  # no document matches exactly one of the vendor's alternatives
        return None
    return _inventors[kinds[0] if kinds else "object"](name, schema, scene, rng)


def is_included(name: str, schema: Schema, rng: Random) -> bool:
    """Decide whether a document of this schema has the member."""
    if name in schema.get("required", ()):
        return True
    deprecated = schema["properties"][name].get("deprecated", False)
    return rng.random() < (deprecated_chance if deprecated else usual_chance)


def _object(_name: str, schema: Schema, scene: Scene, rng: Random) -> object:
    document = {}
    for name, member in schema.get("properties", {}).items():
        if is_included(name, schema, rng):
            value = invent(name, member, scene, rng)
            if fits(value, member):
                document[name] = value
    return document


def _array(name: str, schema: Schema, scene: Scene, rng: Random) -> object:
    minimum = cast("int", schema.get("minItems", 0))
    maximum = minimum + max_inner_items
    maximum = min(maximum, cast("int", schema.get("maxItems", maximum)))
    singular = name.removesuffix("s")
    items: list[object] = []
    for _ in range(rng.randint(max(minimum, min(1, maximum)), maximum)):
        item = invent(singular, schema.get("items", {}), scene, rng)
        if not schema.get("uniqueItems") or item not in items:
            items.append(item)
    return items


def _integer(_name: str, schema: Schema, _scene: Scene, rng: Random) -> object:
    minimum = cast("int", schema.get("minimum", 0))
    maximum = cast("int", schema.get("maximum", max(minimum, _usual_maximum)))
    return rng.randint(minimum, min(maximum, minimum + _usual_maximum))


def _number(name: str, schema: Schema, scene: Scene, rng: Random) -> object:
    if "maximum" in schema:
        return float(cast("int", _integer(name, schema, scene, rng)))
    return round(rng.uniform(cast("float", schema.get("minimum", 0)), _usual_maximum), 2)


def _boolean(_name: str, _schema: Schema, _scene: Scene, rng: Random) -> object:
    return rng.choice((True, False))


def _string(name: str, schema: Schema, scene: Scene, rng: Random) -> object:
    """Return a text. The only pattern of the vendor is that of hardware addresses."""
    form = cast("str", schema.get("format", "mac" if "pattern" in schema else ""))
    text = _formats[form](scene, rng) if form in _formats else _dated(name, form, scene, rng)
    if len(text) < schema.get("minLength", 0):
        text += "x" * (schema["minLength"] - len(text))
    return text[: schema.get("maxLength", len(text))]


def _dated(name: str, form: str, scene: Scene, rng: Random) -> str:
    match form:
        case "date-time":
            return moment(name, scene)
        case "date":
            return moment(name, scene)[:10]
        case _:
            return word(name, scene, rng)


_formats: Final[Mapping[str, Callable[[Scene, Random], str]]] = {
    "email": lambda _scene, rng: mail_address(rng),
    "ipv4": lambda _scene, rng: network_address(rng),
    "mac": lambda _scene, rng: mac_address(rng),
}

_inventors: Final[Mapping[str, Callable[[str, Schema, Scene, Random], object]]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
}
