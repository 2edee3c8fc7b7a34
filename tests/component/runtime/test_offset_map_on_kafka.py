"""What is done beyond a position goes through a real broker and back."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from runtime.clock import SystemClock
from runtime.contracts import Handler
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin
from runtime.kafka.cluster import Cluster
from runtime.offsets.metadata import OffsetMap, max_characters, to_commit
from runtime.offsets.topic_ids import split_topic_id
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, Record, TopicPartition
from schemas.topics import TopicSpec
from tests.support.components import component_of
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S
from tests.support.workers import until

worker = WorkerSettings(
    health_host="127.0.0.1", health_port=0, commit_interval_s=0.1, session_timeout_s=6
)


class Listener:
    owned: Collection[TopicPartition] = ()

    async def revoked(self, partitions: Collection[TopicPartition]) -> None: ...

    async def assigned(self, assignment: Assignment) -> None:
        self.owned = assignment.partitions


@pytest.fixture
async def source(kafka_settings: KafkaSettings) -> TopicPartition:
    topic = f"{kafka_settings.topic_prefix}.in.v1"
    dead = f"{kafka_settings.topic_prefix}.dead-letter.test.v1"
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(name, 1, 1, "delete", 3_600_000) for name in (topic, dead)])
    return TopicPartition(topic, 0)


async def test_a_broker_takes_the_largest_map_and_gives_it_back(
    kafka_settings: KafkaSettings, source: TopicPartition
) -> None:
    far = 10**12
    scattered = OffsetMap(tuple(sorted(Random(1).sample(range(far), 3_000))), far)
    position = to_commit(scattered)
    assert len(position.metadata) > 0.9 * max_characters
    listener = Listener()
    consumer = KafkaConsumer(
        kafka_settings,
        worker,
        group=group(kafka_settings),
        topics=[source.topic],
        listener=listener,
        client_id="test",
        clock=SystemClock(),
    )
    async with asyncio.timeout(HANG_GUARD_S), consumer:
        while not listener.owned:
            await consumer.poll(max_records=1, timeout_s=0.1)
        await consumer.commit({source: position})
        assert await consumer.committed([source]) == {source: position}


async def test_a_worker_that_is_killed_repeats_only_what_was_not_done(
    kafka_settings: KafkaSettings, source: TopicPartition
) -> None:
    handled: list[int] = []
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.offset % 100 == 0:
            await release.wait()
        handled.append(delivery.offset)
        return ()

    await produce(kafka_settings, source, count=300)
    async with (
        running(handler, kafka_settings, source),
        Cluster(kafka_settings, client_id="test") as cluster,
        asyncio.timeout(HANG_GUARD_S),
    ):
        while True:
            position = (await cluster.committed(group(kafka_settings), [source]))[source]
            done = OffsetMap((0, 100, 200), 300)
            if position is not None and split_topic_id(position)[0] == to_commit(done):
                break
            await asyncio.sleep(0.05)
    assert len(handled) == 297
    release.set()
    async with running(handler, kafka_settings, source), asyncio.timeout(HANG_GUARD_S):
        await until(lambda: len(handled) >= 300)
    assert sorted(handled) == list(range(300))


async def produce(kafka_settings: KafkaSettings, source: TopicPartition, *, count: int) -> None:
    async with KafkaPublisher(kafka_settings, client_id="test", clock=SystemClock()) as publisher:
        await until(lambda: publisher.ready)
        async with asyncio.TaskGroup() as tasks:
            for n in range(count):
                record = Record(source.topic, b"%d" % n, b"%d" % n)
                tasks.create_task(publish_once(publisher, record))


@asynccontextmanager
async def running(
    handler: Handler, kafka_settings: KafkaSettings, source: TopicPartition
) -> AsyncIterator[None]:
    """Run a worker and end it without drain or commit; its group misses it at once."""
    work = run_handler(
        handler, component_of("test", [source.topic]), kafka=kafka_settings, worker=worker
    )
    life = asyncio.ensure_future(work)
    try:
        yield
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError):
            await life


def group(kafka_settings: KafkaSettings) -> str:
    return f"{kafka_settings.topic_prefix}.test"
