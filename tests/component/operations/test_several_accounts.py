"""`zcc doctor` and `zcc api` with several accounts, each at a simulated Zoom of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.api.command import api_app
from operations.doctor.command import run as doctor
from runtime.clock import SystemClock
from simulator.company import make_company
from simulator.service import rest_api
from tests.support.simulator_receiver import simulator_settings
from tests.support.zoom_accounts import write

secret = "credentials of the tests"
companies = [make_company(seed) for seed in (1, 2)]
first, second = (company.account_id for company in companies)

Entry = dict[str, object]


@pytest.fixture
async def entries() -> AsyncIterator[dict[str, Entry]]:
    """Yield an entry of the file for each company."""
    async with AsyncExitStack() as stack:
        served: dict[str, Entry] = {}
        for company in companies:
            settings = simulator_settings("http://127.0.0.1:9/")
            base = await stack.enter_async_context(rest_api(settings, company))
            served[company.account_id] = {
                "account_id": company.account_id,
                "client_id": "app-1",
                "client_secret": secret,
                "oauth_url": f"{base}/oauth/token",
                "api_url": f"{base}/v2",
            }
        yield served


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: dict[str, Entry]) -> Path:
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(list(entries.values())))
    monkeypatch.setenv("ZCC_ZOOM_ACCOUNTS_FILE", str(path))
    return path


async def examined(capsys: pytest.CaptureFixture[str]) -> Mapping[str, list[str]]:
    """Run the doctor; return what it found, "state: text" by check."""
    capsys.readouterr()
    await doctor(as_json=True, clock=SystemClock())
    text = capsys.readouterr().out
    assert secret not in text
    findings: dict[str, list[str]] = {}
    for each in json.loads(text)["findings"]:
        findings.setdefault(each["check"], []).append(f"{each['state']}: {each['text']}")
    return findings


async def test_a_doctor_examines_each_account(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = await examined(capsys)
    tokens = findings["zoom token"]
    for text, account_id in zip(tokens, (first, second), strict=True):
        assert text.startswith(f"ok: account {account_id}: granted for the account; ")
    assert findings["clock"] == [
        f"ok: account {account_id}: 0 s from Zoom's" for account_id in (first, second)
    ]
    for account_id in (first, second):
        scopes = [text for text in findings["scopes enrichment"] if account_id in text]
        assert scopes
        assert all(text.startswith("ok: ") for text in scopes)


async def test_a_doctor_names_the_account_whose_credentials_are_wrong(
    file: Path, entries: dict[str, Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = entries[second] | {"client_secret": f"{secret}, but wrong"}
    write(file, entries[first], wrong)
    well, ill = (await examined(capsys))["zoom token"]
    assert well.startswith(f"ok: account {first}: ")
    assert ill.startswith(f"wrong: account {second}: credentials: ")


async def test_a_doctor_names_the_entry_that_is_wrong(
    file: Path, entries: dict[str, Entry], capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, entries[first], entries[second] | {"plan": "free"})
    findings = await examined(capsys)
    assert findings["zoom accounts"] == [
        "wrong: ZCC_ZOOM_ACCOUNTS_FILE: entry 2: plan: expected pro or business_plus"
    ]
    assert "zoom token" not in findings


async def test_a_doctor_says_that_there_are_no_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZCC_ZOOM_PLAN", "pro")
    findings = await examined(capsys)
    assert findings["zoom token"] == ["skipped: no credentials: events get no names from Zoom"]


async def test_the_chosen_account_is_called(file: Path) -> None:
    users = []
    for account_id in (first, second):
        call = ("call", "list_users", "--account", account_id, "--json")
        done = await asyncio.to_thread(CliRunner().invoke, api_app, call)
        assert done.exit_code == 0, done.output
        users.append({user["user_id"] for user in json.loads(done.stdout)["users"]})
    assert users[0]
    assert users[1]
    assert users[0].isdisjoint(users[1])
