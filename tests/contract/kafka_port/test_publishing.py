"""What a publisher promises of the records that it sends."""

import asyncio
import os

import pytest

from runtime.errors import RejectedError, TransientError
from runtime.values import Record
from schemas.reasons import DeadLetterReason
from tests.support.kafka_ports import Kafka, Listener, deadline_s, publish, receive, values


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (b"key", b"value", (("a", b"1"), ("b", b""), ("a", b"\x00\xff"), ("umlaut-\u00fc", b"x"))),
        (None, b"value", ()),
        (b"key", None, (("only", b"header"),)),
        (None, None, ()),
        (b"", b"", ()),
        (b"\x00\xff\xfe", bytes(range(256)), ()),
    ],
    ids=["headers", "no key", "tombstone", "neither", "empty", "binary"],
)
async def test_key_value_and_headers_are_not_touched(
    kafka: Kafka,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    headers: tuple[tuple[str, bytes], ...],
) -> None:
    await publish(kafka, Record(topic, key, value, headers))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        (delivery,) = await receive(consumer, 1)
    assert (delivery.key, delivery.value, delivery.headers) == (key, value, headers)
    assert delivery.timestamp_ms > 0


async def test_a_key_decides_the_partition_as_java_does_unless_one_is_named(
    kafka: Kafka, wide_topic: str
) -> None:
    by_java = {b"21": 0, b"foobar": 2, b"a-little-bit-long-string": 0, b"abc": 3}
    records = [Record(wide_topic, key, b"by key") for key in by_java]
    await publish(kafka, *records, Record(wide_topic, b"21", b"named", partition=3))
    async with kafka.consumer("g", [wide_topic], Listener()) as consumer:
        deliveries = await receive(consumer, len(records) + 1)
    assert {d.key: d.partition for d in deliveries if d.value == b"by key"} == by_java
    assert [d.partition for d in deliveries if d.value == b"named"] == [3]


async def test_publishing_to_a_topic_that_does_not_exist_fails_for_now(kafka: Kafka) -> None:
    async with kafka.publisher() as publisher:
        assert publisher.ready
        with pytest.raises(TransientError):
            await publisher.publish(Record(f"{kafka.prefix}.nowhere.v1", b"k", b"v"))


async def test_records_next_to_one_that_is_rejected_are_acknowledged_once_and_in_order(
    kafka: Kafka, topic: str
) -> None:
    records = [
        Record(topic, b"k", os.urandom(2 * 1024 * 1024) if number == 5 else b"%d" % number)
        for number in range(12)
    ]
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        await publisher.publish(Record(topic, b"k", b"first"))
        outcomes = await asyncio.gather(*map(publisher.publish, records), return_exceptions=True)
        await publisher.publish(Record(topic, b"k", b"last"))
    assert isinstance(outcomes[5], RejectedError)
    assert outcomes[:5] + outcomes[6:] == [None] * 11
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        stored_values = values(await receive(consumer, 13))
    assert stored_values == [
        b"first",
        *(each.value for each in records if each is not records[5]),
        b"last",
    ]


async def test_a_record_that_is_too_large_is_rejected_and_the_next_one_is_not(
    kafka: Kafka, topic: str
) -> None:
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        with pytest.raises(RejectedError) as rejected:
            await publisher.publish(Record(topic, b"k", os.urandom(2 * 1024 * 1024)))
        while True:
            try:
                await publisher.publish(Record(topic, b"k", b"small"))
            except TransientError:
                await asyncio.sleep(0.01)
            else:
                break
    assert rejected.value.reason is DeadLetterReason.TOO_LARGE
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 1)) == [b"small"]


async def test_each_record_that_is_sent_is_settled_once_after_the_call(
    kafka: Kafka, topic: str
) -> None:
    outcomes: list[tuple[int, Exception | None]] = []
    records = [
        Record(topic, b"k", os.urandom(2 * 1024 * 1024) if number == 5 else b"%d" % number)
        for number in range(12)
    ]
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        await publisher.publish(Record(topic, b"k", b"first"))
        for number, record in enumerate(records):
            publisher.send(record, lambda error, number=number: outcomes.append((number, error)))
        assert outcomes == []
        while len(outcomes) < len(records):
            await asyncio.sleep(0.01)
        await publisher.publish(Record(topic, b"k", b"last"))
    assert sorted(number for number, _ in outcomes) == list(range(12))
    assert [number for number, error in outcomes if error] == [5]
    assert isinstance(dict(outcomes)[5], RejectedError)
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert len(await receive(consumer, 13)) == 13
