"""Schemas of bodies and replies, repaired and without prose."""

from typing import Any

import pytest

from tests.support.generated_operations import generated
from tests.support.vendor_rest_document import Document, document, operation


def schema_of(schema: Document, part: str) -> Any:
    wrapped = {"type": "object", "properties": {"member": schema}}
    whole = operation(**{part: wrapped})
    files = generated(document(**{"post_/things": whole}))
    return files["schemas/things.json"]["create_thing"][part]["properties"]["member"]


def test_a_body_is_required_where_the_document_or_its_schema_says_so() -> None:
    schema: Document = {"type": "object", "properties": {"a": {"type": "string"}}}
    lax = operation(body=schema)
    strict = operation(body=schema | {"required": ["a"]})
    mandatory = operation(body=schema)
    mandatory["requestBody"]["required"] = True
    artefacts = generated(document(**{"post_/a": lax, "post_/b": strict, "post_/c": mandatory}))
    bodies = {
        name: each.body for name, each in artefacts.items() if not name.startswith("schemas/")
    }
    assert {name: body.required for name, body in bodies.items()} == {
        "create_a": False,
        "create_b": True,
        "create_c": True,
    }


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ({"type": "string", "description": "prose", "example": "x"}, {"type": "string"}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "format": "datetime"}, {"type": "string", "format": "date-time"}),
        ({"type": "string", "format": "string"}, {"type": "string"}),
        ({"type": "string", "pattern": "YYYY-MM-DD"}, {"type": "string"}),
        ({"type": "string", "pattern": "[a-z]"}, {"type": "string", "pattern": "[a-z]"}),
        ({"type": "string", "default": "Good bye."}, {"type": "string"}),
        ({"type": "string", "enum": ["a", "What went wrong is this."]}, {"type": "string"}),
        ({"type": "string", "default": "hours"}, {"type": "string", "default": "hours"}),
        ({"type": "boolean", "default": True}, {"type": "boolean", "default": True}),
        (
            {"type": "string", "minimum": 1, "maxLength": 9, "deprecated": True},
            {"type": "string", "maxLength": 9, "deprecated": True},
        ),
        (
            {"type": "integer", "minimum": 1, "maxLength": 9, "readOnly": True},
            {"type": "integer", "minimum": 1, "readOnly": True},
        ),
        (
            {
                "type": "array",
                "items": {"type": "string"},
                "maxItems": 9,
                "additionalProperties": True,
            },
            {"type": "array", "maxItems": 9, "items": {"type": "string"}},
        ),
        ({"type": "array"}, {"type": "array"}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"oneOf": [{"title": "t", "type": "string"}, {"type": "integer"}]},
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        ),
    ],
)
def test_a_schema_is_carried_over_without_prose_and_repaired(
    published: Document, ours: Document
) -> None:
    assert schema_of(published, "body") == ours
    assert schema_of(published, "reply") == ours


def test_listed_values_close_a_body_and_leave_a_reply_open() -> None:
    published = {"type": "string", "enum": ["a", "b"]}
    assert schema_of(published, "body") == published
    assert schema_of(published, "reply") == {"type": "string", "x-known-values": ["a", "b"]}
