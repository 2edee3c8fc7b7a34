"""Members of a group on the real broker, polled side by side, for tests of membership."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from random import Random

from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from runtime.clock import Clock, SystemClock
from runtime.contracts import Handler
from runtime.handlers.worker import Worker
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin
from runtime.ports import Consumer, RebalanceListener
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, Record, TopicPartition
from runtime.worker.membership import WorkerContext
from schemas.topics import TopicSpec
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S


class HurriedClock(SystemClock):
    """Ten times as fast, so that patience is short."""

    def monotonic_s(self) -> float:
        return super().monotonic_s() * 10

    async def sleep(self, delay_s: float) -> None:
        await super().sleep(delay_s / 10)


class Member:
    """A consumer and what it was told and has read; enter `consumer`."""

    def __init__(  # one argument for each thing that tests vary
        self,
        kafka: KafkaSettings,
        topics: Sequence[str],
        *,
        instance_id: str = "",
        group: str = "g",
        session_timeout_s: float = 3.0,
        clock: Clock | None = None,
        in_flight_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.assignments: list[Assignment] = []
        self.revocations: list[set[TopicPartition]] = []
        self.read: list[Delivery] = []
        group = f"{kafka.topic_prefix}.{group}"
        self.consumer = KafkaConsumer(
            kafka,
            WorkerSettings(
                instance_id=instance_id,
                session_timeout_s=session_timeout_s,
                drain_timeout_s=1,
                in_flight_bytes=in_flight_bytes,
            ),
            group=group,
            topics=topics,
            listener=self,
            client_id=group,
            clock=clock or SystemClock(),
        )

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.revocations.append(set(partitions))

    async def assigned(self, assignment: Assignment) -> None:
        self.assignments.append(assignment)

    @property
    def owned(self) -> set[TopicPartition]:
        return set(self.assignments[-1].partitions) if self.assignments else set()

    @property
    def values(self) -> list[bytes | None]:
        return [delivery.value for delivery in self.read]

    async def poll(self) -> None:
        self.read += await self.consumer.poll(max_records=100, timeout_s=0.05)


async def poll_until(condition: Callable[[], object], *members: Member) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.gather(*(member.poll() for member in members))


@asynccontextmanager
async def a_worker(
    kafka: KafkaSettings, topic: str, handler: Handler, **changes: object
) -> AsyncIterator[Worker]:
    """A worker of the group "g" on one topic, not running yet; the changes are of its settings."""
    quick = {"commit_interval_s": 0.1, "session_timeout_s": 6, "concurrency": 4}
    settings = WorkerSettings.model_validate(quick | changes)
    clock = SystemClock()

    def connect(listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            kafka,
            settings,
            group=f"{kafka.topic_prefix}.g",
            topics=[topic],
            listener=listener,
            client_id="w",
            clock=clock,
        )

    async with KafkaPublisher(kafka, client_id="w", clock=clock) as publisher:
        context = WorkerContext(
            name="test",
            connect=connect,
            publisher=publisher,
            dead_letter_topic=f"{kafka.topic_prefix}.dead.v1",
            settings=settings,
            clock=clock,
            rng=Random(1),
        )
        yield Worker(handler, context)


@asynccontextmanager
async def working(
    kafka: KafkaSettings, topic: str, handler: Handler, **changes: object
) -> AsyncIterator[None]:
    """Run a worker; at the end drain it."""
    stopping = asyncio.Event()
    async with a_worker(kafka, topic, handler, **changes) as worker, asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run(stopping))
        yield
        stopping.set()


async def lag(kafka: KafkaSettings, topic: str) -> int:
    """How far the group "g" is behind."""
    async with TopicAdmin(kafka) as admin:
        lags = await admin.lag(f"{kafka.topic_prefix}.g", [topic])
    return sum(lag.behind for lag in lags.values())


async def create(kafka: KafkaSettings, name: str, *, partitions: int) -> str:
    """Make a topic, or give it more partitions."""
    topic = f"{kafka.topic_prefix}.{name}.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, partitions, 1, "delete", 86_400_000)])
    return topic


async def publish(kafka: KafkaSettings, *records: Record) -> None:
    async with (
        KafkaPublisher(kafka, client_id="t", clock=SystemClock()) as publisher,
        asyncio.timeout(deadline_s),
        asyncio.TaskGroup() as tasks,
    ):
        for record in records:
            tasks.create_task(publish_once(publisher, record))


async def delete_before(kafka: KafkaSettings, source: TopicPartition, offset: int) -> None:
    """Delete the records of a partition before this offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_records({source: RecordsToDelete(offset)})
    await admin.close()


def spread(topic: str, *, partitions: int, values: Sequence[bytes]) -> list[Record]:
    """Records with these values, each to the next partition."""
    return [
        Record(topic, b"%d" % (n % partitions), value, partition=n % partitions)
        for n, value in enumerate(values)
    ]
