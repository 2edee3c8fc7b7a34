"""Commands of `zcc api` call the only account, or the one that is chosen."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from operations.api.command import api_app
from runtime.errors import ConfigurationError, TransientError
from tests.support.zoom_accounts import entry, write

nowhere = "http://127.0.0.1:1"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "accounts.json"
    monkeypatch.setenv("ZCC_ZOOM_ACCOUNTS_FILE", str(path))
    monkeypatch.setenv("ZCC_ZOOM_OAUTH_URL", f"{nowhere}/token")
    write(
        path,
        entry("first", plan="business_plus", api_url=f"{nowhere}/v2"),
        entry("second", share=0.5),
    )
    return path


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(api_app, arguments)
    assert "first-secret" not in done.output + str(done.exception)
    return done


def refusal(*arguments: str) -> str:
    done = run(*arguments)
    assert isinstance(done.exception, ConfigurationError)
    assert done.stdout == ""
    return str(done.exception)


commands = [("call", "list_users"), ("download", f"{nowhere}/x", "--to", "x"), ("budget",)]


@pytest.mark.parametrize("command", commands)
def test_one_of_several_accounts_has_to_be_chosen(file: Path, command: tuple[str, ...]) -> None:
    several = "--account: there are several accounts: expected one of first, second"
    assert refusal(*command) == several


@pytest.mark.parametrize("command", commands)
def test_an_account_without_credentials_cannot_be_chosen(
    file: Path, command: tuple[str, ...]
) -> None:
    unknown = "--account: no credentials of this account: expected one of first, second"
    assert refusal(*command, "--account", "third") == unknown


@pytest.mark.parametrize("command", commands)
def test_without_credentials_the_variables_are_named(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ZCC_ZOOM_PLAN", "pro")
    assert refusal(*command) == (
        "no credentials of Zoom's API: set ZCC_ZOOM_ACCOUNT_ID, ZCC_ZOOM_CLIENT_ID and "
        "ZCC_ZOOM_CLIENT_SECRET, or ZCC_ZOOM_ACCOUNTS_FILE"
    )


def test_a_file_that_cannot_be_used_is_named(file: Path) -> None:
    file.write_text("[{}]")
    assert "ZCC_ZOOM_ACCOUNTS_FILE: entry 1: account_id is missing" in refusal("budget")


def test_the_only_account_of_a_file_is_called(file: Path) -> None:
    write(file, entry("first", api_url=f"{nowhere}/v2"))
    assert isinstance(run("call", "list_users").exception, TransientError)


@pytest.mark.parametrize(("account", "light", "share"), [("first", 40, 1.0), ("second", 20, 0.5)])
def test_a_budget_is_that_of_the_chosen_account(
    file: Path, account: str, light: int, share: float
) -> None:
    document = json.loads(run("budget", "--account", account, "--json").stdout)
    assert document["share"] == share
    assert document["labels"][0]["limit_per_second"] == light


def test_a_dry_run_needs_no_choice_and_goes_where_the_chosen_account_is(file: Path) -> None:
    request = ("call", "list_users", "--dry-run", "--json")
    assert json.loads(run(*request).stdout)["url"].startswith("https://api.zoom.us/v2/")
    chosen = json.loads(run(*request, "--account", "first").stdout)
    assert chosen["url"].startswith(f"{nowhere}/v2/")
