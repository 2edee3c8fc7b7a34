"""Each account with credentials has a client, a token and a budget of its own."""

import asyncio
from pathlib import Path

import pytest
import structlog.testing

from runtime.errors import ConfigurationError
from runtime.member_share import MemberShare
from tests.support.fakes.zoom import zoom_settings
from tests.support.zoom_accounts import Rig, accounts_of, entry, figure, write, write_text
from zoom.accounts import max_remembered
from zoom.errors import UnavailableError
from zoom.limits import Label
from zoom.settings import ZoomSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    write(path, entry("first"), entry("second", plan="business_plus"))
    return path


def per_second(rig: Rig, account_id: str, label: Label = Label.LIGHT) -> float:
    client = rig.accounts.client(account_id)
    assert client is not None
    status = {each.label: each for each in client.scheduler.snapshot()}
    return status[label].share_per_second


def unknown() -> float:
    return figure("zcc_zoom_unknown_accounts_total") or 0.0


async def test_the_account_of_the_variables_has_a_client_and_no_other() -> None:
    async with accounts_of(zoom_settings()) as rig:
        assert rig.accounts.account_ids == ("an-account",)
        assert await rig.call("an-account") == {"user_id": "u"}
        assert rig.accounts.client("another") is None
        assert rig.accounts.client("") is None
        assert figure("zcc_zoom_accounts") == 1
    assert not rig.transport("an-account").is_open


async def test_the_metrics_of_the_only_account_name_none() -> None:
    async with accounts_of(zoom_settings()) as rig:
        before = figure("zcc_zoom_budget_limit", label="LIGHT", window="second", account="")
        assert before == 40
        assert rig.accounts.client("an-account") is not None
        named = {"label": "LIGHT", "window": "second", "account": "an-account"}
        assert figure("zcc_zoom_budget_limit", **named) is None


async def test_without_credentials_no_account_has_a_client() -> None:
    async with accounts_of(ZoomSettings()) as rig:
        assert rig.accounts.account_ids == ()
        assert rig.accounts.client("an-account") is None
        rig.accounts.on_share_changed(None)
        assert figure("zcc_zoom_accounts") == 0


async def test_an_account_without_credentials_is_logged_once_and_counted_each_time() -> None:
    before = unknown()
    with structlog.testing.capture_logs() as logs:
        async with accounts_of(zoom_settings()) as rig:
            for _ in range(3):
                for account_id in ("x" * 100, "another"):
                    assert rig.accounts.client(account_id) is None
    assert [(each["account"], each["log_level"]) for each in logs] == [
        ("x" * 64, "warning"),
        ("another", "warning"),
    ]
    assert unknown() == before + 6


async def test_accounts_beyond_those_remembered_are_counted_only() -> None:
    before = unknown()
    with structlog.testing.capture_logs() as logs:
        async with accounts_of(ZoomSettings()) as rig:
            for n in range(max_remembered + 10):
                assert rig.accounts.client(f"account-{n}") is None
    assert len(logs) == max_remembered
    assert unknown() == before + max_remembered + 10


async def test_each_account_has_its_own_token(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        assert rig.accounts.account_ids == ("first", "second")
        for account_id in ("first", "second"):
            await rig.call(account_id)
            transport = rig.transport(account_id)
            assert transport.logins == [f"client-of-{account_id}:first-secret"]
            assert transport.tokens == [f"token-1-of-{account_id}"]
    assert not rig.transport("first").is_open
    assert not rig.transport("second").is_open


async def test_accounts_with_different_plans_have_their_own_limits(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        assert per_second(rig, "first") == 20
        assert per_second(rig, "second") == 40
        limit = {"label": "LIGHT", "window": "second"}
        assert figure("zcc_zoom_budget_limit", account="first", **limit) == 20
        assert figure("zcc_zoom_budget_limit", account="second", **limit) == 40


async def test_a_part_of_the_budget_is_one_of_each_accounts_own_share(file: Path) -> None:
    write(file, entry("first", share=0.5), entry("second", plan="business_plus"))
    async with accounts_of(ZoomSettings(accounts_file=file), budget_part=0.25) as rig:
        assert per_second(rig, "first") == 2  # of 2.5: a fraction of a call is lost
        assert per_second(rig, "second") == 10
        write(file, entry("first", share=1), entry("second", plan="business_plus"))
        await rig.clock.read()
        assert per_second(rig, "first") == 5


async def test_an_account_that_has_spent_its_budget_takes_nothing_from_another(
    file: Path,
) -> None:
    write(file, entry("first", calls_per_second={"LIGHT": 1}), entry("second"))
    async with accounts_of(ZoomSettings(accounts_file=file, budget_wait_s=0.5)) as rig:
        rig.clock.elapsed_s += 2  # the first window of a share
        await rig.call("first")
        used = figure("zcc_zoom_budget_used_total", **light_of("second")) or 0.0
        with pytest.raises(UnavailableError, match="over_budget"):
            await rig.call("first")
        for _ in range(10):
            await rig.call("second")
        assert figure("zcc_zoom_budget_used_total", **light_of("second")) == used + 10


def light_of(account: str) -> dict[str, str]:
    return {"label": "LIGHT", "priority": "enrichment", "account": account}


async def test_an_account_whose_credentials_are_refused_leaves_another_working(
    file: Path,
) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file)) as rig:
        rig.refused.add("client-of-first:first-secret")
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="credentials"):
                await rig.call("first")
        assert len(rig.transport("first").logins) == 1
        assert await rig.call("second") == {"user_id": "u"}


async def test_a_share_is_that_of_every_account(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file), member_share=None) as rig:
        assert (per_second(rig, "first"), per_second(rig, "second")) == (20, 40)
        assert members(rig) == {0}
        rig.accounts.on_share_changed(MemberShare(1, 4))
        assert members(rig) == {4}
        limit = {"label": "LIGHT", "window": "second"}
        assert figure("zcc_zoom_budget_limit", account="first", **limit) == 5
        assert figure("zcc_zoom_budget_limit", account="second", **limit) == 10
        rig.accounts.on_share_changed(None)
        assert members(rig) == {0}


def members(rig: Rig) -> set[int]:
    clients = [rig.accounts.client(each) for each in rig.accounts.account_ids]
    return {
        status.members
        for client in clients
        if client is not None
        for status in client.scheduler.snapshot()
    }


async def test_a_share_is_that_of_an_account_that_comes_later(file: Path) -> None:
    async with accounts_of(ZoomSettings(accounts_file=file), member_share=None) as rig:
        rig.accounts.on_share_changed(MemberShare(0, 3))
        write(file, entry("first"), entry("third"))
        await rig.clock.read()
        assert rig.accounts.account_ids == ("first", "third")
        assert members(rig) == {3}
        rig.accounts.on_share_changed(MemberShare(0, 2))
        assert members(rig) == {2}


async def test_a_file_that_cannot_be_used_at_the_start_is_the_operators_fault(
    file: Path,
) -> None:
    write_text(file, "[")
    with pytest.raises(ConfigurationError, match="ZCC_ZOOM_ACCOUNTS_FILE: Invalid JSON"):
        await asyncio.wait_for(Rig(ZoomSettings(accounts_file=file)).accounts.__aenter__(), 10)
