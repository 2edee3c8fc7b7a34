"""`zcc api`: what its commands print and refuse."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from operations.api.command import Wanted, api_app, generate
from operations.api.views import described as description
from operations.generated_files import write_changed
from operations.reference_docs.api_page import zoom_api_page
from runtime.errors import ConfigurationError
from tests.support.vendor_document import text_of
from tests.support.vendor_rest_document import Document, document, listing, operation, query
from zoom.catalogue import find, operations


def run(*arguments: str) -> Result:
    return CliRunner().invoke(api_app, arguments)


def listed(*arguments: str) -> list[str]:
    result = run("list", *arguments, "--json")
    assert result.exit_code == (0 if result.stdout.strip() != "[]" else 1)
    return [each["name"] for each in json.loads(result.stdout)]


def described(name: str) -> str:
    result = run("describe", name)
    assert result.exit_code == 0
    return result.stdout


def test_list_prints_every_operation_on_a_line_of_its_own() -> None:
    result = run("list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["operation", *operations()]
    assert "316 of 316 operations" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--tag", "Reports V1 (Legacy)", "status"],
            ["list_agent_status_history"],
        ),
        (["--tag", "reports_v1", "STATUS"], ["list_agent_status_history"]),
        (
            ["--label", "heavy", "--method", "delete"],
            ["delete_queue_scheduled_callback_attendee", "delete_team"],
        ),
        (["--scope", "voice_call_log:master"], ["list_account_voice_calls"]),
        (["contactCenterSMS"], ["send_sms"]),
        (["scheduled_callbacks/events"], ["schedule_queue_callback"]),
        (["view_type"], ["list_voice_calls", "list_account_voice_calls"]),
        (
            ["--deprecated", "--tag", "engagements"],
            ["list_engagements"],
        ),
        (["nothing of the kind"], []),
    ],
)
def test_list_keeps_to_what_is_wanted(arguments: list[str], expected: list[str]) -> None:
    assert listed(*arguments) == expected


def test_list_fails_where_nothing_is_as_wanted() -> None:
    result = run("list", "nothing of the kind")
    assert result.exit_code == 1
    assert "0 of 316 operations" in result.stderr


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "list_engagements",
            [
                "GET /contact_center/engagements",
                "HEAVY",
                "contact_center:read:list_engagements:admin",
                "next_page_token, 10 a page, at most 100",
                "else the last 24 hours; at most 28 days, beyond it refused",
                "Z is the zone of `timezone`, not UTC",
                "2026-01-31 or 2026-01-31T09:30:00Z or 2026-01-31T09:30:00+01:00",
                "└── engagements[] object",
                "300, 124",
            ],
        ),
        ("get_engagement", ["never notes", "engagement_id", "yes"]),
        ("list_agent_performance_dataset", ["from, to; deprecated; else", "asc, desc"]),
        ("list_historical_queue_metrics", ["not before the last 180 days"]),
        ("list_custom_report_data", ["page number, 30 a page, at most 300", "last 30 days"]),
        ("list_inbox_queues", ["one page only"]),
        ("list_business_hours", ["next_page_token\n"]),
        ("list_account_sms", ["a master account calls it for a sub account"]),
        ("delete_recording", ["reply: 204, no body"]),
        ("unassign_inbox_users", ["strings, comma-separated", "count 1 to 30", "unique items"]),
        ("update_queue_template", ["length 1 to 36"]),
        ("list_asset_categories", ["integer (int32)"]),
        (
            "create_campaign",
            [
                "body: application/json, required",
                "├── outbound_campaign_name* string length 1 to 100",
                "dialing_method_settings* one of",
                "│   ├── or object",
                "default progressive",
            ],
        ),
        ("create_asset", ["body: multipart/form-data, required"]),
        ("update_role", ["body: application/json, optional"]),
    ],
)
def test_describe_shows_what_is_known(name: str, expected: list[str]) -> None:
    shown = "\n".join(line.rstrip() for line in described(name).splitlines()) + "\n"
    for part in expected:
        assert part in shown


def test_an_operation_of_each_resource_shows_all_its_parameters() -> None:
    for sample in {each.resource: each for each in operations().values()}.values():
        shown = described(sample.name)
        for parameter in sample.parameters:
            assert parameter.name in shown


def test_a_deprecated_operation_says_so_everywhere() -> None:
    old = replace(find("get_user"), deprecated=True)
    table = Console(file=StringIO(), width=200)
    for part in description(old):
        table.print(part)
    assert isinstance(table.file, StringIO)
    assert re.search(r"deprecated +yes", table.file.getvalue())
    assert "LIGHT" in zoom_api_page({old.name: old})
    assert "| deprecated |" in zoom_api_page({old.name: old})
    assert Wanted(deprecated=True).admits(old)


def test_describe_prints_one_json_object_with_both_schemas() -> None:
    printed = json.loads(run("describe", "update_queue_agent", "--json").stdout)
    assert (printed["name"], printed["method"], printed["resource"]) == (
        "update_queue_agent",
        "PATCH",
        "queues",
    )
    assert [each["name"] for each in printed["parameters"]] == ["queue_id", "user_id"]
    assert "opt_in_out_status" in printed["body_schema"]["properties"]
    assert printed["reply_schema"] is None


def test_describe_refuses_a_name_that_does_not_exist_and_names_the_nearest() -> None:
    result = run("describe", "get_engagment")
    assert isinstance(result.exception, ConfigurationError)
    assert "did you mean get_engagement" in str(result.exception)


def written(path: Path, specification: Document) -> Path:
    path.write_bytes(text_of(specification))
    return path


@pytest.fixture
def rest(tmp_path: Path) -> Path:
    list_things = operation(parameters=(query("next_page_token"),), reply=listing())
    return written(tmp_path / "rest.json", document(**{"get_/things": list_things}))


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return written(tmp_path / "master.json", document())


def test_generate_writes_what_has_changed_and_prints_it(
    rest: Path, master: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("generate", "--rest", str(rest), "--master", str(master), "--out", str(out))
    typed = (f"resources/{name}.py" for name in ("__init__", "things"))
    types = (f"resources/types/{name}.py" for name in ("__init__", "things"))
    names = ("operations.json", *typed, *types, "schemas/things.json")
    files = [out / name for name in names]
    assert sorted(run(*arguments).stdout.split()) == [str(path) for path in files]
    assert run(*arguments).stdout == ""

    files[-1].write_text("{}")
    assert run(*arguments).stdout.split() == [str(files[-1])]
    assert sorted(path for path in out.rglob("*") if path.is_file()) == files


def test_generate_refuses_a_document_in_one_line_that_names_the_file_and_the_place(
    rest: Path, master: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.json: cannot read it: No such file"):
        generate(tmp_path / "nowhere.json", master, tmp_path)
    master.write_text("{")
    with pytest.raises(ConfigurationError, match=r"master\.json#: the text ends here"):
        generate(rest, master, tmp_path)
    written(master, document(**{"get_/a": operation(label="FEATHER")}))
    place = "#/paths/~1contact_center~1a/get/description: expected a label"
    with pytest.raises(ConfigurationError) as refusal:
        generate(rest, master, tmp_path)
    assert place in str(refusal.value)


def test_files_that_cannot_be_written_are_refused_and_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "schemas").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="cannot write there"):
        write_changed({"operations.json": b"[]", "schemas/things.json": b"{}"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["schemas"]


def test_the_reference_page_has_each_operation_once_with_its_label() -> None:
    rows: list[Any] = [
        line.split(" | ") for line in zoom_api_page(operations()).splitlines() if "| `" in line
    ]
    assert [row[0] for row in rows] == [f"| `{name}`" for name in operations()]
    assert [row[2] for row in rows] == [each.label.value for each in operations().values()]
