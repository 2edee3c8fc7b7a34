"""Pure: validates a document against a schema, as far as the catalogue's schemas go.

They use these keywords of JSON Schema (draft 2020-12) and no references: type, properties,
required, items, enum, oneOf, pattern, and the bounds of numbers, strings and arrays. Formats are
not checked, and several alternatives of oneOf may match, because the vendor's alternatives exclude
nothing. Written by hand, because outside the tests nothing else needs a library for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, cast

from zoom.catalogue import Schema

_types: Final[Mapping[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        and not isinstance(value, bool)
    ),
}


def fits(value: object, schema: Schema) -> bool:
    """Return whether the value satisfies the schema."""
    return next(faults(value, schema), None) is None


def faults(value: object, schema: Schema, at: str = "body") -> Iterator[tuple[str, str]]:
    """Yield the violations: where, as ``body.members[0].name``, and what was expected."""
    kinds = types_of(schema)
    if kinds and not any(_types[kind](value) for kind in kinds):
        yield at, f"expected type {' or '.join(kinds)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield at, f"expected one of {', '.join(map(str, schema['enum']))}"
    choices = cast("Sequence[Schema]", schema.get("oneOf", ()))
    if choices and not any(fits(value, choice) for choice in choices):
        yield at, f"expected to fit one of {len(choices)} forms"
    if isinstance(value, dict):
        yield from _object_faults(value, schema, at)
    elif isinstance(value, list):
        yield from _array_faults(value, schema, at)
    elif isinstance(value, str):
        yield from _bound_faults(len(value), schema, at, "minLength", "maxLength", "characters")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield at, f"expected to match {schema['pattern']}"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bound_faults(value, schema, at, "minimum", "maximum", "")


def types_of(schema: Schema) -> tuple[str, ...]:
    """Return the types that a schema allows; empty for any."""
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _object_faults(
    value: Mapping[str, object], schema: Schema, at: str
) -> Iterator[tuple[str, str]]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}.{name}", "is required"
    for name, member in schema.get("properties", {}).items():
        if name in value:
            yield from faults(value[name], member, f"{at}.{name}")


def _array_faults(value: list[object], schema: Schema, at: str) -> Iterator[tuple[str, str]]:
    yield from _bound_faults(len(value), schema, at, "minItems", "maxItems", "items")
    if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        yield at, "expected no item twice"
    for index, item in enumerate(value):
        yield from faults(item, schema.get("items", {}), f"{at}[{index}]")


def _bound_faults(
    size: float, schema: Schema, at: str, minimum: str, maximum: str, unit: str
) -> Iterator[tuple[str, str]]:
    if size < schema.get(minimum, size):
        yield at, f"expected at least {schema[minimum]} {unit}".rstrip()
    if size > schema.get(maximum, size):
        yield at, f"expected at most {schema[maximum]} {unit}".rstrip()
