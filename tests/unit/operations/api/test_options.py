"""Options of `zcc api call` become the arguments of its operation."""

import pytest

from operations.api.options import arguments, body_of, option_of, with_files
from zoom.catalogue import body_schema, find, operations
from zoom.errors import ArgumentError
from zoom.requests.bodies import File

list_users = find("list_users")


def test_every_parameter_of_every_operation_has_an_option_of_its_own() -> None:
    own = {"--body", "--page-all", "--json", "--dry-run", "--allow-writes", "--yes", "--help"}
    for operation in operations().values():
        options = [option_of(parameter) for parameter in operation.parameters]
        assert len({*options, *own}) == len(options) + len(own)


@pytest.mark.parametrize(
    ("operation", "words", "expected"),
    [
        ("get_user", ["--user-id", "u"], {"user_id": "u"}),
        ("get_user", ["--user_id=--u=v"], {"user_id": "--u=v"}),
        ("get_user", ["--user-id", "-1"], {"user_id": "-1"}),
        ("list_users", ["--page-size", "30"], {"page_size": 30}),
        ("list_engagements", ["--from", "2026-01-01"], {"from_": "2026-01-01"}),
        ("list_inboxes", [], {}),
    ],
)
def test_an_option_is_read_by_the_type_of_its_parameter(
    operation: str, words: list[str], expected: dict[str, object]
) -> None:
    assert arguments(find(operation), words) == expected


def test_an_array_is_given_item_by_item_or_with_commas() -> None:
    operation = find("unassign_inbox_users")
    (array,) = [each for each in operation.parameters if each.type == "array"]
    option = option_of(array)
    words = [option, "a", f"{option}=b,c"]
    assert arguments(operation, words) == {array.argument: ["a", "b", "c"]}


def test_true_and_false_are_the_only_booleans() -> None:
    first = next(
        (operation, each)
        for operation in operations().values()
        for each in operation.parameters
        if each.type == "boolean"
    )
    operation, parameter = first
    option = option_of(parameter)
    assert arguments(operation, [option, "true"]) == {parameter.argument: True}
    assert arguments(operation, [option, "false"]) == {parameter.argument: False}
    with pytest.raises(ArgumentError, match="expected true or false"):
        arguments(operation, [option, "yes"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--page-sice", "3"], "--page-sice: is not an option of this operation; .*--page-size"),
        (["--page-size", "many"], "--page-size: expected a whole number$"),
        (["--page-size", "9" * 5000], "--page-size: expected a whole number$"),
        (["--page-size"], "--page-size: expected a value"),
        (["--page-size", "--role-id"], "--page-size: expected a value"),
        (["--page-size", "3", "--page_size", "4"], "--page-size: expected once"),
        (["secret"], "options: expected --name value, or --name=value$"),
    ],
)
def test_what_is_no_option_is_refused_by_name(words: list[str], message: str) -> None:
    with pytest.raises(ArgumentError, match=message) as refusal:
        arguments(list_users, words)
    assert "secret" not in str(refusal.value)


def test_a_body_that_is_no_json_is_refused_by_place_without_its_text() -> None:
    assert body_of(list_users, b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(ArgumentError, match=r"--body: .*line 1, column 7") as refusal:
        body_of(list_users, b'{"a": secret}')
    assert "secret" not in str(refusal.value)


def test_members_that_are_files_are_read_from_their_paths() -> None:
    def read(path: str) -> File:
        return File(path, b"content")

    flow = {"flow_name": "f", "flow_file": "a.json", "novel": "b"}
    schema = body_schema(find("import_flow")) or {}
    assert with_files(flow, schema, read) == flow | {"flow_file": File("a.json", b"content")}
    asset = {"asset_items": [{"upload_file": "a.mp3"}, {"asset_item_content": "text"}]}
    schema = body_schema(find("create_asset")) or {}
    assert with_files(asset, schema, read) == {
        "asset_items": [{"upload_file": File("a.mp3", b"content")}, {"asset_item_content": "text"}]
    }
