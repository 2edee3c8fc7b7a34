"""What a reader without a group promises."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.ports import LogBounds, LogReader
from runtime.values import Delivery, Record, TopicPartition
from tests.support.kafka_ports import Kafka, deadline_s, numbered, publish, values


@asynccontextmanager
async def reading(kafka: Kafka, topic: str) -> AsyncIterator[LogReader]:
    """Yield a reader that begins at the starts of the log."""
    async with kafka.log_reader(topic) as reader:
        reader.begin({source: start for source, (start, _) in reader.log.bounds.items()})
        yield reader


async def read(reader: LogReader, count: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    async with asyncio.timeout(deadline_s):
        while len(deliveries) < count:
            deliveries += await reader.poll(max_records=100, timeout_s=0.2)
    return deliveries


async def poll_until(reader: LogReader, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await reader.poll(max_records=100, timeout_s=0.1)


async def test_all_records_come_in_order_and_later_ones_follow(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 50))
    async with reading(kafka, topic) as reader:
        assert values(await read(reader, 50)) == [b"%d" % number for number in range(50)]
        await publish(kafka, Record(topic, b"k", b"later"), Record(topic, b"k", None))
        assert values(await read(reader, 2)) == [b"later", None]
        assert reader.positions == {TopicPartition(topic, 0): 52}


async def test_records_of_all_partitions_come(kafka: Kafka, wide_topic: str) -> None:
    await publish(kafka, *(Record(wide_topic, None, b"", partition=n) for n in range(4)))
    async with reading(kafka, wide_topic) as reader:
        assert {each.partition for each in await read(reader, 4)} == {0, 1, 2, 3}
        assert set(reader.positions.values()) == {1}


async def test_a_poll_returns_no_more_records_than_requested(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 30))
    sizes: list[int] = []
    async with reading(kafka, topic) as reader, asyncio.timeout(deadline_s):
        while sum(sizes) < 30:
            sizes.append(len(await reader.poll(max_records=7, timeout_s=0.2)))
    assert max(sizes) <= 7


async def test_the_log_says_where_it_begins_and_ends(kafka: Kafka, topic: str) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 9))
    await kafka.delete_before(source, 4)
    async with reading(kafka, topic) as reader:
        assert reader.log.bounds == {source: LogBounds(4, 9)}
        assert reader.ends == {source: 9}
        assert values(await read(reader, 5)) == [b"4", b"5", b"6", b"7", b"8"]


async def test_an_empty_topic_ends_where_it_begins(kafka: Kafka, topic: str) -> None:
    async with reading(kafka, topic) as reader:
        assert reader.log.bounds == {TopicPartition(topic, 0): LogBounds(0, 0)}
        assert list(await reader.poll(max_records=10, timeout_s=0.1)) == []


async def test_it_continues_where_another_has_stopped(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 5))
    async with reading(kafka, topic) as reader:
        await read(reader, 5)
        positions = dict(reader.positions)
    await publish(kafka, Record(topic, b"k", b"later"))
    async with kafka.log_reader(topic) as reader:
        reader.begin(positions)
        assert values(await read(reader, 1)) == [b"later"]


async def test_the_marker_of_a_transaction_is_passed(kafka: Kafka, topic: str) -> None:
    """Otherwise a topic that a transaction wrote last would never be read to its end."""
    source = TopicPartition(topic, 0)
    async with kafka.transactions("t") as publisher, asyncio.timeout(deadline_s):
        await publisher.publish(numbered(topic, 3))
    async with asyncio.timeout(deadline_s):
        # The brokers write the marker after they have acknowledged the commit.
        while (end := await _end(kafka, source)) <= 3:
            await asyncio.sleep(0.05)
    async with reading(kafka, topic) as reader:
        deliveries: list[Delivery] = []
        async with asyncio.timeout(deadline_s):
            while reader.positions[source] < end:
                deliveries += await reader.poll(max_records=100, timeout_s=0.1)
        assert values(deliveries) == [b"0", b"1", b"2"]


async def _end(kafka: Kafka, source: TopicPartition) -> int:
    async with kafka.log_reader(source.topic) as reader:
        return reader.log.bounds[source].end


async def test_a_recreated_topic_is_refused(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 3))
    async with reading(kafka, topic) as reader:
        await read(reader, 3)
        before = reader.log.topic_id
        await kafka.recreate_topic(topic)
        with pytest.raises(FencedError):
            await poll_until(reader, lambda: False)
    async with kafka.log_reader(topic) as reader:
        assert reader.log.topic_id != before


async def test_a_position_outside_the_log_is_refused(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 3))
    async with kafka.log_reader(topic) as reader:
        reader.begin({TopicPartition(topic, 0): 1000})
        with pytest.raises(FencedError):
            await poll_until(reader, lambda: False)


async def test_a_topic_that_is_deleted_ends_the_reading(kafka: Kafka, topic: str) -> None:
    async with reading(kafka, topic) as reader:
        await kafka.delete_topic(topic)
        with pytest.raises(TransientError):
            await poll_until(reader, lambda: False)


async def test_a_new_partition_ends_the_reading_and_is_read_by_the_next(
    kafka: Kafka, topic: str
) -> None:
    async with reading(kafka, topic) as reader:
        await kafka.add_partition(topic, 1)
        with pytest.raises(TransientError):
            await poll_until(reader, lambda: False)
    async with reading(kafka, topic) as reader:
        assert set(reader.log.bounds) == {TopicPartition(topic, number) for number in (0, 1)}


async def test_a_topic_that_does_not_exist_is_refused(kafka: Kafka) -> None:
    with pytest.raises(ConfigurationError):
        async with kafka.log_reader(f"{kafka.prefix}.none.v1"):
            pass
