"""A reader without a group on brokers that are silent, and on records that nothing can decode."""

import asyncio

import pytest

from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.kafka import KafkaLogReader
from runtime.settings import KafkaSettings
from runtime.values import Delivery, TopicPartition
from tests.support.kafka_members import HurriedClock, create
from tests.support.kafka_proxy import proxy_before
from tests.support.patience import HANG_GUARD_S
from tests.support.services import produce
from tests.support.undecodable_records import produce_undecodable


async def read_until(reader: KafkaLogReader, offset: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    async with asyncio.timeout(HANG_GUARD_S):
        while min(reader.positions.values()) < offset:
            deliveries += await reader.poll(max_records=100, timeout_s=0.1)
    return deliveries


async def test_a_record_that_the_library_cannot_decode_is_skipped_with_the_rest_of_its_batch(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "one", partitions=1)
    await produce(kafka_settings, topic, [b"0", b"1"])
    await produce_undecodable(kafka_settings, topic, before=[b"2"], behind=[b"4", b"5"])
    await produce(kafka_settings, topic, [b"6"])
    reader = KafkaLogReader(kafka_settings, topic, client_id="t", clock=SystemClock())
    async with reader:
        reader.begin({TopicPartition(topic, 0): 0})
        deliveries = await read_until(reader, 7)
        assert [each.value for each in deliveries] == [b"0", b"1", b"2", b"6"]
        assert reader.unreadable_count == 3


async def test_other_partitions_lose_nothing_by_such_a_record(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "two", partitions=2)
    await produce(kafka_settings, topic, [b"%d" % number for number in range(40)])
    await produce_undecodable(kafka_settings, topic)
    await produce(kafka_settings, topic, [b"%d" % number for number in range(40, 80)])
    reader = KafkaLogReader(kafka_settings, topic, client_id="t", clock=SystemClock())
    values: list[bytes | None] = []
    async with reader, asyncio.timeout(HANG_GUARD_S):
        reader.begin(dict.fromkeys(reader.log.bounds, 0))
        while len(values) < 80:
            deliveries = await reader.poll(max_records=100, timeout_s=0.1)
            values += [each.value for each in deliveries]
    assert sorted(values, key=repr) == sorted((b"%d" % n for n in range(80)), key=repr)
    assert reader.unreadable_count == 1


async def test_a_reader_that_hears_of_no_partition_gives_up(kafka_settings: KafkaSettings) -> None:
    topic = await create(kafka_settings, "one", partitions=1)
    async with proxy_before(kafka_settings.bootstrap_servers) as proxy:
        kafka = kafka_settings.model_copy(update={"bootstrap_servers": proxy.address})
        reader = KafkaLogReader(kafka, topic, client_id="t", clock=HurriedClock())
        async with reader, asyncio.timeout(HANG_GUARD_S):
            reader.begin({TopicPartition(topic, 0): 0})
            proxy.deposed.add(topic)
            with pytest.raises(TransientError, match="no broker has sent anything"):
                await read_until(reader, 1)


async def test_damaged_records_are_a_fault_of_the_world(kafka_settings: KafkaSettings) -> None:
    topic = await create(kafka_settings, "one", partitions=1)
    await produce(kafka_settings, topic, [b"0"])
    async with proxy_before(kafka_settings.bootstrap_servers) as proxy:
        proxy.damaged.add(topic)
        kafka = kafka_settings.model_copy(update={"bootstrap_servers": proxy.address})
        reader = KafkaLogReader(kafka, topic, client_id="t", clock=SystemClock())
        async with reader, asyncio.timeout(HANG_GUARD_S):
            reader.begin({TopicPartition(topic, 0): 0})
            with pytest.raises(TransientError, match="CRC"):
                await read_until(reader, 1)
