"""What becomes of the vendor's REST documents, on small ones with the quirks of the real ones."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.generation import SchemaSourceError
from tests.support.generated_operations import FORMS, generated, only, thing_deleted
from tests.support.vendor_rest_document import (
    Document,
    document,
    in_path,
    listing,
    operation,
    query,
)
from zoom.catalogue import Operation


def test_two_operations_of_one_name_are_refused_and_both_are_named() -> None:
    rest = document(**{"get_/things": operation(), "get_/reports/things": operation()})
    expected = "GET /contact_center/things and GET /contact_center/reports/things would both be"
    with pytest.raises(SchemaSourceError, match=expected):
        generated(rest)


def test_operations_of_a_resource_stand_together_and_keep_their_order() -> None:
    rest = document(
        **{
            "get_/b": operation(tag="Second"),
            "get_/c": operation(tag="First"),
            "get_/a": operation(tag="Second"),
        }
    )
    master = document(**{"get_/d": operation(tag="First")})
    names = [name for name in generated(rest, master) if not name.startswith("schemas/")]
    assert names == ["get_c", "get_d", "get_b", "get_a"]


def test_a_resource_without_bodies_has_a_file_that_says_so() -> None:
    files = generated(document(**{"delete_/things/{thingId}": thing_deleted()}))
    assert files["schemas/things.json"] == {}


def mended(published: Document, **changes: Any) -> Document:
    return published | changes


@pytest.mark.parametrize(
    ("path", "published", "expected"),
    [
        ("get_/a", mended(operation(), description="no label"), "/description: expected a label"),
        ("get_/a", operation(label="FEATHER"), "/description: expected a label: LIGHT, MEDIUM"),
        ("head_/a", operation(), "/head: no method of an operation: 'head'"),
        (
            "get_/{b}",
            operation(parameters=(in_path("b"),)),
            "~1{b}/get: nothing names it: name it in zoom/generation/names.py",
        ),
        ("get_/a/{b}", operation(), "the path and 'parameters' name different ones"),
        ("get_/a", mended(operation(), responses={}), "/responses: expected one status"),
        (
            "get_/a",
            mended(operation(), responses={"200": {}, "201": {}}),
            "/responses: expected one status that means success",
        ),
        (
            "get_/a",
            mended(operation(), responses={"200": {"content": {"text/html": {}}}}),
            "/responses/200/content: expected application/json alone",
        ),
        (
            "post_/a",
            mended(operation(), requestBody={"content": {"text/xml": {}}}),
            "/requestBody/content: expected one of application/json, multipart/form-data",
        ),
        (
            "post_/a",
            mended(operation(), requestBody={"content": {}}),
            "/requestBody/content: expected one of application/json, multipart/form-data",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", type="object"),)),
            "/parameters/0/schema/type: no type of a parameter: 'object'",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", style="form"),)),
            "/parameters/0/schema: cannot carry over 'style'",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", type="array", items={"type": "integer"}),)),
            "/schema/items: expected an array of strings",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", maximum="9"),)),
            "/schema/maximum: expected a whole number",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", maximum=True),)),
            "/schema/maximum: expected a whole number",
        ),
        (
            "get_/a",
            operation(parameters=(query("b", deprecated="yes"),)),
            "/schema/deprecated: expected true or false",
        ),
        (
            "get_/a",
            operation(parameters=(query("from"), query("to"))),
            "/parameters/0: expected a text that says how its times are written",
        ),
        (
            "get_/a",
            operation(parameters=(query("next_page_token"),), reply=listing(b={"type": "array"})),
            "/schema: expected one array: the operation is a list",
        ),
        (
            "get_/a",
            operation(parameters=(query("next_page_token"),), reply={"type": "object"}),
            "/schema: expected one array: the operation is a list",
        ),
        ("get_/a", operation(reply={"allOf": []}), "/schema: cannot carry over 'allOf'"),
        ("get_/a", operation(reply={"type": "text"}), "/type: no type of JSON Schema: 'text'"),
    ],
)
def test_what_cannot_be_carried_over_is_refused_with_its_place(
    path: str, published: Document, expected: str
) -> None:
    with pytest.raises(SchemaSourceError) as refusal:
        generated(document(**{path: published}))
    assert expected in str(refusal.value)


def test_what_is_written_is_read_back_unchanged() -> None:
    taken = (in_path("thingId"), query("from", FORMS), query("to"), query("a", type="boolean"))
    original = only(
        document(**{"get_/things/{thingId}": operation(parameters=taken, reply=listing())})
    )
    adapter = TypeAdapter(Operation)
    assert adapter.validate_json(adapter.dump_json(original, exclude_defaults=True)) == original
