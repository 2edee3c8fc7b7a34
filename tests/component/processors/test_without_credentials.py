"""The processors without credentials for Zoom's API: events pass, nobody is asked."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import orjson

from operations.components import components
from operations.topics.specs import deployment_specs
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import dead_letter_topic, enriched_topic, raw_topic, reference_topic
from tests.support.enriched_records import delivery, webhook
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S

BODY = webhook("engagement_ended", {"engagement_id": "E1", "flow_id": "F1"})


@asynccontextmanager
async def processor(kafka: KafkaSettings, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the product, which has to end well at SIGTERM."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZCC_")}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "operations", "processor", name),
        env=environment
        | {
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
            "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
            "ZCC_WORKER_HEALTH_PORT": "0",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield child
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(HANG_GUARD_S):
            assert await child.wait() == 0, name
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def test_events_pass_as_skipped_and_every_processor_works(
    kafka_settings: KafkaSettings,
) -> None:
    prefix = kafka_settings.topic_prefix
    names = [each.name for each in components if each.kind == "processor"]
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply(deployment_specs(kafka_settings.topic_plan))
    raw = delivery(BODY, enrichment=None)
    enriched = [enriched_topic("engagement", prefix=prefix)]
    async with (
        AsyncExitStack() as running,
        KafkaPublisher(kafka_settings, client_id="test", clock=SystemClock()) as publisher,
    ):
        for name in names:
            await running.enter_async_context(processor(kafka_settings, name))
        topic = raw_topic("engagement", prefix=prefix)
        await publish_once(publisher, Record(topic, raw.key, BODY, raw.headers))
        async with asyncio.timeout(HANG_GUARD_S):
            while not (records := await records_of(kafka_settings, enriched)):
                await asyncio.sleep(0.2)
    (record,) = records
    assert (record.value or b"").startswith(BODY[:-1])
    assert orjson.loads(record.value or b"")["enrichment"]["status"] == "skipped"
    assert await records_of(kafka_settings, [reference_topic(prefix=prefix)]) == []
    for name in ("enrichment", "reference-changes", "outcomes"):
        assert await records_of(kafka_settings, [dead_letter_topic(name, prefix=prefix)]) == []
