"""What a publisher of transactions promises, and what a consumer sees of them."""

import asyncio
import os
from contextlib import suppress

import pytest

from runtime.errors import FencedError, RejectedError, TransientError
from runtime.values import Delivery, Record, TopicPartition
from schemas.reasons import DeadLetterReason
from tests.support.kafka_ports import (
    Kafka,
    Listener,
    deadline_s,
    numbered,
    publish,
    receive,
    values,
    values_of,
)


async def test_the_records_of_a_transaction_are_all_there_in_order_and_by_key(
    kafka: Kafka, topic: str, wide_topic: str
) -> None:
    async with kafka.transactions("x") as publisher:
        await publisher.publish([*numbered(topic, 5), Record(wide_topic, b"foobar", b"by key")])
        await publisher.publish([])
        await publisher.publish([Record(topic, b"k", b"5", (("a", b"\xff"),))])
    async with kafka.consumer("g", [topic, wide_topic], Listener()) as consumer:
        deliveries = await receive(consumer, 7)
    assert values([d for d in deliveries if d.topic == topic]) == [b"%d" % n for n in range(6)]
    assert [d.partition for d in deliveries if d.topic == wide_topic] == [2]
    assert [d.headers for d in deliveries if d.value == b"5"] == [(("a", b"\xff"),)]


async def test_who_enters_with_a_transactional_id_fences_the_one_before_for_good(
    kafka: Kafka, topic: str
) -> None:
    async with kafka.transactions("x") as stale:
        await stale.publish([Record(topic, b"k", b"before")])
        async with kafka.transactions("x") as successor:
            await successor.publish([Record(topic, b"k", b"successor")])
            with pytest.raises(FencedError):
                await stale.publish([Record(topic, b"k", b"stale")])
            await successor.publish([Record(topic, b"k", b"goes on")])
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 3)) == [b"before", b"successor", b"goes on"]
        assert list(await consumer.poll(max_records=10, timeout_s=0.3)) == []


async def test_transactional_ids_do_not_know_each_other(kafka: Kafka, topic: str) -> None:
    async with kafka.transactions("one") as one, kafka.transactions("other") as other:
        await other.publish([Record(topic, b"k", b"0")])
        await one.publish([Record(topic, b"k", b"1")])
        await other.publish([Record(topic, b"k", b"2")])
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 3)) == [b"0", b"1", b"2"]


async def test_of_a_transaction_with_a_rejected_record_nothing_is_committed(
    kafka: Kafka, topic: str
) -> None:
    async with kafka.transactions("x") as publisher:
        with pytest.raises(RejectedError) as rejected:
            await publisher.publish(
                [
                    Record(topic, b"k", b"small"),
                    Record(topic, b"k", os.urandom(2 * 1024 * 1024)),
                ]
            )
    assert rejected.value.reason is DeadLetterReason.TOO_LARGE
    async with kafka.transactions("x") as publisher:
        await publisher.publish([Record(topic, b"k", b"next")])
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 1)) == [b"next"]


async def test_a_cancelled_transaction_is_settled_by_who_enters_next(
    kafka: Kafka, topic: str
) -> None:
    records = numbered(topic, 40)
    async with kafka.transactions("x") as publisher:
        await publisher.publish([Record(topic, b"k", b"first")])
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await publisher.publish(records)
    async with kafka.transactions("x") as publisher:
        await publisher.publish([Record(topic, b"k", b"last")])
    deliveries: list[Delivery] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while b"last" not in values(deliveries):
            deliveries += await consumer.poll(max_records=100, timeout_s=0.2)
    assert values(deliveries) in (
        [b"first", b"last"],
        [b"first", *values_of(records), b"last"],
    )


async def test_a_transaction_on_a_topic_that_does_not_exist_fails_for_now(kafka: Kafka) -> None:
    async with kafka.transactions("x") as publisher:
        with pytest.raises(TransientError):
            await publisher.publish([Record(f"{kafka.prefix}.nowhere.v1", b"k", b"v")])


async def test_a_log_ends_with_its_last_record_once_the_markers_behind_it_are_passed(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    async with kafka.transactions("x") as publisher:
        await publisher.publish(numbered(topic, 3))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        end = (await receive(consumer, 3))[-1].offset + 1
        async with asyncio.timeout(deadline_s):
            while await consumer.log_ends([source]) != {source: end}:
                await consumer.poll(max_records=10, timeout_s=0.05)
        await publish(kafka, Record(topic, b"k", b"next"))
        assert (await consumer.log_ends([source]))[source] > end
