"""An event whose names come late: its first revision at once, its second when all is known."""

import asyncio
import os
import signal
from collections.abc import Sequence
from itertools import permutations

import orjson
import pytest

from runtime.background_tasks import BackgroundTasks
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.headers import text
from schemas.topics import (
    TopicSpec,
    dead_letter_topic,
    enriched_topic,
    raw_topic,
    retry_topic,
)
from sinks.postgres.migrate import migrate
from tests.support.components import component_of
from tests.support.enriched_records import delivery, webhook
from tests.support.enrichment import EnrichmentBench, user
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres import owner, query

pytestmark = pytest.mark.usefixtures("signals")

worker = WorkerSettings(
    health_host="127.0.0.1", health_port=0, commit_interval_s=0.1, session_timeout_s=6
)
body = webhook("engagement_user_answered", {"engagement_id": "E1", "user_id": "U1"})
late_s = 1


@pytest.fixture
async def kafka(kafka_settings: KafkaSettings) -> KafkaSettings:
    prefix = kafka_settings.topic_prefix
    names = [
        raw_topic("engagement", prefix=prefix),
        enriched_topic("engagement", prefix=prefix),
        dead_letter_topic("enrichment", prefix=prefix),
        retry_topic("enrichment", late_s, prefix=prefix),
    ]
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(name, 2, 1, "delete", 3_600_000) for name in names])
    return kafka_settings


async def publish(kafka: KafkaSettings) -> None:
    raw = delivery(body, enrichment=None)
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        async with asyncio.timeout(HANG_GUARD_S):
            while not publisher.ready:
                await asyncio.sleep(0.05)
        topic = raw_topic("engagement", prefix=kafka.topic_prefix)
        await publish_once(publisher, Record(topic, raw.key, body, raw.headers))


async def read(kafka: KafkaSettings, topic: str, *, count: int = 0) -> Sequence[Delivery]:
    async with asyncio.timeout(HANG_GUARD_S):
        while True:
            deliveries = await records_of(kafka, [topic])
            if len(deliveries) >= count:
                return deliveries
            await asyncio.sleep(0.1)


async def test_names_that_come_late_correct_the_event_everywhere(
    kafka: KafkaSettings, background: BackgroundTasks, database_dsn: str
) -> None:
    prefix = kafka.topic_prefix
    bench = EnrichmentBench(
        background, {"U1": user("U1", "Ann")}, attempts=2, clock=SystemClock(), prefix=prefix
    )
    source = bench.api.memory
    source.down = True
    await publish(kafka)
    enriched = enriched_topic("engagement", prefix=prefix)
    work = run_handler(
        bench.handler,
        component_of(
            "enrichment", [raw_topic("engagement", prefix=prefix)], retry_delays_s=[late_s]
        ),
        kafka=kafka,
        worker=worker,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work)
        (first,) = await read(kafka, enriched, count=1)
        await read(kafka, retry_topic("enrichment", late_s, prefix=prefix), count=1)
        source.down = False
        _, second = await read(kafka, enriched, count=2)
        os.kill(os.getpid(), signal.SIGTERM)
    assert await read(kafka, dead_letter_topic("enrichment", prefix=prefix)) == []
    event_id = text(first.headers, "zcc-event-id")
    assert text(first.headers, "ce_id") == text(second.headers, "zcc-event-id") == event_id
    assert text(second.headers, "ce_id") == f"{event_id}-r2"
    assert [text(each.headers, "zcc-revision") for each in (first, second)] == ["1", "2"]
    members = [orjson.loads(each.value or b"")["enrichment"] for each in (first, second)]
    assert [member["status"] for member in members] == ["partial", "complete"]
    assert members[1]["users"] == {"U1": {"user_id": "U1", "display_name": "Ann"}}

    await asyncio.to_thread(migrate, database_dsn)
    for order in permutations([first, second]):
        async with owner(database_dsn) as sink:
            for each in order:
                assert await sink.store([each]) == ()
        rows = await query(
            database_dsn,
            "select r.revision, r.enrichment_status, t.user_display_name from zcc.raw_event r "
            "join zcc.engagement_timeline t using (event_id)",
        )
        assert rows == [
            {"revision": 2, "enrichment_status": "complete", "user_display_name": "Ann"}
        ]
        await query(database_dsn, "truncate zcc.raw_event, zcc.engagement_timeline")
