import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from simulator.company import make_company
from simulator.service import run
from simulator.webhooks.endpoint import EndpointInvalidError
from simulator.webhooks.ledger import read_ledger
from tests.support.patience import HANG_GUARD_S
from tests.support.simulator_api import Api
from tests.support.simulator_receiver import Receiver, is_signed, serving, simulator_settings


@pytest.fixture
def signal_handlers() -> Iterator[None]:
    """What the run takes over from the test run goes back to it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


async def test_a_run_ends_when_its_count_is_accepted(signal_handlers: None, tmp_path: Path) -> None:
    receiver = Receiver()
    path = tmp_path / "ledger.jsonl"
    async with serving(receiver) as url:
        settings = simulator_settings(url, count=60, ledger_file=path, duplicates=0.1)
        totals = await run(settings)
    assert (totals.events, totals.accepted) == (60, 60)
    assert all(is_signed(delivery) for delivery in receiver.received)
    assert read_ledger(path).totals == totals


async def test_an_endless_run_ends_at_sigterm_and_keeps_its_totals(signal_handlers: None) -> None:
    receiver = Receiver()
    async with serving(receiver) as url:
        settings = simulator_settings(url, count=0, rate_per_s=500.0)
        async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as group:
            running = group.create_task(run(settings))
            await receiver.until_received(deliveries=20)
            os.kill(os.getpid(), signal.SIGTERM)
    totals = running.result()
    assert totals.accepted >= 19
    assert totals.lost + totals.given_up == 0


async def test_the_events_of_a_run_are_known_to_its_rest_api(
    signal_handlers: None, unused_tcp_port: int
) -> None:
    receiver = Receiver()
    company = make_company(1)
    async with serving(receiver) as url, ClientSession() as http:
        settings = simulator_settings(
            url,
            rate_per_s=500.0,
            rest_port=unused_tcp_port,
            rest_details_delay_s=0.0,
            rest_heavy_per_s=1000,
        )
        api = Api(http, f"http://127.0.0.1:{unused_tcp_port}")
        async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as group:
            group.create_task(run(settings))
            await receiver.until_received(deliveries=200)
            await api.renew_token(company.account_id)
            while not (page := await api.get("/engagements")).items("engagements"):
                await receiver.until_received(deliveries=len(receiver.received) + 50)
            os.kill(os.getpid(), signal.SIGTERM)
    sent_ids = {
        json.loads(delivery.body)["payload"]["object"].get("engagement_id")
        for delivery in receiver.received
    }
    assert {item["engagement_id"] for item in page.items("engagements")} <= sent_ids


async def test_a_run_whose_endpoint_does_not_validate_fails(
    signal_handlers: None, unused_tcp_port: int
) -> None:
    with pytest.raises(EndpointInvalidError):
        await run(simulator_settings(f"http://127.0.0.1:{unused_tcp_port}/", count=1))
