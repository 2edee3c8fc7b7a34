"""What a consumer promises of the records that it reads, and of seeking and pausing."""

import asyncio

import pytest

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.values import Assignment, Delivery, Record, TopicPartition
from tests.support.kafka_ports import (
    Kafka,
    Listener,
    deadline_s,
    numbered,
    poll_until,
    publish,
    receive,
    values,
)


async def test_records_come_in_the_order_in_which_they_were_acknowledged(
    kafka: Kafka, topic: str
) -> None:
    await publish(kafka, *numbered(topic, 50))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        deliveries = await receive(consumer, 50)
    assert values(deliveries) == [b"%d" % number for number in range(50)]
    assert [delivery.offset for delivery in deliveries] == list(range(50))
    assert {delivery.source for delivery in deliveries} == {TopicPartition(topic, 0)}


async def test_a_poll_returns_no_more_records_than_requested(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 30))
    sizes: list[int] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while sum(sizes) < 30:
            sizes.append(len(await consumer.poll(max_records=7, timeout_s=0.2)))
    assert max(sizes) <= 7


async def test_an_empty_topic_gives_nothing_and_ends_at_its_start(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    source = TopicPartition(topic, 0)
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.assignments, consumer)
        assert list(await consumer.poll(max_records=10, timeout_s=0.1)) == []
        assert await consumer.log_ends([source]) == {source: 0}
        assert await consumer.committed([source]) == {source: None}


async def test_paused_partitions_give_nothing_and_resumed_ones_everything(
    kafka: Kafka, wide_topic: str
) -> None:
    paused, read = TopicPartition(wide_topic, 0), TopicPartition(wide_topic, 1)
    listener = Listener()
    async with kafka.consumer("g", [wide_topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        consumer.pause([paused])
        await publish(
            kafka,
            *(Record(wide_topic, None, b"%d" % n, partition=p) for n in range(5) for p in (0, 1)),
        )
        deliveries = await receive(consumer, 5)
        assert {delivery.source for delivery in deliveries} == {read}
        assert list(await consumer.poll(max_records=100, timeout_s=0.3)) == []
        consumer.resume([paused])
        assert values(await receive(consumer, 5)) == [b"0", b"1", b"2", b"3", b"4"]


async def test_pausing_between_polls_loses_nothing(kafka: Kafka, topic: str) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 40))
    deliveries: list[Delivery] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while len(deliveries) < 40:
            deliveries += (some := await consumer.poll(max_records=7, timeout_s=0.2))
            if some:
                consumer.pause([source])
                assert list(await consumer.poll(max_records=7, timeout_s=0)) == []
                consumer.resume([source])
    assert values(deliveries) == [b"%d" % number for number in range(40)]


async def test_seeking_goes_back_and_forth(kafka: Kafka, topic: str) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 10))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        await receive(consumer, 10)
        consumer.seek(source, 8)
        assert values(await receive(consumer, 2)) == [b"8", b"9"]
        consumer.seek(source, 0)
        (first, *_) = await consumer.poll(max_records=1, timeout_s=deadline_s)
        consumer.seek(source, 9)
        assert (first.offset, values(await receive(consumer, 1))) == (0, [b"9"])


async def test_a_listener_may_seek_and_pause_before_anything_is_read(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 6))

    class Seeks(Listener):
        async def assigned(self, assignment: Assignment) -> None:
            await super().assigned(assignment)
            consumer.seek(source, 4)
            consumer.pause([source])

    listener = Seeks()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        assert list(await consumer.poll(max_records=10, timeout_s=0.2)) == []
        consumer.resume([source])
        assert values(await receive(consumer, 2)) == [b"4", b"5"]


async def test_what_is_not_owned_can_be_neither_sought_nor_paused(kafka: Kafka, topic: str) -> None:
    foreign = TopicPartition(topic, 5)
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        for forbidden in (
            lambda: consumer.seek(foreign, 0),
            lambda: consumer.pause([foreign]),
            lambda: consumer.resume([foreign]),
        ):
            with pytest.raises(ValueError, match="not assigned"):
                forbidden()


async def test_a_position_behind_the_end_of_the_log_is_refused(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        consumer.seek(TopicPartition(topic, 0), 5)
        with pytest.raises(ConfigurationError):
            await receive(consumer, 1)


async def test_records_that_come_while_a_poll_waits_are_returned_by_it(
    kafka: Kafka, topic: str
) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as tasks:
            polled = tasks.create_task(consumer.poll(max_records=10, timeout_s=deadline_s * 2))
            tasks.create_task(publish(kafka, *numbered(topic, 1)))
    assert values(polled.result()) == [b"0"]


async def test_a_cancelled_poll_loses_nothing(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await consumer.poll(max_records=10, timeout_s=deadline_s)
        await publish(kafka, *numbered(topic, 2))
        assert values(await receive(consumer, 2)) == [b"0", b"1"]


async def test_the_timestamp_of_a_record_is_known_once_it_was_read(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    before_ms = int(SystemClock().now().timestamp() * 1000)
    await publish(kafka, *numbered(topic, 3))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert consumer.timestamp_ms(source, 0) is None
        deliveries: list[Delivery] = []
        while not deliveries:
            deliveries += await consumer.poll(max_records=1, timeout_s=0.2)
        reported_ms = consumer.timestamp_ms(source, 0)
        assert reported_ms == deliveries[0].timestamp_ms >= before_ms
        assert consumer.timestamp_ms(source, 1) is None
        await receive(consumer, 2)
        assert before_ms <= (consumer.timestamp_ms(source, 2) or 0)
        assert consumer.timestamp_ms(source, 3) is None
        consumer.seek(source, 2)
        assert consumer.timestamp_ms(source, 2) is None
