"""What our schemas keep of the vendor's, what they mend, and what stops the generation."""

from typing import Any

import pytest

from schemas.catalogue import EventType
from schemas.generation import SchemaSourceError, artefacts, json_schemas, schema_id, strict
from schemas.generation.data_class import data_class
from schemas.generation.example import example
from tests.support.vendor_document import Schema, document, object_of, webhook

teams = {
    "type": "array",
    "items": {"type": "object", "properties": {"team_id": {"type": "string"}}},
}
inner = "#/paths/contact_center.first/post/requestBody/content/application~1json/schema/components"


def ours(members: Schema, /, *, required: tuple[str, ...] = (), **others: Any) -> Any:
    source = document(first=webhook("first", members, required=required, **others))
    return object_of(dict(json_schemas(source))["contact_center.first"])


def refused(source: Schema) -> SchemaSourceError:
    with pytest.raises(SchemaSourceError) as raised:
        list(json_schemas(source))
    return raised.value


def test_a_schema_names_its_event_and_holds_no_prose() -> None:
    source = document(first=webhook("first", {"a": {"type": "string", "description": "prose"}}))
    ((name, schema),) = json_schemas(source)
    assert name == schema["title"] == "contact_center.first"
    assert schema["$id"] == schema_id(name) == "urn:zcc:schema:contact_center.first:1"
    assert schema["properties"]["event"] == {"const": name}  # type: ignore[index] # JSON
    assert "prose" not in repr(schema)
    assert "additionalProperties" not in repr(schema)


def test_types_formats_bounds_and_marks_are_kept_and_values_become_an_annotation() -> None:
    members = {
        "count": {"type": "integer", "minimum": 0, "maximum": 9, "deprecated": True},
        "label": {"type": "string", "maxLength": 4, "enum": ["a", "b"]},
        "ratio": {"type": "number"},
        "on": {"type": "boolean"},
    }
    assert ours(members, required=("label",)) == {
        "type": "object",
        "properties": {
            "count": {
                "type": "integer",
                "minimum": 0,
                "maximum": 9,
                "deprecated": True,
                "x-data-class": "none",
            },
            "label": {
                "type": "string",
                "maxLength": 4,
                "x-known-values": ["a", "b"],
                "x-data-class": "none",
            },
            "ratio": {"type": "number", "x-data-class": "none"},
            "on": {"type": "boolean", "x-data-class": "none"},
        },
        "required": ["label"],
    }


@pytest.mark.parametrize(
    ("name", "published", "mended"),
    [
        ("start_time", {"type": "string", "format": "datetime"}, {"format": "date-time"}),
        ("date_time", {"type": "string"}, {"format": "date-time"}),
        ("date_time_ms", {"type": "string"}, {"format": "date-time"}),
        ("hours", {"properties": {}}, {"type": "object", "properties": {}}),
        (
            "user_ids",
            {"type": "array"},
            {"items": {"type": "string", "x-data-class": "pseudonymous"}},
        ),
        ("untyped", {}, {"type": "string"}),
    ],
)
def test_what_the_vendor_left_out_or_misspelt_is_mended(
    name: str, published: Schema, mended: Schema
) -> None:
    member = ours({name: published})["properties"][name]
    assert mended.items() <= member.items()


def test_a_broken_reference_is_repaired_and_its_sibling_members_count() -> None:
    members = ours(
        {
            "teams": {"$ref": f"{inner}/schemas/Team~0s of one"},
            "old_teams": {"$ref": f"{inner}/schemas/Again", "deprecated": True},
        },
        components={
            "schemas": {
                "Team~s of one": teams,
                "Again": {"$ref": f"{inner}/schemas/Team~0s of one"},
            }
        },
    )["properties"]
    assert members["teams"]["items"]["properties"]["team_id"]["type"] == "string"
    assert members["old_teams"] == {**members["teams"], "deprecated": True}


def test_references_that_cannot_be_mended_are_named() -> None:
    lost = document(first=webhook("first", {"teams": {"$ref": f"{inner}/schemas/Lost"}}))
    error = refused(lost)
    assert error.pointer.endswith("/properties/object/properties/teams/$ref")
    assert error.cause == f"no such place in the document: {inner}/schemas/Lost"


def test_a_reference_to_itself_is_named() -> None:
    circle = {"schemas": {"A": {"$ref": f"{inner}/schemas/B"}, "B": {"$ref": f"{inner}/schemas/A"}}}
    members = {"x": {"$ref": f"{inner}/schemas/A"}}
    error = refused(document(first=webhook("first", members, components=circle)))
    assert error.pointer.endswith("/components/schemas/B/$ref")
    assert error.cause == "refers to itself"


def broken(path: str, value: object) -> Schema:
    """A document with one value put in another's place; ``...`` takes it out."""
    source = document(first=webhook("first", {"a": {"type": "string"}}, required=("a",)))
    *above, last = path.split("/")
    node = source
    for step in above:
        node = node[step.replace("~1", "/")]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return source


_schema = "webhooks/contact_center.first/post/requestBody/content/application~1json/schema"
_object = f"{_schema}/properties/payload/properties/object"


@pytest.mark.parametrize(
    ("path", "value", "pointer", "cause"),
    [
        ("webhooks", ..., "", "expected a member 'webhooks'"),
        ("webhooks", {}, "webhooks", "expected one member per event"),
        ("webhooks", [], "webhooks", "expected an object, got an array"),
        ("webhooks/contact_center.first/post", ..., None, "expected a member 'post'"),
        (f"{_schema}/properties/event_ts", ..., f"{_schema}/properties", "a member 'event_ts'"),
        (f"{_schema}/properties", ..., _schema, "expected a member 'properties'"),
        (f"{_object}/properties/a", "text", None, "expected an object, got a string"),
        (f"{_object}/properties/a/type", "file", None, "no type of JSON Schema: 'file'"),
        (f"{_object}/properties/a/type", ["string", "null"], None, "a string, got an array"),
        (f"{_object}/properties/a/enum", "x", None, "expected an array, got a string"),
        (f"{_object}/properties/a/oneOf", [], f"{_object}/properties/a", "carry over 'oneOf'"),
        (f"{_object}/required", "a", None, "expected an array, got a string"),
        (f"{_object}/properties", [], None, "expected an object, got an array"),
    ],
)
def test_what_cannot_be_read_is_named(
    path: str, value: object, pointer: str | None, cause: str
) -> None:
    error = refused(broken(path, value))
    expected = path if pointer is None else pointer
    if value is ... and pointer is None:
        expected = path.rpartition("/")[0]
    assert error.pointer == (f"/{expected}" if expected else "")
    assert cause in error.cause


def test_one_event_under_two_names_is_refused() -> None:
    source = document(first=webhook("first", {}), second=webhook("first", {}))
    error = refused(source)
    assert error.pointer == "/webhooks/contact_center.second/post/operationId"
    assert error.cause == "contact_center.first has the same: one event, twice"


def test_an_event_without_an_operation_id_is_fine() -> None:
    item = webhook("first", {})
    del item["post"]["operationId"]
    assert len(list(json_schemas(document(first=item)))) == 1


def test_the_strict_view_closes_objects_and_values_at_every_depth() -> None:
    closed = strict(ours({"teams": teams, "kind": {"type": "string", "enum": ["a"]}}))
    assert closed["additionalProperties"] is False
    members: Any = closed["properties"]
    assert members["kind"]["enum"] == ["a"]
    assert members["teams"]["items"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("message_text", "sensitive"),
        ("dtmf_input", "sensitive"),
        ("note", "sensitive"),
        ("transcript_url", "sensitive"),
        ("user_display_name", "personal"),
        ("first_name", "personal"),
        ("file_name", "personal"),
        ("consumer_number", "personal"),
        ("from", "personal"),
        ("email", "personal"),
        ("reason", "personal"),
        ("country_iso_code", "personal"),
        ("consumer_id", "pseudonymous"),
        ("transfer_to_user_id", "pseudonymous"),
        ("user_ids", "pseudonymous"),
        ("modified_by", "pseudonymous"),
        ("engagement_id", "none"),
        ("flow_number", "none"),
        ("contact_center_number", "none"),
        ("phone_number_id", "none"),
        ("queue_name", "none"),
        ("timezone", "none"),
        ("note_id", "none"),
    ],
)
def test_the_name_of_a_member_says_how_personal_it_is(name: str, expected: str) -> None:
    assert data_class(name) == expected


def test_members_with_known_values_or_times_are_not_personal() -> None:
    members = ours(
        {
            "reason": {"type": "string", "enum": ["a"]},
            "note": {"type": "string", "format": "date-time"},
            "from": {"type": "integer"},
            "email": {"type": "string", "format": "email"},
        }
    )["properties"]
    classes = {name: member["x-data-class"] for name, member in members.items()}
    assert classes == {"reason": "none", "note": "none", "from": "none", "email": "personal"}


def test_an_example_keeps_within_bounds_and_is_the_same_each_time() -> None:
    source = document(
        first=webhook(
            "first",
            {
                "low": {"type": "integer", "minimum": 100},
                "high": {"type": "number", "maximum": 5},
                "request_id": {"type": "string", "maxLength": 9},
                "bare": {"type": "object"},
                "kinds": {"type": "array", "items": {"type": "string", "enum": ["a"]}},
            },
        )
    )
    ((_, schema),) = json_schemas(source)
    made: Any = example(schema)
    assert made == example(schema)
    assert made["payload"]["object"] == {
        "low": 100,
        "high": 5,
        "request_id": "example-r",
        "bare": {},
        "kinds": ["a", "a"],
    }


def event_type(name: str) -> EventType:
    return EventType(f"contact_center.{name}", "a_family", ("x",), None, ("x",))


def test_a_new_event_asks_for_its_row_in_the_table() -> None:
    source = document(first=webhook("first", {}), second=webhook("second", {}))
    table = {"contact_center.first": event_type("first")}
    with pytest.raises(SchemaSourceError, match="second: a new event: give it a row"):
        dict(artefacts(source, table))


def test_an_event_that_the_document_lacks_is_named() -> None:
    table = {f"contact_center.{name}": event_type(name) for name in ("first", "second")}
    with pytest.raises(SchemaSourceError, match=r"#/webhooks: contact_center\.second is missing"):
        dict(artefacts(document(first=webhook("first", {})), table))


def test_artefacts_are_a_schema_an_example_and_a_module_per_family() -> None:
    table = {"contact_center.first": event_type("first")}
    written = dict(artefacts(document(first=webhook("first", {})), table))
    assert list(written) == [
        "webhooks/a_family/first.schema.json",
        "examples/a_family/first.json",
        "models/a_family.py",
    ]
