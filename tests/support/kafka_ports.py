"""The ports to Kafka under contract, by the fake and by real brokers, and how a test uses them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from runtime.clock import SystemClock
from runtime.contracts import Sender
from runtime.kafka import (
    KafkaConsumer,
    KafkaLogReader,
    KafkaPublisher,
    TopicAdmin,
    transactions,
)
from runtime.ports import Consumer, LogReader, RebalanceListener, TransactionalPublisher
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, Record, TopicPartition
from schemas.topics import TopicSpec
from tests.support.fakes.kafka import FakeBroker
from tests.support.fakes.kafka_log import Log
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
session_s, drain_s = 1.0, 0.5


class Kafka(Protocol):
    """What the suite needs of an implementation."""

    prefix: str

    async def create_topic(self, name: str, partitions: int) -> None: ...

    async def recreate_topic(self, name: str) -> None: ...

    async def delete_topic(self, name: str) -> None: ...

    async def add_partition(self, name: str, number: int) -> None: ...

    async def delete_before(self, source: TopicPartition, offset: int) -> None: ...

    def publisher(self) -> AbstractAsyncContextManager[Sender]: ...

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]: ...

    def consumer(
        self, group: str, topics: Sequence[str], listener: RebalanceListener
    ) -> Consumer: ...

    def log_reader(self, topic: str) -> LogReader: ...


class FakeKafka:
    prefix = "fake"

    def __init__(self) -> None:
        self._broker = FakeBroker(
            clock=SystemClock(),
            rng=Random(7),
            session_timeout_s=session_s,
            rebalance_timeout_s=session_s + drain_s,
        )

    async def create_topic(self, name: str, partitions: int) -> None:
        self._broker.create_topic(name, partitions=partitions)

    async def recreate_topic(self, name: str) -> None:
        self._broker.recreate_topic(name)

    async def delete_topic(self, name: str) -> None:
        self._broker.delete_topic(name)

    async def add_partition(self, name: str, number: int) -> None:
        self._broker.logs[TopicPartition(name, number)] = Log()

    async def delete_before(self, source: TopicPartition, offset: int) -> None:
        self._broker.delete_before(source, offset)

    def publisher(self) -> AbstractAsyncContextManager[Sender]:
        return self._broker.publisher()

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]:
        return self._broker.transactions(transactional_id=transactional_id)

    def consumer(self, group: str, topics: Sequence[str], listener: RebalanceListener) -> Consumer:
        return self._broker.consumer(group=group, topics=topics, listener=listener)

    def log_reader(self, topic: str) -> LogReader:
        return self._broker.log_reader(topic)


class RealKafka:
    def __init__(self, settings: KafkaSettings) -> None:
        self.prefix = settings.topic_prefix
        self._settings = settings
        self._worker = WorkerSettings(session_timeout_s=session_s, drain_timeout_s=drain_s)

    async def create_topic(self, name: str, partitions: int) -> None:
        async with TopicAdmin(self._settings) as admin:
            await admin.apply([TopicSpec(name, partitions, 1, "delete", 86_400_000)])

    async def recreate_topic(self, name: str) -> None:
        """Delete it and make it with one partition."""
        await self.delete_topic(name)
        await self.create_topic(name, 1)

    async def delete_topic(self, name: str) -> None:
        async with self._administrator() as admin:
            await admin.delete_topics([name])

    async def add_partition(self, name: str, number: int) -> None:
        async with self._administrator() as admin:
            await admin.create_partitions({name: NewPartitions(number + 1)})

    async def delete_before(self, source: TopicPartition, offset: int) -> None:
        async with self._administrator() as admin:
            await admin.delete_records({source: RecordsToDelete(offset)})

    @asynccontextmanager
    async def _administrator(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._settings.bootstrap_servers,
            request_timeout_ms=int(HANG_GUARD_S * 1000),
        )
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Sender]:
        async with KafkaPublisher(
            self._settings, client_id=self.prefix, clock=SystemClock()
        ) as publisher:
            async with asyncio.timeout(deadline_s):
                while not publisher.ready:
                    await asyncio.sleep(0.01)
            yield publisher

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]:
        return transactions(self._settings, transactional_id=f"{self.prefix}.{transactional_id}")

    def consumer(self, group: str, topics: Sequence[str], listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            self._settings,
            self._worker,
            group=group,
            topics=topics,
            listener=listener,
            client_id=group,
            clock=SystemClock(),
        )

    def log_reader(self, topic: str) -> LogReader:
        return KafkaLogReader(self._settings, topic, client_id=self.prefix, clock=SystemClock())


class Listener:
    """Notes what it is told; fails as often as ``failures`` says."""

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []
        self.owned: set[TopicPartition] = set()
        self.revocations: list[set[TopicPartition]] = []
        self.failures: list[Exception] = []

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.revocations.append(set(partitions))
        self.owned.difference_update(partitions)

    async def assigned(self, assignment: Assignment) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.assignments.append(assignment)
        self.owned = set(assignment.partitions)


async def receive(consumer: Consumer, count: int) -> list[Delivery]:
    """Poll until so many records have come."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(deadline_s):
        while len(deliveries) < count:
            deliveries += await consumer.poll(max_records=100, timeout_s=0.2)
    return deliveries


async def poll_until(condition: object, *consumers: Consumer) -> None:
    """Poll all in turn until the condition holds."""
    assert callable(condition)
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.gather(*(c.poll(max_records=100, timeout_s=0.05) for c in consumers))


async def publish(kafka: Kafka, *records: Record) -> None:
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        for record in records:
            await publisher.publish(record)


def values(deliveries: Sequence[Delivery]) -> list[bytes | None]:
    return [delivery.value for delivery in deliveries]


def values_of(records: Sequence[Record]) -> list[bytes | None]:
    return [record.value for record in records]


def numbered(topic: str, count: int) -> list[Record]:
    return [Record(topic, b"k", b"%d" % number) for number in range(count)]
