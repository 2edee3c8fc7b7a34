"""`zcc api call` before anything is sent: its help, its refusals, its dry run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from operations.api.command import api_app
from runtime.errors import ConfigurationError
from tests.support.each_case import each_case
from zoom.catalogue import operations

secret = "not-to-be-seen-anywhere"
environment: dict[str, str | None] = {
    "ZCC_ZOOM_ACCOUNT_ID": "a",
    "ZCC_ZOOM_CLIENT_ID": "c",
    "ZCC_ZOOM_CLIENT_SECRET": secret,
    "ZCC_ZOOM_API_URL": "http://127.0.0.1:1/v2",
    "ZCC_ZOOM_OAUTH_URL": "http://127.0.0.1:1/token",
}
skill = '{"skill_name": "Words"}'


def run(*arguments: str, stdin: str = "", configured: bool = False) -> Result:
    env = environment if configured else dict.fromkeys(environment)
    return CliRunner().invoke(api_app, ["call", *arguments], env=env, input=stdin)


def refusal(*arguments: str, stdin: str = "") -> str:
    done = run(*arguments, stdin=stdin, configured=True)
    assert isinstance(done.exception, ConfigurationError)
    assert done.stdout == ""
    assert "\n" not in str(done.exception)
    return str(done.exception)


def test_a_dry_run_prints_the_request_and_needs_neither_token_nor_settings() -> None:
    done = run("list_users", "--page-size", "30", "--dry-run")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:2] == [
        "GET https://api.zoom.us/v2/contact_center/users?page_size=30",
        "Authorization: Bearer (a token of the app)",
    ]


def test_a_dry_run_goes_to_the_configured_address_and_shows_no_secret() -> None:
    done = run(
        "create_skill", "--body", skill, "--dry-run", "--json", configured=True
    )  # needs no --allow-writes: it changes nothing
    assert json.loads(done.stdout) == {
        "method": "POST",
        "url": "http://127.0.0.1:1/v2/contact_center/skills",
        "headers": {
            "Authorization": "Bearer (a token of the app)",
            "Content-Type": "application/json",
        },
        "body": {"skill_name": "Words"},
    }
    assert secret not in done.output


def test_a_dry_run_prints_the_body_for_people() -> None:
    done = run("create_skill", "--body", '{"skill_name": "a\\u001b[2J"}', "--dry-run")
    assert done.exit_code == 0
    assert '  "skill_name": "a\\u001b[2J"' in done.stdout


def test_a_dry_run_of_all_pages_prints_the_first_request_of_each_window() -> None:
    done = run(
        *("list_engagements", "--from", "2026-01-01", "--to", "2026-02-28"),
        *("--page-all", "--dry-run", "--json"),
    )
    urls = [json.loads(line)["url"] for line in done.stdout.splitlines()]
    assert len(urls) == 3
    assert "from=2026-01-01&" in urls[0]
    assert "to=2026-02-28&" in urls[2]


def test_files_go_out_in_parts(tmp_path: Path) -> None:
    file = tmp_path / "flow.json"
    file.write_bytes(b"12345")
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"flow_name": "f", "flow_file": str(file)}))
    done = run("import_flow", "--body", f"@{body}", "--dry-run", "--json")
    output = json.loads(done.stdout)
    assert output["headers"]["Content-Type"] == "multipart/form-data"
    assert output["parts"] == [
        {"name": "flow_name", "text": "f"},
        {"name": "flow_file", "file": "flow.json", "size_bytes": 5},
    ]
    people = run("import_flow", "--body", f"@{body}", "--dry-run").stdout
    assert "file: flow.json\nsize_bytes: 5" in people


def test_a_body_may_come_from_standard_input() -> None:
    done = run("create_skill", "--body", "-", "--dry-run", "--json", stdin=skill)
    assert json.loads(done.stdout)["body"] == {"skill_name": "Words"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected an operation"),
        (["get_usr"], "there is no operation 'get_usr': did you mean get_user"),
        (["get_user"], "get_user: user_id: is required"),
        (["get_user", "--usr-id", "x"], "--usr-id: is not an option of this operation"),
        (["list_users", "--page-size", "9999"], "page_size: expected a whole number up to 300"),
        (["get_user", "--user-id", "u", "--page-all"], "--page-all: get_user returns no list"),
        (["list_users", "--page-all", "--body", "{}"], "--body: list_users takes none"),
        (["list_users", "--page-all", "--page", "2"], "--page: is not an option"),
        (["list_users", "--page-all", "--next-page-token", "t"], "next_page_token: expected none"),
        (["import_flow"], "import_flow: body: is required"),
        (["create_skill", "--body", "{"], "--body: expected JSON, @FILE or -"),
        (["create_skill", "--body", "@nowhere.json"], "nowhere.json: cannot read it"),
        (["create_skill", "--body", '{"skill_name": 7}'], "body.skill_name: expected text"),
        (["create_skill", "--body", skill], "POST /contact_center/skills changes the account"),
        (["delete_skill", "--skill-id", "s"], "allow it with --allow-writes"),
    ],
)
def test_an_invalid_call_is_refused_in_one_line(arguments: list[str], message: str) -> None:
    assert message in refusal(*arguments)


def test_a_write_is_confirmed_but_not_by_the_input_that_is_its_body() -> None:
    write = ("create_skill", "--allow-writes", "--body")
    assert "confirm with --yes" in refusal(*write, "-", stdin=skill)
    for answer in ("n\n", ""):
        done = run(*write, skill, stdin=answer, configured=True)
        assert done.exit_code == 1
        assert "POST /contact_center/skills?" in done.stderr
    sent = run(*write, skill, "--yes", configured=True)
    assert "network" in str(sent.exception)


@pytest.mark.thorough
@each_case("name", operations())
def test_the_help_of_every_operation_lists_its_options(name: str) -> None:
    done = run(name, "--help")
    assert done.exit_code == 0
    for parameter in operations()[name].parameters:
        assert f"--{parameter.name.replace('_', '-')} " in done.stdout


def test_settings_that_are_missing_are_named() -> None:
    done = run("list_users")
    assert isinstance(done.exception, ConfigurationError)
    assert "ZCC_ZOOM_ACCOUNT_ID" in str(done.exception)
