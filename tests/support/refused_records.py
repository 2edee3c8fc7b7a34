"""Limits of topics and brokers, set and waited for, and what becomes of records above them."""

import asyncio
import base64
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import orjson
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import AlterConfigsRequest

from runtime import metrics
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.kafka.limits import TopicLimit
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import TopicSpec, quarantine_topic, raw_topic
from tests.support.ingest_server import event
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
limit_bytes = 20_000
long_deadline = {"produce_deadline_s": 2.9}
"""A machine that others use as well is slow at times, which is not what is tested."""
broker_resource, topic_resource = 4, 2
invalid_config = 40


# Source of these numbers: Kafka protocol guide, AlterConfigs, resource_type and error codes.


def noise(size_bytes: int, seed: int = 1) -> bytes:
    """Bytes that do not compress below the size, and stand in JSON as they are."""
    return base64.b85encode(random.Random(seed).randbytes(size_bytes)).replace(b"\\", b"/")


def body(number: int, padding: bytes = b"") -> bytes:
    outcomes = orjson.loads(event)
    outcomes["payload"]["object"]["engagement_id"] = f"e{number}"
    outcomes["padding"] = padding.decode()
    return orjson.dumps(outcomes)


async def create(kafka: KafkaSettings, **sizes: int) -> None:
    """Create the topic of engagements and quarantine, with these limits of their own."""
    prefix = kafka.topic_prefix
    names = {
        "raw": raw_topic("engagement", prefix=prefix),
        "quarantine": quarantine_topic(prefix=prefix),
    }
    async with TopicAdmin(kafka) as admin:
        await admin.apply(
            [
                TopicSpec(names[key], 2, 1, "delete", 86_400_000, max_message_bytes=size)
                for key, size in sizes.items()
            ]
        )


async def set_config(kafka: KafkaSettings, kind: int, name: str, **values: str) -> None:
    """Replace the dynamic settings of a topic, or (without a name) of all brokers."""
    assert await error_of_config(kafka, kind, name, **values) == 0


async def error_of_config(kafka: KafkaSettings, kind: int, name: str, **values: str) -> int:
    """Return the error code."""
    settings = [(key.replace("_", "."), value) for key, value in values.items()]
    async with admin_client(kafka) as admin:
        client = admin._client
        request = AlterConfigsRequest([(kind, name, settings)], validate_only=False)
        answer = await client.send(client.get_random_node(), request)
        ((code, *_),) = answer.resources
        return int(code)


@asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def publishing(kafka: KafkaSettings) -> AsyncIterator[KafkaPublisher]:
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=deadline_s)
        yield publisher


async def learn_limits(publisher: KafkaPublisher, topic: str) -> None:
    """Produce a first record, and wait until the publisher has heard what the topic takes."""
    await publisher.publish(Record(topic, b"k", b"first"))
    await until_limits_are_learnt(publisher, topic)


async def until_limits_are_learnt(publisher: KafkaPublisher, topic: str) -> None:
    async with asyncio.timeout(deadline_s):
        while (link := publisher._link) is None or not link._limits.knows(topic):
            await asyncio.sleep(0.01)


async def read(kafka: KafkaSettings, topic: str) -> list[Delivery]:
    return await records_of(kafka, [topic])


async def outcomes_of(
    publisher: KafkaPublisher, records: Sequence[Record]
) -> list[Exception | None]:
    """Send all at once, and return what became of each."""
    outcomes: dict[int, Exception | None] = {}
    done = asyncio.Event()

    def settle(number: int, error: Exception | None) -> None:
        assert number not in outcomes
        outcomes[number] = error
        if len(outcomes) == len(records):
            done.set()

    for number, record in enumerate(records):
        publisher.send(record, lambda error, number=number: settle(number, error))  # type: ignore[misc]  # bound now
    async with asyncio.timeout(deadline_s):
        await done.wait()
    return [outcomes[number] for number in range(len(records))]


def replaced_count() -> float:
    return metrics.publisher.replaced._value.get()  # type: ignore[no-any-return]  # untyped


def refused_count(limit: TopicLimit) -> float:
    return metrics.publisher.refused.labels(limit.value)._value.get()  # type: ignore[no-any-return]  # untyped
