"""Pure: checks the body of a call, and writes it as JSON or in parts.

The check covers the vendor's schema for present members, and missing members that it requires and
does not call deprecated. Unknown members pass, because the vendor adds some without notice, and so
does null. No message holds a value.

Three operations take files. Zoom does not publish how it reads nested members of a multipart body:
they are written as ``asset_items[0].upload_file``, as frameworks of its language bind them. Source:
Zoom Contact Center REST API, OpenAPI 3.0, request bodies.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Final

import orjson

from zoom.catalogue import Operation, Schema, body_schema
from zoom.errors import ArgumentError
from zoom.messages import MultipartPart
from zoom.requests.arguments import is_writable

_argument: Final = "body"

_halves: Final = re.compile("[\ud800-\udfff]")
"""Lone surrogates, which have no form in UTF-8."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload, a member of the body of an operation that takes files."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class RequestContent:
    """A body, ready to send: a document, or parts, or neither."""

    json: bytes = field(default=b"", repr=False)
    parts: tuple[MultipartPart, ...] = field(default=(), repr=False)


def content(operation: Operation, body: object) -> RequestContent:
    """Check a body, and write it in the operation's form; None is no body.

    Raises:
        ArgumentError: it is missing, or not accepted, or does not match the schema.
    """
    taken = operation.body
    if body is None:
        if taken is not None and taken.required:
            raise ArgumentError(operation.name, _argument, "is required")
        return RequestContent()
    if taken is None:
        raise ArgumentError(operation.name, _argument, "is not taken by this operation")
    for path, expected in _faults(body, body_schema(operation) or {}, _argument):
        raise ArgumentError(operation.name, path, expected)
    if taken.content_type == "multipart/form-data":
        return RequestContent(parts=tuple(_parts(operation, body)))
    try:
        return RequestContent(json=orjson.dumps(body))
    except orjson.JSONEncodeError:
        expected = "expected what JSON can hold: objects, arrays, texts, numbers, booleans"
        raise ArgumentError(operation.name, _argument, expected) from None


def _faults(value: object, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    kind = "file" if schema.get("format") == "binary" else str(schema.get("type"))
    if kind in _kinds and not _is_a(value, kind):
        yield path, f"expected {_kinds[kind][0]}, got {type(value).__name__}"
    elif "enum" in schema and value not in schema["enum"]:
        yield path, f"expected one of {', '.join(map(str, schema['enum']))}"
    elif isinstance(value, str):
        yield from _outside(len(value), schema, path, "Length", "characters")
    elif isinstance(value, int | float):
        yield from _outside(value, schema, path, "", "")
    elif isinstance(value, Mapping):
        yield from _faults_of_members(value, schema, path)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        yield from _outside(len(value), schema, path, "Items", "items")
        for number, item in enumerate(value):
            yield from _faults(item, schema.get("items", {}), f"{path}[{number}]")


def _faults_of_members(
    value: Mapping[Any, object], schema: Schema, path: str
) -> Iterator[tuple[str, str]]:
    members = schema.get("properties", {})
    for name in schema.get("required", ()):
        if value.get(name) is None and not members.get(name, {}).get("deprecated"):
            yield f"{path}.{name}", "is required"
    for name, member in members.items():
        yield from _faults(value.get(name), member, f"{path}.{name}")


def _outside(
    measure: float, schema: Schema, path: str, words: str, unit: str
) -> Iterator[tuple[str, str]]:
    minimum = schema.get(f"min{words}" if words else "minimum")
    maximum = schema.get(f"max{words}" if words else "maximum")
    if minimum is not None and measure < minimum:
        yield path, f"expected at least {minimum} {unit}".rstrip()
    if maximum is not None and measure > maximum:
        yield path, f"expected at most {maximum} {unit}".rstrip()


_kinds: Final[Mapping[str, tuple[str, type | UnionType]]] = {
    "object": ("an object", Mapping),
    "array": ("an array", list | tuple),
    "string": ("text", str),
    "integer": ("a whole number", int),
    "number": ("a number", int | float),
    "boolean": ("true or false", bool),
    "file": ("a zoom.requests.bodies.File", File),
}


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _kinds[kind][1])


def _parts(operation: Operation, body: object) -> Iterator[MultipartPart]:
    for name, value in _leaves(body, ""):
        if isinstance(value, File):
            if not (value.name and is_writable(value.name) and is_writable(value.content_type)):
                expected = "expected a file with a name, and no control characters in it"
                raise ArgumentError(operation.name, f"{_argument}.{name}", expected)
            yield MultipartPart(name, value.content, value.name, value.content_type)
        elif isinstance(value, str) and _halves.search(value) is None:
            yield MultipartPart(name, value.encode())
        elif isinstance(value, bool | int | float):
            yield MultipartPart(name, orjson.dumps(value))
        else:
            expected = "expected a file, text, a number, true or false"
            raise ArgumentError(operation.name, f"{_argument}.{name}", expected)


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for member, inner in value.items():
            yield from _leaves(inner, f"{name}.{member}" if name else str(member))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{number}]")
    elif value is not None:
        yield name, value
