"""Sinks as members of their groups, on real Kafka, and what happens to topics and groups."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from random import Random

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as AioTopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.admin import DeleteGroupsRequest

from runtime.clock import SystemClock
from runtime.contracts import Prepared, Sink
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin
from runtime.ports import Consumer, RebalanceListener
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.sinks.worker import SinkWorker
from runtime.values import Record, TopicPartition
from runtime.worker.membership import WorkerContext
from schemas.headers import event_id_header, text
from schemas.topics import TopicSpec, dead_letter_topic
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from tests.support.enriched_records import START_MS, delivery, webhook
from tests.support.kafka_records import publish_once
from tests.support.objects import opened, parquet_paths, s3_values
from tests.support.patience import HANG_GUARD_S
from tests.support.stack import RealStack

DEADLINE_S = HANG_GUARD_S
DAY_MS = 86_400_000


def s3(stack: RealStack, prefix: str) -> ObjectStorageSettings:
    return ObjectStorageSettings(**s3_values(stack, prefix, rotate_age_s=0.05))


@asynccontextmanager
async def sink_running(
    sink: Sink[Prepared],
    kafka: KafkaSettings,
    topics: Sequence[str],
    *,
    name: str,
    **changes: object,
) -> AsyncIterator[None]:
    """Run a sink in its group until the end of the block, then let it drain."""
    quick = {"session_timeout_s": 6, "drain_timeout_s": 5, "batch_age_s": 0.05}
    settings = WorkerSettings.model_validate(quick | changes)
    clock, group, stopping = SystemClock(), f"{kafka.topic_prefix}.{name}", asyncio.Event()

    def connect(listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            kafka,
            settings,
            group=group,
            topics=topics,
            listener=listener,
            client_id=group,
            clock=clock,
        )

    async with KafkaPublisher(kafka, client_id=group, clock=clock) as publisher:
        context = WorkerContext(
            name=name,
            connect=connect,
            publisher=publisher,
            dead_letter_topic=dead_letter_topic(name, prefix=kafka.topic_prefix),
            settings=settings,
            clock=clock,
            rng=Random(1),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(SinkWorker(sink, context).run(stopping))
            try:
                yield
            finally:
                stopping.set()


class Lake:
    """One enriched topic, and its objects in S3."""

    def __init__(self, kafka: KafkaSettings, settings: ObjectStorageSettings) -> None:
        self.kafka = kafka
        self.settings = settings
        self.topic = f"{kafka.topic_prefix}.enriched.task.v1"
        self.group = f"{kafka.topic_prefix}.lake"
        self.sent: list[str] = []

    @property
    def partitions(self) -> list[TopicPartition]:
        return [TopicPartition(self.topic, number) for number in (0, 1)]

    async def make_topic(self) -> None:
        dead = dead_letter_topic("lake", prefix=self.kafka.topic_prefix)
        async with TopicAdmin(self.kafka) as admin:
            await admin.apply(
                [TopicSpec(n, 2, 1, "delete", 7 * DAY_MS) for n in (self.topic, dead)]
            )

    async def produce(self, count: int) -> None:
        """Events of two days, in both partitions."""
        records = []
        for number in range(len(self.sent), len(self.sent) + count):
            at_ms = START_MS + number % 3 // 2 * DAY_MS
            event = delivery(webhook("task_created", {"task_id": f"T{number}"}, at_ms=at_ms))
            self.sent.append(text(event.headers, event_id_header) or "")
            records.append(
                Record(self.topic, event.key, event.value, event.headers, partition=number % 2)
            )
        await publish(self.kafka, records)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with sink_running(
            ObjectStorageSink(self.settings), self.kafka, [self.topic], name="lake"
        ):
            yield

    async def stored(self) -> Counter[str]:
        return Counter([event_id async for event_id in stored_event_ids(self.settings)])

    async def store(self, *, until: int) -> None:
        """Run the sink until the objects hold so many rows, and all is committed."""
        async with self.running(), asyncio.timeout(DEADLINE_S):
            await self.until_stored(until)

    async def until_stored(self, count: int) -> None:
        while (await self.stored()).total() < count or await self.behind():
            await asyncio.sleep(0.1)

    async def behind(self) -> int:
        async with TopicAdmin(self.kafka) as admin:
            lags = await admin.lag(self.group, [self.topic])
            return sum(lag.behind for lag in lags.values())

    async def paths(self) -> list[str]:
        return await parquet_paths(self.settings)

    async def delete_objects(self, paths: Collection[str]) -> None:
        await asyncio.gather(*map(opened(self.settings).delete, paths))

    async def recreate_topic(self) -> None:
        async with admin_of(self.kafka) as admin:
            await admin.delete_topics([self.topic])
            async with asyncio.timeout(DEADLINE_S):
                while self.topic in await admin.list_topics():
                    await asyncio.sleep(0.1)
        await self.make_topic()

    async def delete_records(self) -> None:
        """As retention does, once it has overtaken everything."""
        async with admin_of(self.kafka) as admin:
            await admin.delete_records(
                {AioTopicPartition(*source): RecordsToDelete(-1) for source in self.partitions}
            )

    async def delete_group(self) -> None:
        """As `kafka-consumer-groups.sh --delete` does."""
        client = AIOKafkaClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await client.bootstrap()
        try:
            node = await client.coordinator_lookup(CoordinationType.GROUP, self.group)
            answer = await client.send(node, DeleteGroupsRequest([self.group]))
            assert answer.results == [(self.group, 0)]
        finally:
            await client.close()

    async def commit(self, offset: int) -> None:
        """As `kafka-consumer-groups.sh --reset-offsets` does."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers,
            group_id=self.group,
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            sources = [AioTopicPartition(*source) for source in self.partitions]
            consumer.assign(sources)
            await consumer.commit(dict.fromkeys(sources, offset))
        finally:
            await consumer.stop()


@asynccontextmanager
async def admin_of(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def publish(kafka: KafkaSettings, records: Sequence[Record]) -> None:
    async with (
        KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher,
        asyncio.timeout(DEADLINE_S),
    ):
        for record in records:
            await publish_once(publisher, record)
