"""Replicas that keep to their budget are not refused by a server that counts their calls."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

from prometheus_client import REGISTRY
from pydantic import SecretStr

from runtime.clock import SystemClock
from runtime.member_share import MemberShare
from tests.support.fakes.zoom import zoom_settings
from tests.support.simulator_api import inventing_api
from zoom.client import ZoomClient, connected
from zoom.errors import UnavailableError, ZoomFault
from zoom.limits import Label
from zoom.rate_limits.scheduler import RateLimitScheduler

calls_per_second = 20


def corrections(kind: str) -> float:
    name = "zcc_zoom_budget_corrections_total"
    labels = {"label": "LIGHT", "kind": kind, "account": ""}
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def outcomes(
    served_per_second: int, *, members: int, calls: int
) -> Counter[ZoomFault | None]:
    """Return what became of so many calls of each member, with a budget of 20 in a second."""
    counts: Counter[ZoomFault | None] = Counter()

    async def ask(client: ZoomClient) -> None:
        try:
            await client.call("get_skill", skill_id="s")
        except UnavailableError as error:
            counts[error.fault] += 1
        else:
            counts[None] += 1

    async with AsyncExitStack() as opened:
        enter = opened.enter_async_context
        api = await enter(inventing_api(SystemClock(), rest_light_per_s=served_per_second))
        settings = zoom_settings(
            plan="pro",
            oauth_url=f"{api.base}/oauth/token",
            api_url=f"{api.base}/v2",
            account_id="a",
            client_id="app-1",
            client_secret=SecretStr("credentials of the tests"),
            budget_wait_s=30,
        )
        assert settings.limits[Label.LIGHT].per_second == calls_per_second
        async with asyncio.TaskGroup() as tasks:
            for rank in range(members):
                scheduler = RateLimitScheduler(
                    settings, clock=SystemClock(), member_share=MemberShare(rank, members)
                )
                client = await enter(connected(settings, clock=SystemClock(), scheduler=scheduler))
                start = partial(ask, client)
                for _ in range(calls):
                    tasks.create_task(start())
    return counts


async def test_no_call_of_two_replicas_is_refused() -> None:
    assert await outcomes(calls_per_second, members=2, calls=25) == {None: 50}


async def test_a_server_that_allows_less_than_the_plan_is_believed_after_its_first_answers() -> (
    None
):
    before = corrections("limit")
    counts = await outcomes(calls_per_second // 2, members=1, calls=45)
    assert counts[None] + counts[ZoomFault.RATE_LIMITED] == 45
    assert counts[ZoomFault.RATE_LIMITED] <= calls_per_second // 2
    assert corrections("limit") == before + 1
