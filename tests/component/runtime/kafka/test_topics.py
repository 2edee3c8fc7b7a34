"""Topics made, compared, counted and read through, on real brokers."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from runtime import metrics
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import KafkaConsumer, KafkaPublisher, Lag, TopicAdmin
from runtime.ports import Position
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Record, TopicPartition
from schemas.topics import TopicSpec, topic_specs
from tests.support.assignments import Listener
from tests.support.kafka_members import delete_before
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
day_ms = 86_400_000


def spec_of(kafka: KafkaSettings, name: str = "one", partitions: int = 2) -> TopicSpec:
    return TopicSpec(f"{kafka.topic_prefix}.{name}.v1", partitions, 1, "delete", day_ms)


async def publish(kafka: KafkaSettings, *records: Record) -> None:
    async with (
        KafkaPublisher(kafka, client_id="t", clock=SystemClock()) as publisher,
        asyncio.timeout(deadline_s),
    ):
        while not publisher.ready:
            await asyncio.sleep(0.01)
        for record in records:
            await publish_once(publisher, record)


async def values_in(kafka: KafkaSettings, *topics: str) -> list[bytes | None]:
    async with asyncio.timeout(deadline_s):
        return [delivery.value for delivery in await records_of(kafka, topics)]


def member_of(kafka: KafkaSettings, topic: str, listener: Listener) -> KafkaConsumer:
    return KafkaConsumer(
        kafka,
        WorkerSettings(session_timeout_s=6, drain_timeout_s=1),
        group=f"{kafka.topic_prefix}.g",
        topics=[topic],
        listener=listener,
        client_id="t",
        clock=SystemClock(),
    )


async def test_all_topics_of_a_deployment_are_applied_and_then_nothing_is_left_to_do(
    kafka_settings: KafkaSettings,
) -> None:
    specs = list(topic_specs(kafka_settings.topic_plan, {"enrichment": (30,)}))
    async with TopicAdmin(kafka_settings) as admin:
        missing = await admin.check(specs)
        assert not missing.settled
        assert len(missing.lines) == len(specs)
        applied = await admin.apply(specs)
        assert applied == type(applied)(missing.lines, settled=True)
        assert await admin.check(specs) == type(applied)((), settled=True)
        assert await admin.apply(specs) == type(applied)((), settled=True)
        assert await admin.cluster_id()


async def test_applying_changes_what_differs_and_nothing_else(
    kafka_settings: KafkaSettings,
) -> None:
    before = spec_of(kafka_settings)
    after = TopicSpec(before.name, 3, 1, "compact", -1)
    resource = ConfigResource(ConfigResourceType.TOPIC, before.name, {"segment.bytes": "2000000"})
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([before])
        other = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap_servers)
        await other.start()
        await other.alter_configs([resource])
        applied = await admin.apply([after])
        assert applied.settled
        assert len(applied.lines) == 2
        (answer,) = await other.describe_configs([resource])
        await other.close()
    entries = answer.resources[0][4]
    assert [value for name, value, *_ in entries if name == "segment.bytes"] == ["2000000"]


async def test_what_cannot_be_done_is_reported_and_the_rest_is_done(
    kafka_settings: KafkaSettings,
) -> None:
    wide, new = spec_of(kafka_settings, partitions=3), spec_of(kafka_settings, "new")
    narrow = TopicSpec(wide.name, 2, 2, "delete", day_ms)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([wide])
        with pytest.raises(ConfigurationError, match="ZCC_KAFKA_REPLICATION"):
            await admin.apply([TopicSpec(f"{wide.name}x", 1, 5, "delete", day_ms)])
        wider = TopicSpec(wide.name, 2, 1, "delete", day_ms)
        applied = await admin.apply([wider, new])
        assert not applied.settled
        assert "cannot remove partitions" in applied.lines[0]
        checked = await admin.check([narrow, new])
        assert len(checked.lines) == 2
        assert "replication 1, expected 2" in checked.lines[1]


async def test_lag_and_counts_are_reported_by_partition_and_by_topic(
    kafka_settings: KafkaSettings,
) -> None:
    spec = spec_of(kafka_settings)
    first, second = (TopicPartition(spec.name, number) for number in range(2))
    listener = Listener()
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([spec])
        await publish(
            kafka_settings, *(Record(spec.name, None, b"v", partition=0) for _ in range(4))
        )
        group = f"{kafka_settings.topic_prefix}.g"
        nothing_read = await admin.lag(group, [spec.name])
        async with (
            asyncio.timeout(deadline_s),
            member_of(kafka_settings, spec.name, listener) as consumer,
        ):
            while not listener.assignments:
                await consumer.poll(max_records=1, timeout_s=1)
            await consumer.commit({first: Position(3)})
        assert nothing_read == {first: Lag(None, 0, 4), second: Lag(None, 0, 0)}
        assert await admin.lag(group, [spec.name]) == {first: Lag(3, 0, 4), second: Lag(None, 0, 0)}
        assert await admin.record_counts([spec.name]) == {spec.name: 4}
        with pytest.raises(ConfigurationError, match="zcc topics apply"):
            await admin.record_counts([spec.name, f"{spec.name}.not"])


async def test_a_scan_reads_what_is_there_in_order_and_ends(kafka_settings: KafkaSettings) -> None:
    one, empty = spec_of(kafka_settings, partitions=1), spec_of(kafka_settings, "empty")
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([one, empty])
    expected = [b"%d" % number for number in range(1500)]
    async with KafkaPublisher(kafka_settings, client_id="t", clock=SystemClock()) as publisher:
        while not publisher.ready:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as tasks:
            for value in expected:
                tasks.create_task(publish_once(publisher, Record(one.name, b"k", value)))
    assert await values_in(kafka_settings, one.name, empty.name) == expected
    assert await values_in(kafka_settings, empty.name) == []
    assert await values_in(kafka_settings) == []


async def test_a_scan_ends_behind_the_markers_of_transactions_and_skips_what_was_aborted(
    kafka_settings: KafkaSettings,
) -> None:
    spec = spec_of(kafka_settings, partitions=1)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([spec])
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_settings.bootstrap_servers, transactional_id=spec.name
    )
    async with asyncio.timeout(deadline_s), producer:
        async with producer.transaction():
            await producer.send_and_wait(spec.name, b"kept")
        await producer.begin_transaction()
        await producer.send_and_wait(spec.name, b"aborted")
        await producer.abort_transaction()
    assert await values_in(kafka_settings, spec.name) == [b"kept"]


async def test_a_scan_starts_where_retention_has_left_the_log(
    kafka_settings: KafkaSettings,
) -> None:
    spec = spec_of(kafka_settings, partitions=1)
    source = TopicPartition(spec.name, 0)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([spec])
        await publish(kafka_settings, *(Record(spec.name, b"k", b"%d" % n) for n in range(4)))
        await delete_before(kafka_settings, source, 3)
        assert await values_in(kafka_settings, spec.name) == [b"3"]
        await delete_before(kafka_settings, source, 4)
        assert await values_in(kafka_settings, spec.name) == []
        assert await admin.record_counts([spec.name]) == {spec.name: 0}


async def test_a_scan_of_a_topic_that_does_not_exist_is_refused(
    kafka_settings: KafkaSettings,
) -> None:
    with pytest.raises(ConfigurationError, match="zcc topics apply"):
        await values_in(kafka_settings, f"{kafka_settings.topic_prefix}.nowhere.v1")


async def test_records_that_retention_deleted_unread_are_counted_and_passed(
    kafka_settings: KafkaSettings,
) -> None:
    spec = spec_of(kafka_settings, partitions=1)
    source = TopicPartition(spec.name, 0)
    group = f"{kafka_settings.topic_prefix}.g"
    listener = Listener()
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([spec])
    await publish(kafka_settings, *(Record(spec.name, b"k", b"%d" % n) for n in range(6)))
    async with asyncio.timeout(deadline_s):
        async with member_of(kafka_settings, spec.name, listener) as consumer:
            while not await consumer.poll(max_records=1, timeout_s=1):
                pass
            await consumer.commit({source: Position(1)})
            await delete_before(kafka_settings, source, 4)
            consumer.seek(source, 2)
            with pytest.raises(TransientError, match="2 is gone"):
                await consumer.poll(max_records=1, timeout_s=deadline_s)
        async with member_of(kafka_settings, spec.name, listener) as consumer:
            values: list[bytes | None] = []
            while len(values) < 2:
                values += [d.value for d in await consumer.poll(max_records=9, timeout_s=1)]
    assert values == [b"4", b"5"]
    assert metrics.worker.expired.labels(group, spec.name, "0")._value.get() == 3
