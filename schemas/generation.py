"""Pure: turn the vendor's OpenAPI document of webhooks into our JSON Schemas.

The published document needs repair before any tool can read it: every ``$ref`` starts with
``#/paths/`` although the events stand under ``webhooks``, and points into a ``components`` object
that lies inside a schema. After the repair all of them resolve. Our schemas keep names, types,
formats, bounds, required and deprecated marks. Known values of a field become the annotation
``x-known-values`` and ``additionalProperties`` goes: the vendor adds values and fields without
notice, and a consumer that validates must not stop for them. `strict` gives the closed view.

Source: Zoom Contact Center webhooks, OpenAPI 3.1.
"""

from collections.abc import Iterator, Mapping
from typing import cast

type_keywords = ("type", "format", "minimum", "maximum", "maxLength", "deprecated")
"""Keywords that are carried over as they stand."""

Schema = dict[str, object]


def json_schemas(document: Mapping[str, object]) -> Iterator[tuple[str, Schema]]:
    """Yield (event name, JSON Schema draft 2020-12) in the order of the document.

    Raises:
        ValueError: the document has no webhooks, or a reference that the repair cannot resolve.
    """
    webhooks = document.get("webhooks")
    if not isinstance(webhooks, dict) or not webhooks:
        raise ValueError("/webhooks: expected an object with one member per event")
    for name, item in webhooks.items():
        published = item["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = _ours(published, document)
        properties = cast("dict[str, Schema]", schema["properties"])
        properties["event"] = {"const": name}
        yield (
            name,
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$id": schema_id(name),
                "title": name,
                **schema,
            },
        )


def schema_id(event: str) -> str:
    """Name the schema of an event; records carry it as ``ce_dataschema``."""
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


def _ours(published: Mapping[str, object], document: Mapping[str, object]) -> Schema:
    if "$ref" in published:
        published = _resolve(cast("str", published["$ref"]), document)
    ours: Schema = {
        keyword: published[keyword] for keyword in type_keywords if keyword in published
    }
    if ours.get("format") == "datetime":  # not a format of JSON Schema; four closure times
        ours["format"] = "date-time"
    if "enum" in published:
        ours["x-known-values"] = published["enum"]
    if "properties" in published:
        members = cast("dict[str, Schema]", published["properties"])
        ours["properties"] = {name: _ours(member, document) for name, member in members.items()}
        if published.get("required"):
            ours["required"] = published["required"]
    if published.get("type") == "array":
        items = _ours(cast("Schema", published.get("items", {})), document)
        ours["items"] = items or {"type": "string"}  # user_ids: the vendor gives no type
    return ours


def _resolve(reference: str, document: Mapping[str, object]) -> Mapping[str, object]:
    node: object = document
    pointer = reference.replace("#/paths/", "#/webhooks/", 1).removeprefix("#/")
    for token in pointer.split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or name not in node:
            raise ValueError(f"{reference}: no such place in the document")
        node = node[name]
    return cast("Mapping[str, object]", node)
