"""The spill between a webhook and a real broker that is stopped, and a process that is killed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

import devstack
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery
from schemas.headers import received_at_header, text
from schemas.topics import TopicSpec, raw_topic
from tests.support.ingest_server import event
from tests.support.ingest_server import running as serving
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.spill import Broker, Outcomes, record, running, segments, until


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[devstack.Stack]:
    """A broker that may be stopped."""
    options = devstack.DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with devstack.running(options) as stack:
        yield stack


@pytest.fixture
async def kafka(own_stack: devstack.Stack) -> KafkaSettings:
    await own_stack.start("kafka")
    settings = KafkaSettings(bootstrap_servers=own_stack.bootstrap_servers)
    topics = ("one", raw_topic("engagement", prefix=settings.topic_prefix))
    async with TopicAdmin(settings) as admin:
        await admin.apply([TopicSpec(topic, 2, 1, "delete", 86_400_000) for topic in topics])
    return settings


def publisher_of(kafka: KafkaSettings) -> KafkaPublisher:
    return KafkaPublisher(kafka, client_id="spill", clock=SystemClock())


async def in_topic(kafka: KafkaSettings, topic: str) -> list[Delivery]:
    return await records_of(kafka, [topic])


def body_of(number: int) -> bytes:
    document = orjson.loads(event)
    document["payload"]["object"]["engagement_id"] = f"e{number % 5}"
    return orjson.dumps({**document, "event_ts": document["event_ts"] + number})


async def test_webhooks_are_accepted_while_the_broker_is_away_and_it_gets_them_in_order_later(
    own_stack: devstack.Stack, kafka: KafkaSettings, tmp_path: Path
) -> None:
    topic = raw_topic("engagement", prefix=kafka.topic_prefix)
    bodies = [body_of(number) for number in range(50)]
    async with (
        publisher_of(kafka) as publisher,
        running(tmp_path, publisher) as spill,
        serving(publisher, kafka=kafka, spill=spill, produce_deadline_s=0.3) as server,
    ):
        await until(lambda: publisher.ready)
        await own_stack.kill("kafka")
        answers = [(await server.post(body)).status for body in bodies]
        until_s = SystemClock().now()
        assert answers == [204] * len(bodies)
        assert sum(path.stat().st_size for path in segments(tmp_path)) > 0
        await own_stack.start("kafka")
        await until(lambda: not segments(tmp_path))
    deliveries = await in_topic(kafka, topic)
    for number in range(5):
        key = f"account:e{number}".encode()
        values = [each.value for each in deliveries if each.key == key]
        assert list(dict.fromkeys(values)) == bodies[number::5]  # what timed out may arrive too
    received = [text(each.headers, received_at_header) for each in deliveries]
    assert all(at is not None and at <= f"{until_s:%Y-%m-%dT%H:%M:%S}Z" for at in received)


async def test_a_process_killed_between_producing_and_deleting_makes_a_duplicate_and_no_loss(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    records = [record(f"{number}", key=f"k{number % 7}".encode()) for number in range(100)]
    async with running(tmp_path, Broker(ready=False)) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(*records)
        assert set(await outcomes.all_settled(len(records))) == {None}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.spill_process", str(tmp_path)),
        env={**os.environ, "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(HANG_GUARD_S):
            while b"acknowledged" not in await process.stdout.readline():
                assert process.returncode is None
    finally:
        process.kill()
        await process.wait()
    assert segments(tmp_path)
    async with publisher_of(kafka) as publisher, running(tmp_path, publisher):
        await until(lambda: not segments(tmp_path))
    deliveries = await in_topic(kafka, "one")
    for key in {each.key for each in records}:
        once = [each.value for each in records if each.key == key]
        assert [each.value for each in deliveries if each.key == key] == once * 2
