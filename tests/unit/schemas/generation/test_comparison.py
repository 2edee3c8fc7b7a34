"""What changed between two documents, and which changes break a consumer."""

from typing import Any

import pytest

from schemas.generation import SchemaChange, differences, json_schemas
from tests.support.vendor_document import Schema, document, webhook


def changes(old: Schema, new: Schema) -> list[tuple[str, SchemaChange, str, bool]]:
    before, after = (dict(json_schemas(document(first=each))) for each in (old, new))
    return [
        (each.path.removeprefix("payload.object."), each.change, each.detail, each.breaking)
        for each in differences(before, after)
    ]


def of_member(old: Schema, new: Schema) -> list[tuple[SchemaChange, str, bool]]:
    pair = (webhook("first", {"m": member}) for member in (old, new))
    return [(change, detail, breaking) for _, change, detail, breaking in changes(*pair)]


text: Schema = {"type": "string"}
number: Schema = {"type": "integer"}


@pytest.mark.parametrize(
    ("old", "new", "change", "detail", "breaking"),
    [
        (text, number, SchemaChange.TYPE, "string -> integer", True),
        (text, {**text, "format": "email"}, SchemaChange.FORMAT, "None -> email", False),
        ({**text, "format": "email"}, text, SchemaChange.FORMAT, "email -> None", True),
        (text, {**text, "enum": ["a", "b"]}, SchemaChange.VALUES_ADDED, "a, b", False),
        (
            {**text, "enum": ["a", "b"]},
            {**text, "enum": ["b"]},
            SchemaChange.VALUES_REMOVED,
            "a",
            True,
        ),
        (text, {**text, "deprecated": True}, SchemaChange.DEPRECATED, "", False),
        ({**text, "deprecated": True}, text, SchemaChange.REVIVED, "", False),
        ({**number, "minimum": 1}, number, SchemaChange.BOUND, "minimum 1 -> None", True),
        (
            {**number, "minimum": 1},
            {**number, "minimum": 0},
            SchemaChange.BOUND,
            "minimum 1 -> 0",
            True,
        ),
        (
            {**number, "minimum": 0},
            {**number, "minimum": 1},
            SchemaChange.BOUND,
            "minimum 0 -> 1",
            False,
        ),
        (
            {**number, "maximum": 5},
            {**number, "maximum": 9},
            SchemaChange.BOUND,
            "maximum 5 -> 9",
            True,
        ),
        (
            {**number, "maximum": 9},
            {**number, "maximum": 5},
            SchemaChange.BOUND,
            "maximum 9 -> 5",
            False,
        ),
        (text, {**text, "maxLength": 4}, SchemaChange.BOUND, "maxLength None -> 4", False),
    ],
)
def test_a_changed_field_is_reported_with_its_old_and_its_new_value(
    old: Schema, new: Schema, change: SchemaChange, detail: str, *, breaking: bool
) -> None:
    assert of_member(old, new) == [(change, detail, breaking)]


def test_to_become_required_breaks_nobody_and_to_become_optional_does() -> None:
    optional = webhook("first", {"m": text})
    required = webhook("first", {"m": text}, required=("m",))
    assert changes(optional, required) == [("m", SchemaChange.REQUIRED, "", False)]
    assert changes(required, optional) == [("m", SchemaChange.OPTIONAL, "", True)]


def test_an_added_or_removed_field_is_reported_once_for_all_below_it() -> None:
    users = {"type": "array", "items": {"type": "object", "properties": {"id": text, "n": text}}}
    without, within = webhook("first", {}), webhook("first", {"users": users})
    assert changes(without, within) == [("users", SchemaChange.FIELD_ADDED, "", False)]
    assert changes(within, without) == [("users", SchemaChange.FIELD_REMOVED, "", True)]


def test_a_field_of_the_items_of_an_array_has_a_path() -> None:
    def users(**members: Any) -> Schema:
        item = {"type": "object", "properties": members}
        return webhook("first", {"users": {"type": "array", "items": item}})

    assert changes(users(a=text), users(b=text)) == [
        ("users[].a", SchemaChange.FIELD_REMOVED, "", True),
        ("users[].b", SchemaChange.FIELD_ADDED, "", False),
    ]
    items = {"type": "array", "items": text}
    assert changes(users(a=text), webhook("first", {"users": items}))[0] == (
        "users[].a",
        SchemaChange.FIELD_REMOVED,
        "",
        True,
    )


def test_events_come_and_go() -> None:
    one = dict(json_schemas(document(first=webhook("first", {}))))
    two = dict(json_schemas(document(second=webhook("second", {}))))
    reported = [
        (each.event, each.path, each.change, each.breaking) for each in differences(one, two)
    ]
    assert reported == [
        ("contact_center.first", "", SchemaChange.EVENT_REMOVED, True),
        ("contact_center.second", "", SchemaChange.EVENT_ADDED, False),
    ]


def test_a_new_text_or_another_order_is_no_change() -> None:
    old = webhook("first", {"a": {**text, "description": "old"}, "b": {**text, "enum": ["x", "y"]}})
    new = webhook("first", {"b": {**text, "enum": ["y", "x"]}, "a": {**text, "description": "new"}})
    assert changes(old, new) == []
