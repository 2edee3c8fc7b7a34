"""Enrichment against a served REST API: working, failing, hanging, and forbidding."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import orjson
import pytest

from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.service import enrichment
from processors.enrichment.settings import EnrichmentSettings
from runtime.values import Deferred, Delivery
from simulator.company import Company, make_company
from simulator.service import rest_api
from simulator.settings import SimulatorSettings
from tests.support.enrichment import MemoryTopic
from tests.support.fakes.zoom import (
    Serve,
    ShiftedClock,
    client_of,
    http,
    http_token,
    raw_server,
    secret,
    zoom_settings,
)
from tests.support.patience import HANG_GUARD_S
from zoom.errors import ZoomFault
from zoom.settings import ZoomSettings

Member = dict[str, object]

new_ms = 2**42
"""A time after that of any clock: the record has not waited yet."""


async def enriched(handler: EnrichmentHandler, **entity: object) -> Member:
    value = orjson.dumps(
        {"event": "e", "event_ts": 1, "payload": {"account_id": "a", "object": entity}}
    )
    delivery = Delivery("zcc.user.v1", 0, 0, b"k", value, (("zcc-event-id", b"x"),), new_ms)
    answer = await handler(delivery)
    (record,) = answer.records if isinstance(answer, Deferred) else answer
    assert record.value is not None
    member: Member = orjson.loads(record.value)["enrichment"]
    return member


@asynccontextmanager
async def handler_for(zoom: ZoomSettings, **settings: float) -> AsyncIterator[EnrichmentHandler]:
    clock = ShiftedClock()
    async with (
        client_of(zoom, clock) as client,
        enrichment(
            lambda _account_id: client,
            EnrichmentSettings.model_validate(settings),
            publisher=MemoryTopic(),
            topic_prefix="zcc",
            clock=clock,
        ) as opened,
    ):
        yield opened.handler


@asynccontextmanager
async def simulated(
    company: Company,
) -> AsyncIterator[tuple[ZoomSettings, Callable[[], AbstractAsyncContextManager[object]]]]:
    settings = SimulatorSettings(secret=secret, client_id="a-client", client_secret=secret)
    async with rest_api(settings, company) as url, aiohttp.ClientSession() as http_client:
        zoom = zoom_settings(
            account_id=company.account_id, oauth_url=f"{url}/oauth/token", api_url=f"{url}/v2"
        )
        yield zoom, lambda: http_client.post(f"{url}/control/faults", json={"outage": True})


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_names_come_from_the_api_and_known_ones_survive_its_outage() -> None:
    company = make_company(1)
    ann, queue = company.users[0], company.queues[0]
    async with simulated(company) as (zoom, outage), handler_for(zoom) as handler:
        expected = {
            "users": {ann.user_id: {"user_id": ann.user_id, "display_name": ann.display_name}},
            "queues": {
                queue.queue_id: {"cc_queue_id": queue.cc_queue_id, "queue_name": queue.queue_name}
            },
        }
        member = await enriched(handler, user_id=ann.user_id, queue_id=queue.queue_id)
        assert member["status"] == "complete"
        assert {name: member[name] for name in expected} == expected
        await outage()
        member = await enriched(handler, user_id=ann.user_id, queue_id=queue.queue_id)
        assert {name: member[name] for name in expected} == expected
        member = await enriched(handler, user_id="somebody new")
        assert member["missing"] == [
            {"entity": "user", "id": "somebody new", "reason": "unavailable"}
        ]


@asynccontextmanager
async def raw(serve: Serve) -> AsyncIterator[ZoomSettings]:
    async with raw_server(serve) as url:
        yield zoom_settings(
            oauth_url=f"{url}/oauth/token",
            api_url=f"{url}/v2",
            connect_timeout_s=1.0,
            read_timeout_s=1.0,
            call_timeout_s=1.0,
        )


async def test_in_an_outage_every_event_goes_out_and_the_api_is_soon_left_alone() -> None:
    heads: list[str] = []

    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(http(503, b""))

    async with raw(serve) as zoom, handler_for(zoom) as handler:
        for number in range(500):
            member = await enriched(handler, user_id=f"u{number}", cc_queue_id="q")
            assert member["status"] == "partial"
    assert len(heads) < 50


async def test_an_api_that_hangs_costs_each_id_one_deadline_and_not_each_event() -> None:
    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    events, deadline_s = 1000, 0.4
    assert events * deadline_s > 2 * HANG_GUARD_S  # what it would take with one deadline each
    async with raw(serve) as zoom, handler_for(zoom, deadline_s=deadline_s) as handler:
        async with asyncio.timeout(HANG_GUARD_S):
            for _ in range(events):
                member = await enriched(handler, user_id="u", cc_queue_id="q")
                assert member["status"] == "partial"


async def test_an_answer_that_came_too_late_is_there_for_the_next_event() -> None:
    slow = asyncio.Event()

    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        if head.startswith("POST"):
            writer.write(http_token())
        elif "/users/" in head:
            await slow.wait()
            writer.write(http(200, b'{"user_id": "u", "display_name": "Ann"}'))
        else:
            writer.write(http(503, b""))

    async with raw(serve) as zoom, handler_for(zoom, deadline_s=0.05) as handler:
        member = await enriched(handler, user_id="u")
        assert member["missing"] == [{"entity": "user", "id": "u", "reason": "deadline"}]
        slow.set()

        async def knows() -> bool:
            return (await enriched(handler, user_id="u"))["status"] == "complete"

        await eventually(knows)
        assert (await enriched(handler, user_id="u"))["missing"] == []


@pytest.mark.parametrize(
    ("token", "answer", "reason"),
    [
        (http_token(), http(403, b'{"code": 9001}'), "forbidden"),
        (http(401, b'{"error": "invalid_client"}'), b"", "forbidden"),
        (http_token(), http(200, b"<html>"), "unavailable"),
        (http_token(), http(429, b'{"code": 429}', {"Retry-After": "3600"}), "unavailable"),
    ],
    ids=["scope", "credentials", ZoomFault.NOT_JSON, ZoomFault.RATE_LIMITED],
)
async def test_whatever_the_api_answers_events_go_out_with_the_reason(
    token: bytes, answer: bytes, reason: str
) -> None:
    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(token if head.startswith("POST") else answer)

    async with raw(serve) as zoom, handler_for(zoom) as handler:
        for number in range(3):
            member = await enriched(handler, user_id=f"u{number}")
            assert member["missing"] == [{"entity": "user", "id": f"u{number}", "reason": reason}]
