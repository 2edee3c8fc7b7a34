"""Pure: converts the vendor's OpenAPI document of webhooks to our JSON Schemas.

The published document needs repair before any tool can read it: every ``$ref`` starts with
``#/paths/`` although the events are under ``webhooks``, and points into a ``components`` object
that lies inside a schema. After the repair all of them resolve. Some types and formats are missing
or misspelt; `_type` and `_format` add them. Our schemas keep names, types, formats, bounds,
required and deprecated marks, and say of each text how personal it is (``x-data-class``). Known
values of a field become the annotation ``x-known-values``, and ``additionalProperties`` is dropped:
the vendor adds values and fields without notice, and a validating consumer must not stop for them.
`strict` gives the closed view.

Source: Zoom Contact Center webhooks, OpenAPI 3.1.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from .data_class import data_class
from .document import JsonPointer, SchemaSourceError

Schema = dict[str, object]

carried_keywords: Final = ("minimum", "maximum", "maxLength", "deprecated")
"""Keywords that are kept unchanged."""

scalar_types: Final = frozenset({"string", "integer", "number", "boolean"})

unreadable_keywords: Final = ("allOf", "anyOf", "oneOf", "not", "patternProperties", "prefixItems")
"""Dropping one of these would change the meaning of a schema; none was ever published."""


def json_schemas(document: Mapping[str, object]) -> Iterator[tuple[str, Schema]]:
    """Yield (event name, JSON Schema draft 2020-12) in the order of the document.

    Raises:
        SchemaSourceError: the document has no webhooks, one is repeated or cannot be read, or a
            reference does not resolve after the repair.
    """
    root = JsonPointer(document)
    webhooks = root.member("webhooks")
    if not webhooks.as_object():
        raise SchemaSourceError(webhooks.pointer, "expected one member per event")
    _require_each_once(webhooks)
    for name, item in webhooks.members():
        yield (
            name,
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": schema_id(name),
                "title": name,
                **_event_schema(name, _body(item), root),
            },
        )


def schema_id(event: str) -> str:
    """Return the id of an event's schema; records carry it as ``ce_dataschema``."""
    return f"urn:zcc:schema:{event}:1"


def strict(schema: Mapping[str, object]) -> Schema:
    """Close a schema of ours: known values become an enum, other fields are refused."""
    closed: Schema = {}
    for keyword, value in schema.items():
        if keyword == "x-known-values":
            closed["enum"] = value
        elif keyword == "properties":
            members = cast("dict[str, Schema]", value)
            closed["properties"] = {name: strict(member) for name, member in members.items()}
            closed["additionalProperties"] = False
        elif keyword == "items":
            closed["items"] = strict(cast("Schema", value))
        else:
            closed[keyword] = value
    return closed


def _require_each_once(webhooks: JsonPointer) -> None:
    """Refuse two webhooks of the same event."""
    first_uses: dict[str, str] = {}
    for name, item in webhooks.members():
        post = item.member("post")
        if "operationId" in post.as_object():
            identity = post.member("operationId")
            first = first_uses.setdefault(identity.as_text(), name)
            if first != name:
                raise SchemaSourceError(identity.pointer, f"{first} has the same: one event, twice")


def _body(item: JsonPointer) -> JsonPointer:
    for step in ("post", "requestBody", "content", "application/json", "schema"):
        item = item.member(step)
    return item


def _event_schema(name: str, published: JsonPointer, root: JsonPointer) -> Schema:
    schema = _converted(published, name, root, ())
    for step in ("event", "event_ts", "payload"):
        published.member("properties").member(step)
    cast("dict[str, Schema]", schema["properties"])["event"] = {"const": name}
    return schema


def _converted(
    published: JsonPointer, name: str, root: JsonPointer, followed: tuple[str, ...]
) -> Schema:
    """Convert one schema of the vendor's. ``followed`` are the references on the way to it."""
    if "$ref" in published.as_object():
        reference = published.member("$ref")
        if reference.as_text() in followed:
            raise SchemaSourceError(reference.pointer, "refers to itself")
        target = _resolve(reference, root)
        siblings = {k: v for k, v in published.as_object().items() if k != "$ref"}
        merged = JsonPointer({**target.as_object(), **siblings}, target.pointer)
        return _converted(merged, name, root, (*followed, reference.as_text()))
    for keyword in unreadable_keywords:
        if keyword in published.as_object():
            raise SchemaSourceError(published.pointer, f"cannot carry over {keyword!r}")
    return {
        **_value(published, name),
        **_members(published, root, followed),
        **_items(published, name, root, followed),
    }


def _value(published: JsonPointer, name: str) -> Schema:
    """Return the part of a schema that describes the value itself."""
    keywords = published.as_object()
    converted: Schema = {"type": _type(published)}
    if shape := _format(published, name):
        converted["format"] = shape
    converted |= {keyword: keywords[keyword] for keyword in carried_keywords if keyword in keywords}
    if "enum" in keywords:
        converted["x-known-values"] = published.member("enum").as_list()
    if converted["type"] in scalar_types:
        converted["x-data-class"] = data_class(name) if _is_free_text(converted) else "none"
    return converted


def _is_free_text(converted: Schema) -> bool:
    closed = "x-known-values" in converted or converted.get("format") == "date-time"
    return converted["type"] == "string" and not closed


def _type(published: JsonPointer) -> str:
    """Return the type. Without one, a schema with members is an object, and any other is text."""
    declared = published.as_object()
    if "type" not in declared:
        return "object" if "properties" in declared else "string"
    kind = published.member("type")
    if kind.as_text() not in scalar_types | {"object", "array"}:
        raise SchemaSourceError(kind.pointer, f"no type of JSON Schema: {kind.as_text()!r}")
    return kind.as_text()


def _format(published: JsonPointer, name: str) -> str | None:
    """Return the format. The vendor misspells it four times, and opening hours have none."""
    if "format" not in published.as_object():
        return "date-time" if name in {"date_time", "date_time_ms"} else None
    declared = published.member("format").as_text()
    return "date-time" if declared == "datetime" else declared


def _members(published: JsonPointer, root: JsonPointer, followed: tuple[str, ...]) -> Schema:
    if "properties" not in published.as_object():
        return {}
    members = published.member("properties").members()
    converted: Schema = {
        "properties": {name: _converted(member, name, root, followed) for name, member in members}
    }
    if published.as_object().get("required"):
        converted["required"] = published.member("required").as_list()
    return converted


def _items(
    published: JsonPointer, name: str, root: JsonPointer, followed: tuple[str, ...]
) -> Schema:
    if published.as_object().get("type") != "array":
        return {}
    declared = "items" in published.as_object()
    items = published.member("items") if declared else JsonPointer({}, published.pointer)
    return {"items": _converted(items, name, root, followed)}


def _resolve(reference: JsonPointer, root: JsonPointer) -> JsonPointer:
    """Return the target of a reference after the repair."""
    target = root
    pointer = reference.as_text().replace("#/paths/", "#/webhooks/", 1).removeprefix("#/")
    for token in pointer.split("/"):
        try:
            target = target.member(token.replace("~1", "/").replace("~0", "~"))
        except SchemaSourceError:
            cause = f"no such place in the document: {reference.as_text()}"
            raise SchemaSourceError(reference.pointer, cause) from None
    return target
