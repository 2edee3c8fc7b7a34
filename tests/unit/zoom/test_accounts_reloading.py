"""Accounts follow their file: they come, change and go without a restart."""

import asyncio
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest
import structlog.testing

from runtime.errors import ConfigurationError
from tests.support.patience import HANG_GUARD_S
from tests.support.zoom_accounts import Rig, accounts_of, entry, figure, write, write_text
from zoom.client import ZoomClient
from zoom.errors import ForbiddenError, UnavailableError
from zoom.limits import Priority
from zoom.settings import ZoomSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    write(path, entry("first"), entry("second"))
    return path


def client_of(rig: Rig, account_id: str) -> ZoomClient:
    client = rig.accounts.client(account_id)
    assert client is not None
    return client


def content(file: Path) -> str:
    return file.read_text()


def reloads(outcome: str) -> float:
    return figure("zcc_zoom_account_reloads_total", outcome=outcome) or 0.0


async def ends(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not condition():
            await asyncio.sleep(0)


async def test_an_account_that_comes_has_a_client_and_one_that_goes_has_none(file: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
            assert rig.accounts.client("third") is None
            write(file, entry("second"), entry("third"))
            await rig.clock.read()
            assert rig.accounts.account_ids == ("second", "third")
            assert await rig.call("third") == {"user_id": "u"}
            assert rig.accounts.client("first") is None
            write(file, entry("second"))
            await rig.clock.read()
            assert rig.accounts.client("third") is None
    logged = [(each["event"], each.get("account")) for each in logs if "account" in each]
    no_credentials = "zoom account has no credentials"
    assert logged == [(no_credentials, name) for name in ("third", "first", "third")]
    (read, _) = [each for each in logs if each["event"] == "zoom accounts read"]
    assert (read["added"], read["removed"], read["changed"]) == (["third"], ["first"], [])


async def test_a_file_as_before_changes_nothing(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        before, clients = reloads("taken"), [client_of(rig, name) for name in ("first", "second")]
        write_text(file, f" {content(file)}\n")
        await rig.clock.read()
        assert reloads("taken") == before
        assert [client_of(rig, name) for name in ("first", "second")] == clients


def as_kubernetes_does(file: Path, content: Mapping[str, str]) -> None:
    """Mount the files below a folder that a symbolic link names, and swap the link."""
    folder = file.parent
    version = folder / f"..version-{len(list(folder.glob('..version-*')))}"
    version.mkdir()
    for name, text in content.items():
        (version / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data.new").symlink_to(version.name)
    (folder / "..data.new").replace(folder / "..data")


async def test_a_secret_that_kubernetes_replaces_gives_the_next_token(file: Path) -> None:
    write(file, entry("first", client_secret=None, client_secret_file="first.secret"))
    entries = content(file)
    as_kubernetes_does(file, {"accounts.json": entries, "first.secret": "old"})
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        held = client_of(rig, "first")
        await held.call("get_user", user_id="u")
        as_kubernetes_does(file, {"accounts.json": entries, "first.secret": "new"})
        await rig.clock.read()
        await held.call("get_user", user_id="u")
        assert rig.transport("first").logins == ["client-of-first:old", "client-of-first:new"]
        assert rig.transport("first").tokens == ["token-1-of-first", "token-2-of-first"]
        assert len(rig.transports["first"]) == 1


async def test_corrected_credentials_are_tried_at_once(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        rig.refused.add("client-of-first:first-secret")
        with pytest.raises(ConfigurationError, match="credentials"):
            await rig.call("first")
        write(file, entry("first", client_secret="corrected"), entry("second"))
        await rig.clock.read()
        assert await rig.call("first") == {"user_id": "u"}


async def test_a_call_in_flight_ends_with_the_token_that_it_has(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig, asyncio.TaskGroup() as tasks:
        transport = rig.transport("first")
        transport.answers.clear()
        call = tasks.create_task(rig.call("first"))
        await transport.has_call.wait()
        write(file, entry("first", client_secret="rotated"), entry("second"))
        await rig.clock.read()
        transport.answers.set()
        assert await call == {"user_id": "u"}
        assert transport.tokens == ["token-1-of-first"]


async def test_other_limits_apply_to_a_client_that_is_held(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        held = client_of(rig, "first").at(Priority.INTERACTIVE)
        await held.call("get_user", user_id="u")
        write(file, entry("first", plan="business_plus", share=0.5), entry("second"))
        await rig.clock.read()
        assert held.scheduler.snapshot()[0].limit_per_second == 40
        limit = {"label": "LIGHT", "window": "second", "account": "first"}
        assert figure("zcc_zoom_budget_limit", **limit) == 20
        await held.call("get_user", user_id="u")
        assert len(rig.transport("first").logins) == 1


async def test_a_window_separates_calls_within_the_old_limit_from_those_within_the_new(
    file: Path,
) -> None:
    slow = {"calls_per_second": {"LIGHT": 1}}
    write(file, entry("first", **slow))
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        for entries in (
            [entry("first", **slow)],
            [entry("first", calls_per_second={"LIGHT": 2})],
            [entry("second")],
            [entry("first", **slow)],
        ):
            write(file, *entries)
            await rig.clock.read()
            if "first" in rig.accounts.account_ids:
                await rig.call("first")
        calls_s = [at_s for each in rig.transports["first"] for at_s in each.calls_s]
    assert len(calls_s) == 3
    assert all(later - sooner >= 1 for sooner, later in pairwise(calls_s))


async def test_an_account_that_goes_closes_when_its_calls_in_flight_have_ended(
    file: Path,
) -> None:
    limit = {"label": "LIGHT", "window": "second", "account": "first"}
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig, asyncio.TaskGroup() as tasks:
        held, transport = client_of(rig, "first"), rig.transport("first")
        transport.answers.clear()
        call = tasks.create_task(rig.call("first"))
        await transport.has_call.wait()
        write(file, entry("second"))
        await rig.clock.read()
        assert rig.accounts.client("first") is None
        with pytest.raises(ForbiddenError, match="no credentials any more"):
            await held.call("get_user", user_id="u")
        assert transport.is_open
        assert figure("zcc_zoom_budget_limit", **limit) == 0
        transport.answers.set()
        assert await call == {"user_id": "u"}
        await ends(lambda: not transport.is_open)
        await ends(lambda: figure("zcc_zoom_budget_limit", **limit) is None)
        assert await rig.call("second") == {"user_id": "u"}
        assert figure("zcc_zoom_budget_limit", **(limit | {"account": "second"})) == 20


async def test_a_call_that_waits_for_the_budget_of_an_account_that_goes_is_refused(
    file: Path,
) -> None:
    settings = ZoomSettings(accounts_file=file, budget_wait_s=0.05)
    async with accounts_of(settings, member_share=None) as rig, asyncio.TaskGroup() as tasks:
        call = tasks.create_task(refusal(rig, "first"))
        await ends(lambda: bool(rig.transport("first").logins))
        write(file, entry("second"))
        await rig.clock.read()
        assert "over_budget" in await call
        await ends(lambda: not rig.transport("first").is_open)


async def refusal(rig: Rig, account_id: str) -> str:
    with pytest.raises(UnavailableError) as caught:
        await rig.call(account_id)
    return str(caught.value)


async def test_an_account_that_is_back_keeps_its_series(file: Path) -> None:
    limit = {"label": "LIGHT", "window": "second", "account": "first"}
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig, asyncio.TaskGroup() as tasks:
        before = rig.transport("first")
        before.answers.clear()
        call = tasks.create_task(rig.call("first"))
        await before.has_call.wait()
        for entries in ([entry("second")], [entry("second"), entry("first")]):
            write(file, *entries)
            await rig.clock.read()
        before.answers.set()
        assert await call == {"user_id": "u"}
        await ends(lambda: not before.is_open)
        assert figure("zcc_zoom_budget_limit", **limit) == 20
        assert rig.transport("first") is not before
        assert await rig.call("first") == {"user_id": "u"}


async def test_leaving_closes_an_account_whose_call_never_ends(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        transport = rig.transport("first")
        transport.answers.clear()
        call = asyncio.ensure_future(rig.call("first"))
        await transport.has_call.wait()
        write(file, entry("second"))
        await rig.clock.read()
    assert not transport.is_open
    call.cancel()
    await asyncio.wait([call])


def remove(file: Path) -> None:
    file.unlink()


def cut_off(file: Path) -> None:
    file.write_text(file.read_text()[:-5])


def misspell(file: Path) -> None:
    write(file, entry("first", plann="pro"))


@pytest.mark.parametrize(
    ("damage", "outcome"), [(remove, "unreadable"), (cut_off, "wrong"), (misspell, "wrong")]
)
async def test_a_file_that_cannot_be_used_leaves_the_accounts_as_they_were(
    file: Path, damage: Callable[[Path], None], outcome: str
) -> None:
    before = content(file)
    with structlog.testing.capture_logs() as logs:
        async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
            held, counted, taken = client_of(rig, "first"), reloads(outcome), reloads("taken")
            damage(file)
            for _ in range(3):
                await rig.clock.read()
            assert client_of(rig, "first") is held
            assert await rig.call("second") == {"user_id": "u"}
            assert reloads(outcome) == counted + 3
            write_text(file, before)
            await rig.clock.read()
            assert client_of(rig, "first") is held
            assert reloads("taken") == taken + 1
    errors = [each for each in logs if each["log_level"] == "error"]
    assert [each["event"] for each in errors] == ["zoom accounts kept as they were"]
    assert "first-secret" not in str(errors)


async def test_another_content_that_cannot_be_used_is_logged_again(file: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
            for text in ('[{"a": 1}]', '[{"b": 1}]', '[{"b": 1}]'):
                write_text(file, text)
                await rig.clock.read()
    assert len([each for each in logs if each["log_level"] == "error"]) == 2
