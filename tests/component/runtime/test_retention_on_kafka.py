"""Retention overtakes workers on a real broker: they go on, and what was lost is counted once."""

from collections.abc import Callable, Coroutine, Sequence

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from prometheus_client import Gauge

from runtime import metrics
from runtime.ports import Position
from runtime.service import run_handler, run_sink
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record, TopicPartition
from tests.support.components import component_of
from tests.support.kafka_members import Member, create, poll_until, publish
from tests.support.workers_on_kafka import LogSink, until, until_terminated, worker


class Bench:
    """A topic of two partitions, and all values that a worker was given."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self.sink = LogSink()
        self.handled: list[bytes | None] = []

    @property
    def values(self) -> list[bytes | None]:
        return self.handled + [value for _, value in self.sink.by_log]

    def forget_lags(self) -> None:
        """So that a figure of 0 is one that was worked out."""
        for gauge in self._lags:
            gauge.set(-1)

    @property
    def lags(self) -> list[float]:
        """Records and seconds of both partitions."""
        return [gauge._value.get() for gauge in self._lags]

    @property
    def _lags(self) -> list[Gauge]:
        gauges = (metrics.worker.lag, metrics.worker.lag_seconds)
        return [metric.labels("g", self.topic, number) for metric in gauges for number in "01"]

    def expired(self, partition: int) -> float:
        group = f"{self.kafka.topic_prefix}.g"
        counter = metrics.worker.expired.labels(group, self.topic, str(partition))
        return float(counter._value.get())

    async def publish(self, *values: bytes, partition: int) -> None:
        records = [Record(self.topic, b"k", value, partition=partition) for value in values]
        await publish(self.kafka, *records)

    async def overtake(self, *, committed: int, metadata: str = "") -> None:
        """Commit for partition 0, then delete all that both partitions hold."""
        source = TopicPartition(self.topic, 0)
        member = Member(self.kafka, [self.topic])
        async with member.consumer:
            await poll_until(lambda: member.owned, member)
            await member.consumer.commit({source: Position(committed, metadata)})
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await admin.start()
        await admin.delete_records(
            {TopicPartition(self.topic, number): RecordsToDelete(-1) for number in (0, 1)}
        )
        await admin.close()

    async def handle(self) -> None:
        async def handler(delivery: Delivery) -> Sequence[Record]:
            self.handled.append(delivery.value)
            return ()

        await run_handler(handler, component_of("g", [self.topic]), kafka=self.kafka, worker=worker)

    async def store(self) -> None:
        await run_sink(self.sink, component_of("g", [self.topic]), kafka=self.kafka, worker=worker)

    async def store_unplanned(self) -> None:
        self.sink.planned = False
        await self.store()


@pytest.fixture
async def bench(kafka_settings: KafkaSettings) -> Bench:
    await create(kafka_settings, "dead-letter.g", partitions=1)
    return Bench(kafka_settings, await create(kafka_settings, "one", partitions=2))


@pytest.mark.parametrize("run", [Bench.handle, Bench.store, Bench.store_unplanned])
async def test_a_quiet_topic_whose_partitions_all_begin_behind_the_position_ends_no_worker(
    bench: Bench, run: Callable[[Bench], Coroutine[None, None, None]]
) -> None:
    for partition in (0, 1):
        await bench.publish(*(b"old" for _ in range(10)), partition=partition)
    await bench.overtake(committed=4)
    for _ in range(2):
        bench.forget_lags()
        async with until_terminated(run(bench)):
            await until(lambda: bench.lags == [0, 0, 0, 0])
        assert [bench.expired(partition) for partition in (0, 1)] == [6, 0]
    async with until_terminated(run(bench)):
        await bench.publish(b"new", partition=0)
        await until(lambda: bench.values == [b"new"])
    assert bench.expired(0) == 6


async def test_records_lost_with_an_offset_map_are_counted_once_too(bench: Bench) -> None:
    await bench.publish(*(b"old" for _ in range(10)), partition=0)
    await bench.overtake(committed=4, metadata="done1:")
    for _ in range(2):
        async with until_terminated(bench.handle()):
            await until(lambda: bench.expired(0))
            await bench.publish(b"new", partition=1)
            await until(lambda: bench.values.count(b"new"))
            bench.handled.clear()
        assert bench.expired(0) == 6
