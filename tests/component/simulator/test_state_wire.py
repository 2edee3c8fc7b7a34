"""A run of the simulator: the REST API answers what its webhooks reported."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp
import orjson
from pydantic import SecretStr

from simulator.clock import MachineClock
from simulator.company import make_company
from simulator.service import rest_api
from simulator.settings import SimulatorSettings
from simulator.state import State, apply_events
from simulator.stories import event_stream

SETTINGS = SimulatorSettings(
    client_id="client", client_secret=SecretStr("client secret"), secret=SecretStr("secret")
)


def ended(company_seed: int, state: State) -> Iterator[str]:
    """Tell the state a stream of events and yield the engagements that ended in it."""
    start = datetime(2025, 3, 1, 8, tzinfo=UTC)
    events = event_stream(make_company(company_seed), seed=1, start=start, count=600)
    for event in apply_events(state, events, lambda: start):
        if event.event == "contact_center.engagement_ended":
            yield orjson.loads(event.body)["payload"]["object"]["engagement_id"]


async def test_engagements_that_webhooks_reported_are_answered() -> None:
    company = make_company(SETTINGS.seed)
    state = State(company)
    ended_ids = list(ended(SETTINGS.seed, state))
    async with (
        rest_api(SETTINGS, company, state=state, clock=MachineClock()) as base_url,
        aiohttp.ClientSession(base_url) as session,
    ):
        form = {"grant_type": "account_credentials", "account_id": company.account_id}
        credentials = aiohttp.encode_basic_auth("client", "client secret")
        async with session.post(
            "/oauth/token", data=form, headers={"Authorization": credentials}
        ) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        window = {"from": "2025-03-01T00:00:00+00:00", "to": "2025-03-02T00:00:00+00:00"}
        async with session.get(
            "/v2/contact_center/engagements",
            params=window | {"page_size": "100"},
            headers=headers,
        ) as answer:
            listed = {e["engagement_id"]: e for e in (await answer.json())["engagements"]}
        assert set(ended_ids) <= listed.keys()
        engagement_id = random.Random(1).choice(ended_ids)
        async with session.get(
            f"/v2/contact_center/engagements/{engagement_id}", headers=headers
        ) as answer:
            engagement = await answer.json()
    assert engagement["end_time"].replace("Z", "+00:00") == listed[engagement_id]["end_time"]
