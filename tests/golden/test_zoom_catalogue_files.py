"""The committed catalogue is what the vendor's documents say, and no name in it changes unseen.

Without the vendor's files a test that needs one holds to the digest
(tests/support/vendor_digest.py).
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from operations.api.command import generate
from tests.support.vendor_digest import rest_files, vendor_file
from zoom.catalogue import (
    Operation,
    Parameter,
    Schema,
    body_schema,
    operations,
    reply_schema,
)
from zoom.generation.names import snake
from zoom.limits import Label

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "zoom"

DIALECT = "https://json-schema.org/draft/2020-12/schema"

LISTS_TYPED_AS_TEXT = {
    "channel",
    "direction",
    "asset_type",
    "asset_language_code",
    "user_ids",
}
"""Query parameters that the vendor types as a string, and describes or shows as a list."""

OUTSIDE_THE_ANALYSIS = "list_queue_scheduled_callback_supportive_slots"
"""Its window has bounds too, but they were not counted: it looks ahead, not back."""


def vendor_documents() -> tuple[Path, Path]:
    return vendor_file("rest.openapi.json"), vendor_file("master.openapi.json")


def key(method: str, path: str) -> tuple[str, str]:
    return method, re.sub(r"{\w+}", "{}", path)


def analysed() -> Iterator[tuple[Operation, dict[str, Any]]]:
    """Each operation of the catalogue with its row of the analysis."""
    source = vendor_file("rest_ops.json")
    rows = {key(row["method"], row["path"]): row for row in orjson.loads(source.read_bytes())}
    ours = {key(each.method, each.path): each for each in operations().values()}
    assert ours.keys() == rows.keys()
    for place, operation in ours.items():
        yield operation, rows[place]


def committed() -> dict[str, bytes]:
    return {str(path.relative_to(CATALOGUE)): path.read_bytes() for path in rest_files()}


def schemas() -> Iterator[tuple[str, Schema]]:
    """Every body and reply, by the name of its operation."""
    for operation in operations().values():
        for schema in (body_schema(operation), reply_schema(operation)):
            if schema is not None:
                yield operation.name, schema


def test_the_vendors_documents_give_exactly_the_committed_files(tmp_path: Path) -> None:
    rest, master = vendor_documents()
    generate(rest, master, tmp_path)
    fresh = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    stale = {name for name, content in committed().items() if fresh.get(name) != content}
    assert stale == set(), "run: zcc api generate"
    assert fresh.keys() == committed().keys(), "a file is left over, or one is missing"


def test_a_second_generation_changes_nothing(tmp_path: Path) -> None:
    rest, master = vendor_documents()
    assert generate(rest, master, tmp_path)
    assert generate(rest, master, tmp_path) == []


def test_every_operation_keeps_its_name() -> None:
    """Who calls `client.call("get_engagement")` depends on it: a change here breaks callers."""
    written = (Path(__file__).parent / "zoom_operation_names.txt").read_text().splitlines()
    assert [
        f"{each.name} {each.resource}.{each.action} {each.method} {each.path}"
        for each in operations().values()
    ] == written


def test_names_are_words_of_python_and_stand_for_one_operation_each() -> None:
    named = [(each.resource, each.action) for each in operations().values()]
    assert len(set(named)) == len(operations()) == 316
    for each in operations().values():
        words = (each.name, each.resource, each.action, *(p.argument for p in each.parameters))
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", word) for word in words), each.name
        assert len({p.argument for p in each.parameters}) == len(each.parameters)


def test_the_numbers_are_those_of_the_vendors_documents() -> None:
    account = [each for each in operations().values() if not each.for_master]
    master = [each for each in operations().values() if each.for_master]
    assert Counter(each.label for each in account) == {
        Label.LIGHT: 180,
        Label.MEDIUM: 106,
        Label.HEAVY: 28,
    }
    assert [each.label for each in master] == [Label.HEAVY] * 2
    assert Counter(each.method for each in account) == {
        "GET": 144,
        "DELETE": 62,
        "POST": 58,
        "PATCH": 47,
        "PUT": 3,
    }
    assert sum(each.writes for each in operations().values()) == 170
    styles = Counter(each.paging.style for each in account if each.paging)
    # 95 answer with a token, of which one cannot be sent back.
    assert styles == {"next_page_token": 94, "reply_token_only": 1, "page_number": 1}
    assert all(each.paging and each.paging.style == "next_page_token" for each in master)
    assert len({scope for each in account for scope in each.scopes.all}) == 282


def test_every_list_names_the_array_that_its_reply_has() -> None:
    lists = [each for each in operations().values() if each.reply.items]
    assert len(lists) == 98 + 6, "98 of them page"
    for each in operations().values():
        assert (each.reply.items is not None) == each.name.startswith("list_")
        if each.reply.items:
            schema = reply_schema(each)
            assert schema is not None
            assert schema["properties"][each.reply.items]["type"] == "array"


def test_a_path_holds_exactly_its_parameters_and_all_of_them_are_required() -> None:
    for each in operations().values():
        in_path = [parameter for parameter in each.parameters if parameter.location == "path"]
        assert re.findall(r"{(\w+)}", each.path) == [parameter.name for parameter in in_path]
        assert all(parameter.required for parameter in in_path)


def test_schemas_are_valid_and_there_is_one_where_there_is_a_body() -> None:
    for each in operations().values():
        assert (body_schema(each) is None) == (each.body is None)
        assert (reply_schema(each) is None) == (each.reply.content_type is None)
    for _, schema in schemas():
        jsonschema_rs.meta.validate({"$schema": DIALECT, **schema})


def test_bodies_are_closed_and_replies_open() -> None:
    for each in operations().values():
        assert "x-known-values" not in set(members_of(body_schema(each) or {}))
        assert "enum" not in set(members_of(reply_schema(each) or {}))


def members_of(schema: Schema) -> Iterator[str]:
    """The keywords of a schema and of all inside it."""
    yield from schema
    inner = [*schema.get("properties", {}).values(), *schema.get("oneOf", ())]
    for each in (*inner, *([schema["items"]] if "items" in schema else [])):
        yield from members_of(each)


def test_the_catalogue_holds_none_of_the_vendors_prose() -> None:
    prose = {"description", "example", "examples", "title", "summary"}
    for name, schema in schemas():
        assert prose.isdisjoint(members_of(schema)), name
    for name, content in committed().items():
        for text in texts_in(orjson.loads(content)) if name.endswith(".json") else ():
            assert len(text.split()) < 5, f"a sentence in {name}: {text}"
            assert not re.search(r"https?:|@", text), f"an address in {name}: {text}"


def texts_in(value: object) -> Iterator[str]:
    """Every text of a JSON value; members' names are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def test_labels_scopes_statuses_and_codes_agree_with_the_analysis() -> None:
    for ours, row in analysed():
        assert (ours.label, ours.tag, ours.vendor_id) == (
            row["rate_limit"],
            row["tag"],
            row["operation_id"],
        )
        assert list(ours.scopes.classic) == row["scopes_classic"]
        assert list(ours.scopes.granular) == row["scopes_granular"]
        assert [str(ours.reply.status)] == row["success"]
        listed = {(str(status), code) for status, codes in ours.errors.items() for code in codes}
        expected = (each.partition(":")[::2] for each in row["error_codes"])
        assert listed == {(status, int(code)) for status, code in expected if code}
        statuses = {str(ours.reply.status), *map(str, ours.errors)}
        assert statuses == set(row["documented_statuses"])


def test_parameters_agree_with_the_analysis() -> None:
    for ours, row in analysed():
        documented = {each["name"]: each for each in row["query"]}
        for parameter in ours.parameters:
            if parameter.location == "query":
                expected = documented.pop(parameter.name)
                assert parameter.required == expected["required"]
                assert parameter.deprecated == expected["deprecated"]
                assert (parameter.default, parameter.maximum) == (
                    expected["default"],
                    expected["max"],
                )
                assert list(parameter.values) == (expected["enum"] or [])
                if parameter.type != expected["type"]:
                    assert (parameter.type, expected["type"]) == ("array", "string")
                    assert parameter.name in LISTS_TYPED_AS_TEXT
        assert documented == {}


def test_every_published_example_of_a_parameter_is_what_the_parameter_may_be() -> None:
    """By the vendor's own schemas 23 of them are not: lists in disguise, masks for patterns."""
    ours = {key(each.method, each.path): each for each in operations().values()}
    checked = 0
    for source in vendor_documents():
        for path, item in orjson.loads(source.read_bytes())["paths"].items():
            for method, described in item.items():
                operation = ours[key(method.upper(), path)]
                named = {each.name: each for each in operation.parameters}
                for parameter in described.get("parameters", ()):
                    example = parameter["schema"].get("example")
                    name = (
                        snake(parameter["name"]) if parameter["in"] == "path" else parameter["name"]
                    )
                    if example is not None:
                        require_fit(named[name], example)
                        checked += 1
    assert checked > 900


def require_fit(parameter: Parameter, example: Any) -> None:
    kinds = {"string": str, "array": str, "integer": int, "boolean": bool}
    if parameter.type != "array":
        values = [example]
    else:
        values = re.split(", *", example) if isinstance(example, str) else example
        assert len(values) <= (parameter.max_items or len(values))
    for value in values:
        assert isinstance(value, kinds[parameter.type]), parameter.name
        assert value in (parameter.values or [value]), parameter.name
        assert value not in parameter.reserved
        if isinstance(value, str):
            assert len(value) <= (parameter.max_length or len(value)), parameter.name
        else:
            assert value <= (parameter.maximum or value), parameter.name


def test_pages_agree_with_the_analysis() -> None:
    styles = {"response_token_only": "reply_token_only", "none": None}
    for ours, row in analysed():
        documented, pages = row["pagination"], ours.paging
        assert (pages.style if pages else None) == styles.get(
            documented["style"], documented["style"]
        )
        if pages is not None:
            assert [ours.reply.items] == row["response_array"]
            assert (pages.size_default, pages.size_max, pages.reply_size_max) == (
                documented["page_size_default"],
                documented["page_size_max"],
                documented["response_page_size_max"],
            )
            assert (pages.total_records, pages.has_more) == (
                documented["total_records"],
                documented["has_more"],
            )


def test_windows_agree_with_the_analysis() -> None:
    hours = {24: "24 hours", 720: "30 days", None: None}
    days = {28: "1 month", 180: "6 months", None: None}
    beyond = {"refused": "error", "truncated": "silently", None: ""}
    for ours, row in analysed():
        documented = row["window"] or {"params": [], "deprecated": []}
        assert [window.start for window in ours.windows] == documented["params"]
        assert [window.start for window in ours.windows if window.deprecated] == documented[
            "deprecated"
        ]
        for window in ours.windows if ours.name != OUTSIDE_THE_ANALYSIS else ():
            assert hours[window.default_hours] == documented["default_window"]
            assert days[window.longest_days] == documented["max_window"]
            assert (documented["over_window"] or "").partition(" ")[0] == beyond[window.beyond]
            assert days[window.lookback_days] == documented["lookback"]
            assert window.z_is_literal == documented["z_is_literal"]


def test_every_documented_error_is_listed_at_its_operations() -> None:
    source = vendor_file("errors.json")
    ours = {f"{each.method} {key('', each.path)[1]}": each for each in operations().values()}
    for row in orjson.loads(source.read_bytes()):
        if row["code"].strip():
            for place in row["ops"]:
                operation = ours[re.sub(r"{\w+}", "{}", place)]
                assert int(row["code"]) in operation.errors[int(row["http"])], place
