"""Whatever a proxy writes into Retry-After, a label is closed for as long as it can mean."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr

from runtime.clock import SystemClock
from tests.support.fakes.zoom import zoom_settings
from tests.support.simulator_api import asking_inventions
from zoom.client import connected
from zoom.errors import RateLimitedError
from zoom.rate_limits.scheduler import RateLimitScheduler

longest_s = 4.5
"""A second, what the longest of the readable ones asks for, and time for a slow machine."""


def in_3_s() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)


values = (
    *("2", "in 3 s", "Thu, 01 Jan 2026 10:00:00 GMT", ""),
    *("1.5", "0.5", "-1", "30s", "2, 3", "Wed, 31 Nov 2026 10:00:00 GMT"),
)


async def ask_twice(value: str) -> float:
    """Be refused once with this header, ask again at once; return for how long the label closed."""
    async with asking_inventions(SystemClock()) as api:
        settings = zoom_settings(
            oauth_url=f"{api.base}/oauth/token",
            api_url=f"{api.base}/v2",
            account_id="a",
            client_id="app-1",
            client_secret=SecretStr("credentials of the tests"),
            budget_wait_s=30,
        )
        scheduler = RateLimitScheduler(settings, clock=SystemClock())
        async with connected(settings, clock=SystemClock(), scheduler=scheduler) as client:
            wish = in_3_s() if value == "in 3 s" else value
            fault = {"kind": "gateway_limited", "requests": 1, "retry_after": wish}
            assert await api.set_faults(faults=[fault]) == 200
            with pytest.raises(RateLimitedError):
                await client.call("get_skill", skill_id="s")
            closed_s = (
                max(
                    (standing.paused_until - SystemClock().now()).total_seconds()
                    for standing in scheduler.snapshot()
                    if standing.paused_until is not None
                )
                if any(standing.paused_until for standing in scheduler.snapshot())
                else 0.0
            )
            await client.call("get_skill", skill_id="s")
            return closed_s


async def test_no_value_of_retry_after_closes_a_label_for_longer_than_it_says() -> None:
    closed_s = dict(zip(values, await asyncio.gather(*map(ask_twice, values)), strict=True))
    assert {value: s for value, s in closed_s.items() if s > longest_s} == {}
