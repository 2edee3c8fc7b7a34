"""Pure: converts the vendor's schemas of bodies and replies, without any of its prose.

The results are JSON Schema, the vendor's are OpenAPI 3.0 (``nullable``). Bodies are closed: an
unlisted value is refused before it is sent. Replies are open: listed values are an annotation.
Repairs: invalid formats, a mask in place of a regular expression, required members without a
description, ``additionalProperties`` on an array, sentences listed as values.

Source: Zoom Contact Center REST API, OpenAPI 3.0.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.generation.document import JsonPointer, SchemaSourceError
from zoom.generation.optional_members import flag, items, optional, refuse_unless, text, texts

Schema = dict[str, object]

_carried: Final[Mapping[str, tuple[str, ...]]] = {
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems", "uniqueItems"),
}
"""Bounds by the type that they apply to; the vendor sets some on other types too."""

_marks: Final = ("deprecated", "readOnly")

_keywords: Final = frozenset(
    {"type", "format", "enum", "default", "pattern", "nullable", "oneOf"}
    | {"properties", "required", "items", "additionalProperties"}
    | {"description", "example", "title"}
    | {bound for bounds in _carried.values() for bound in bounds}
    | set(_marks)
)
_types: Final = frozenset({"string", "integer", "number", "boolean", "object", "array"})
_formats: Final = {"datetime": "date-time", "string": None}
_word: Final = re.compile(r"[\w.+-]{1,40}")
_words_of_a_sentence: Final = 5
_mask: Final = "YYYY"


def body_schema(published: JsonPointer) -> Schema:
    """Convert the schema of a body.

    Raises:
        SchemaSourceError: it has an unknown keyword or type.
    """
    return _ours(published, values="enum")


def reply_schema(published: JsonPointer) -> Schema:
    """Convert the schema of a reply.

    Raises:
        SchemaSourceError: it has an unknown keyword or type.
    """
    return _ours(published, values="x-known-values")


def _ours(published: JsonPointer, *, values: str) -> Schema:
    refuse_unless(_keywords, published)
    ours = _value(published)
    if (listed := optional(published, "enum")) and not any(map(_is_sentence, listed.as_list())):
        ours[values] = listed.as_list()
    if (choices := optional(published, "oneOf")) is not None:
        ours["oneOf"] = [_ours(choice, values=values) for choice in items(choices)]
    if (members := optional(published, "properties")) is not None:
        ours["properties"] = {n: _ours(member, values=values) for n, member in members.members()}
        if required := list(_required(published, members)):
            ours["required"] = required
    if ours.get("type") == "array" and (each := optional(published, "items")) is not None:
        ours["items"] = _ours(each, values=values)
    return ours


def _value(published: JsonPointer) -> Schema:
    """Return the part of a schema that describes the value itself."""
    said = published.as_object()
    ours: Schema = {}
    if "type" in said:
        ours["type"] = _type(published)
    shape = _formats.get(text(published, "format"), text(published, "format"))
    pattern = text(published, "pattern")
    if shape:
        ours["format"] = shape
    if pattern and _mask not in pattern:
        ours["pattern"] = pattern
    bounds = _carried.get(text(published, "type"), ())
    ours |= {keyword: said[keyword] for keyword in (*bounds, *_marks) if keyword in said}
    if "default" in said and _is_no_prose(said["default"]):
        ours["default"] = said["default"]
    return ours


def _type(published: JsonPointer) -> str | list[str]:
    said = published.member("type")
    if said.as_text() not in _types:
        raise SchemaSourceError(said.pointer, f"no type of JSON Schema: {said.as_text()!r}")
    return [said.as_text(), "null"] if flag(published, "nullable") else said.as_text()


def _is_no_prose(default: object) -> bool:
    return not isinstance(default, str) or _word.fullmatch(default) is not None


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) >= _words_of_a_sentence


def _required(published: JsonPointer, members: JsonPointer) -> Iterator[str]:
    for name in texts(optional(published, "required")):
        if name in members.as_object():
            yield name
