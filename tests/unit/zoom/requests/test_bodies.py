"""What is checked of a body, and how it is written."""

from typing import Any

import orjson
import pytest

from zoom.catalogue import body_schema, find, operations
from zoom.errors import ArgumentError
from zoom.messages import MultipartPart
from zoom.requests.bodies import File, RequestContent, content

secret = "secret name"


def refused(operation: str, body: object) -> str:
    with pytest.raises(ArgumentError) as caught:
        content(find(operation), body)
    assert secret not in f"{caught.value!r}"
    return str(caught.value)


def test_a_body_is_written_as_json_with_members_that_nobody_knows_and_null() -> None:
    body = {"queue_name": "Ä", "channel": "voice", "new": {"x": [1]}, "queue_description": None}
    written = content(find("create_queue"), body)
    assert orjson.loads(written.json) == body
    assert written.parts == ()


def test_no_body_is_none_where_it_may_be() -> None:
    assert content(find("get_user"), None) == RequestContent()
    assert content(find("create_queue"), None) == RequestContent()


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("create_team", None, "create_team: body: is required"),
        ("get_user", {}, "get_user: body: is not taken"),
        ("delete_skill", {}, "delete_skill: body: is not taken"),
        ("create_queue", [secret], "body: expected an object, got list"),
        ("create_queue", secret, "body: expected an object, got str"),
        ("create_team", {"team_name": secret}, "body.parent_team_id: is required"),
        (
            "create_team",
            {"team_name": secret, "parent_team_id": None},
            "body.parent_team_id: is required",
        ),
        ("create_queue", {"queue_name": 5}, "body.queue_name: expected text, got int"),
        ("create_queue", {"queue_name": secret * 20}, "body.queue_name: expected at most 150"),
        ("create_queue", {"channel": secret}, "body.channel: expected one of voice, video"),
        ("create_queue", {"channel_types": secret}, "body.channel_types: expected an array"),
        ("create_queue", {"channel_types": [secret]}, "body.channel_types[0]: expected one of"),
        (
            "create_queue",
            {"channel_types": ["sms", "sms"]},
            "body.channel_types: expected at most 1 items",
        ),
        ("create_queue", {"queue_name": "\ud800"}, "body: expected what JSON can hold"),
        ("create_queue", {"new": object()}, "body: expected what JSON can hold"),
        ("create_queue", {5: "x"}, "body: expected what JSON can hold"),
    ],
)
def test_a_wrong_body_is_refused_with_the_reason(
    operation: str, body: object, expected: str
) -> None:
    assert expected in refused(operation, body)


def by_kind(kind: str) -> tuple[str, str, dict[str, Any]]:
    """Some operation with a member of this type that it does not require, and its schema."""
    for operation in operations().values():
        schema = body_schema(operation) or {}
        for name, member in schema.get("properties", {}).items():
            if member.get("type") == kind and not schema.get("required"):
                return operation.name, name, dict(member)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("integer", [True, 1.5, "1"]),
        ("boolean", [1, "true"]),
        ("object", [[], "x"]),
        ("array", [{}, "x", {1}]),
        ("string", [1, b"x", ["x"]]),
    ],
)
def test_each_type_refuses_the_others(kind: str, wrong: list[object]) -> None:
    operation, name, _ = by_kind(kind)
    for value in wrong:
        assert f"body.{name}: expected" in refused(operation, {name: value})


def test_what_is_required_but_deprecated_may_be_missing() -> None:
    contact = {"display_name": "n", "phones": [{"phone_number": "+12025550123"}]}
    assert content(find("create_address_book_contact"), contact).json


def test_numbers_have_bounds() -> None:
    bounded = next(
        (operation.name, name, member)
        for operation in operations().values()
        for name, member in _members(operation.name)
        if "minimum" in member and "maximum" in member
    )
    operation, name, member = bounded
    place = f"body.{name}: expected"
    assert f"{place} at least {member['minimum']}" in refused(
        operation, {name: member["minimum"] - 1}
    )
    assert f"{place} at most {member['maximum']}" in refused(
        operation, {name: member["maximum"] + 1}
    )


def _members(operation: str) -> list[tuple[str, dict[str, Any]]]:
    schema = body_schema(find(operation)) or {}
    return [] if schema.get("required") else list(schema.get("properties", {}).items())


flow = {"flow_name": "A flow", "import_mode": "new", "flow_file": File("a.json", b"{}")}


def test_a_body_with_a_file_goes_out_in_parts() -> None:
    written = content(find("import_flow"), flow)
    assert written.json == b""
    assert written.parts == (
        MultipartPart("flow_name", b"A flow"),
        MultipartPart("import_mode", b"new"),
        MultipartPart("flow_file", b"{}", "a.json", "application/octet-stream"),
    )


def test_nested_members_next_to_a_file_have_names_of_their_own() -> None:
    item = {
        "asset_item_name": "n",
        "is_default": True,
        "upload_file": File("a.wav", b"RIFF", "audio/wav"),
        "asset_item_voice": None,
    }
    parts = content(find("update_asset"), {"asset_items": [item]}).parts
    assert parts == (
        MultipartPart("asset_items[0].asset_item_name", b"n"),
        MultipartPart("asset_items[0].is_default", b"true"),
        MultipartPart("asset_items[0].upload_file", b"RIFF", "a.wav", "audio/wav"),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"flow_file": None}, "body.flow_file: is required"),
        ({"flow_file": secret}, "body.flow_file: expected a zoom.requests.bodies.File, got str"),
        ({"flow_file": File("", b"x")}, "body.flow_file: expected a file with a name"),
        ({"flow_file": File("a\r\nb", b"x")}, "body.flow_file: expected a file with a name"),
        ({"flow_file": File("a", b"x", "a\nb")}, "body.flow_file: expected a file with a name"),
        ({"new": object()}, "body.new: expected a file, text, a number"),
        ({"flow_name": "a\ud800"}, "body.flow_name: expected a file, text, a number"),
    ],
)
def test_parts_that_cannot_be_written_are_refused(
    changes: dict[str, object], expected: str
) -> None:
    assert expected in refused("import_flow", flow | changes)


def test_a_body_does_not_show_itself() -> None:
    assert secret not in repr(content(find("create_queue"), {"queue_name": secret}))
    assert secret not in repr(File("a", secret.encode()))
