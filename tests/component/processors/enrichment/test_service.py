"""Enrichment as it runs in production: a process between real topics, with the API."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from processors.enrichment.component import component
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.reference_record import ReferenceKey, Snapshot
from schemas.topics import (
    dead_letter_topic,
    enriched_topic,
    raw_topic,
    reference_topic,
    topic_specs,
)
from simulator.company import CompanyUser, make_company
from simulator.service import rest_api
from simulator.settings import SimulatorSettings
from tests.support.fakes.zoom import secret
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S

program = """
import uvloop
from processors.enrichment.service import run
from processors.enrichment.settings import EnrichmentSettings
from runtime.settings import KafkaSettings, WorkerSettings
from zoom.settings import ZoomSettings
uvloop.run(run(EnrichmentSettings(), ZoomSettings(), KafkaSettings(), WorkerSettings()))
"""


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(
            list(topic_specs(kafka_settings.topic_plan, {component.name: component.retry_delays_s}))
        )
    return kafka_settings


@asynccontextmanager
async def process(
    kafka: KafkaSettings, *, rest_url: str, account_id: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
        "ZCC_WORKER_HEALTH_PORT": "0",
        "ZCC_ZOOM_ACCOUNT_ID": account_id,
        "ZCC_ZOOM_CLIENT_ID": "a-client",
        "ZCC_ZOOM_CLIENT_SECRET": secret,
        "ZCC_ZOOM_OAUTH_URL": f"{rest_url}/oauth/token",
        "ZCC_ZOOM_API_URL": f"{rest_url}/v2",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def read(kafka: KafkaSettings, topic: str, *, count: int) -> list[Delivery]:
    async with asyncio.timeout(HANG_GUARD_S):
        while True:
            deliveries = await records_of(kafka, (topic,))
            if len(deliveries) >= count:
                return deliveries
            await asyncio.sleep(0.2)


def _snapshot(kafka: KafkaSettings, account_id: str, known: CompanyUser) -> Record:
    """A record of the reference topic, as the walk writes it."""
    state = {"user_id": known.user_id, "display_name": known.display_name}
    snapshot = Snapshot(ReferenceKey(account_id, "user", known.user_id), 1, state)
    topic = reference_topic(prefix=kafka.topic_prefix)
    return Record(topic, snapshot.key.encode(), snapshot.value, snapshot.headers)


async def test_events_come_out_with_names_and_in_order_and_the_unreadable_is_a_dead_letter(
    kafka: KafkaSettings,
) -> None:
    company = make_company(1)
    users = company.users[:5]
    bodies = [
        orjson.dumps(
            {
                "event": "contact_center.engagement_user_answered",
                "event_ts": 1_751_364_000_000 + ordinal,
                "payload": {
                    "account_id": company.account_id,
                    "object": {"engagement_id": "e", "user_id": users[ordinal % 5].user_id},
                },
            }
        )
        for ordinal in range(50)
    ]
    settings = SimulatorSettings(secret=secret, client_id="a-client", client_secret=secret)
    raw = raw_topic("engagement", prefix=kafka.topic_prefix)
    async with rest_api(settings, company) as url:
        async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
            async with asyncio.timeout(HANG_GUARD_S):
                while not publisher.ready:
                    await asyncio.sleep(0.05)
            for known in users:
                await publish_once(publisher, _snapshot(kafka, company.account_id, known))
            for body in [*bodies, b"<html>"]:
                headers = (("zcc-event-id", b"id"), ("zcc-revision", b"1"))
                await publish_once(publisher, Record(raw, b"a:e", body, headers))
        async with process(kafka, rest_url=url, account_id=company.account_id) as child:
            enriched = enriched_topic("engagement", prefix=kafka.topic_prefix)
            deliveries = await read(kafka, enriched, count=len(bodies))
            aside = dead_letter_topic(component.name, prefix=kafka.topic_prefix)
            (dead,) = await read(kafka, aside, count=1)
            child.send_signal(signal.SIGTERM)
            async with asyncio.timeout(HANG_GUARD_S):
                assert await child.wait() == 0
    for ordinal, (body, delivery) in enumerate(zip(bodies, deliveries, strict=True)):
        user = users[ordinal % 5]
        value = delivery.value or b""
        assert value.startswith(body[:-1])
        assert delivery.key == b"a:e"
        assert dict(delivery.headers) == {"zcc-event-id": b"id", "zcc-revision": b"1"}
        member = orjson.loads(value)["enrichment"]
        assert member["status"] == "complete"
        assert member["users"] == {
            user.user_id: {"user_id": user.user_id, "display_name": user.display_name}
        }
    assert dead.value == b"<html>"
    assert dict(dead.headers)["zcc-reason"] == b"unreadable"
