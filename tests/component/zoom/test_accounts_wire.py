"""Accounts over HTTP, each at a simulated Zoom of its own that knows only this account."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from simulator.company import make_company
from simulator.service import rest_api
from tests.support.fakes.zoom import ShiftedClock, first_window_s
from tests.support.simulator_receiver import simulator_settings
from tests.support.zoom_accounts import write
from zoom.accounts import Accounts
from zoom.errors import ForbiddenError
from zoom.settings import ZoomSettings

companies = {company.account_id: company for company in map(make_company, (1, 2))}
first, second = companies
secret = "credentials of the tests"


@pytest.fixture
async def entries() -> AsyncIterator[Mapping[str, Mapping[str, object]]]:
    async with AsyncExitStack() as stack:
        served: dict[str, Mapping[str, object]] = {}
        for account_id, company in companies.items():
            settings = simulator_settings("http://127.0.0.1:9/")
            base = await stack.enter_async_context(rest_api(settings, company))
            served[account_id] = {
                "account_id": account_id,
                "client_id": "app-1",
                "client_secret": secret,
                "oauth_url": f"{base}/oauth/token",
                "api_url": f"{base}/v2",
            }
        yield served


async def user_ids(accounts: Accounts, account_id: str) -> set[str]:
    client = accounts.client(account_id)
    assert client is not None
    return {user["user_id"] for user in (await client.call("list_users"))["users"]}


async def test_each_account_is_called_where_it_is_with_its_own_token(
    tmp_path: Path, entries: Mapping[str, Mapping[str, object]]
) -> None:
    file, clock = tmp_path / "accounts.json", ShiftedClock()
    write(file, *entries.values())
    async with Accounts(ZoomSettings(accounts_file=file), clock=clock) as accounts:
        clock.skipped_s += first_window_s
        listed = [await user_ids(accounts, account_id) for account_id in (first, second)]
        assert listed[0]
        assert listed[1]
        assert listed[0].isdisjoint(listed[1])
        assert accounts.client("nobody's account") is None


async def test_wrong_credentials_of_one_account_leave_the_other_working(
    tmp_path: Path, entries: Mapping[str, Mapping[str, object]]
) -> None:
    file, clock = tmp_path / "accounts.json", ShiftedClock()
    write(file, {**entries[first], "client_secret": "of another app"}, entries[second])
    async with Accounts(ZoomSettings(accounts_file=file), clock=clock) as accounts:
        clock.skipped_s += first_window_s
        with pytest.raises(ForbiddenError, match="credentials"):
            await user_ids(accounts, first)
        assert await user_ids(accounts, second)
