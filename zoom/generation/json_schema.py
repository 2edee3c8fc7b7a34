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
    return _converted(published, values="enum")


def reply_schema(published: JsonPointer) -> Schema:
    """Convert the schema of a reply.

    Raises:
        SchemaSourceError: it has an unknown keyword or type.
    """
    return _converted(published, values="x-known-values")


def _converted(published: JsonPointer, *, values: str) -> Schema:
    refuse_unless(_keywords, published)
    converted = _value(published)
    if (listed := optional(published, "enum")) and not any(map(_is_sentence, listed.as_list())):
        converted[values] = listed.as_list()
    if (choices := optional(published, "oneOf")) is not None:
        converted["oneOf"] = [_converted(choice, values=values) for choice in items(choices)]
    if (members := optional(published, "properties")) is not None:
        converted["properties"] = {
            n: _converted(member, values=values) for n, member in members.members()
        }
        if required := list(_required(published, members)):
            converted["required"] = required
    if converted.get("type") == "array" and (each := optional(published, "items")) is not None:
        converted["items"] = _converted(each, values=values)
    return converted


def _value(published: JsonPointer) -> Schema:
    """Return the part of a schema that describes the value itself."""
    keywords = published.as_object()
    converted: Schema = {}
    if "type" in keywords:
        converted["type"] = _type(published)
    shape = _formats.get(text(published, "format"), text(published, "format"))
    pattern = text(published, "pattern")
    if shape:
        converted["format"] = shape
    if pattern and _mask not in pattern:
        converted["pattern"] = pattern
    bounds = _carried.get(text(published, "type"), ())
    converted |= {
        keyword: keywords[keyword] for keyword in (*bounds, *_marks) if keyword in keywords
    }
    if "default" in keywords and _is_no_prose(keywords["default"]):
        converted["default"] = keywords["default"]
    return converted


def _type(published: JsonPointer) -> str | list[str]:
    declared = published.member("type")
    if declared.as_text() not in _types:
        raise SchemaSourceError(declared.pointer, f"no type of JSON Schema: {declared.as_text()!r}")
    return [declared.as_text(), "null"] if flag(published, "nullable") else declared.as_text()


def _is_no_prose(default: object) -> bool:
    return not isinstance(default, str) or _word.fullmatch(default) is not None


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and len(value.split()) >= _words_of_a_sentence


def _required(published: JsonPointer, members: JsonPointer) -> Iterator[str]:
    for name in texts(optional(published, "required")):
        if name in members.as_object():
            yield name
