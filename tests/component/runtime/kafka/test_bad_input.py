"""What a consumer of the real broker does with logs that are not as ingest writes them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from runtime.errors import ConfigurationError
from runtime.ports import Position
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record, TopicPartition
from tests.support.kafka_members import (
    HurriedClock,
    Member,
    create,
    deadline_s,
    poll_until,
    publish,
    spread,
)
from tests.support.patience import HANG_GUARD_S
from tests.support.undecodable_records import produce_undecodable


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> str:
    return await create(kafka_settings, "one", partitions=1)


@asynccontextmanager
async def producing(kafka: KafkaSettings, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """Somebody else's producer."""
    async with (
        asyncio.timeout(deadline_s),
        AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, **options) as producer,
    ):
        yield producer


async def administer(
    kafka: KafkaSettings, change: Callable[[AIOKafkaAdminClient], Awaitable[object]]
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    await change(admin)
    await admin.close()


async def read_all(kafka: KafkaSettings, topic: str, count: int) -> Member:
    member = Member(kafka, [topic])
    async with member.consumer:
        await poll_until(lambda: len(member.read) >= count, member)
    return member


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_records_of_every_codec_are_read(
    kafka_settings: KafkaSettings, topic: str, codec: str
) -> None:
    values = [b"%d " % number * 500 for number in range(20)]
    async with producing(kafka_settings, compression_type=codec, linger_ms=50) as producer:
        await asyncio.gather(*(producer.send_and_wait(topic, value) for value in values))
    member = await read_all(kafka_settings, topic, len(values))
    assert sorted(value or b"" for value in member.values) == sorted(values)


def without_codecs(kafka: KafkaSettings, topic: str) -> str:
    """Read in a process where the package of the codecs is not installed; return what it says."""
    script = f"""
import asyncio, sys
sys.modules["cramjam"] = None
from runtime.settings import KafkaSettings
from tests.support.kafka_members import Member, poll_until

async def read():
    kafka = KafkaSettings(
        bootstrap_servers={kafka.bootstrap_servers!r}, topic_prefix={kafka.topic_prefix!r}
    )
    member = Member(kafka, [{topic!r}], group="without")
    async with member.consumer:
        await poll_until(lambda: member.read, member)

asyncio.run(read())
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, timeout=deadline_s, text=True, check=False)
    return done.stderr.strip().splitlines()[-1]


async def test_a_codec_that_is_not_installed_is_the_operators_fault(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    async with producing(kafka_settings, compression_type="zstd") as producer:
        await producer.send_and_wait(topic, b"v" * 1000)
    error = await asyncio.to_thread(without_codecs, kafka_settings, topic)
    assert error.startswith("runtime.errors.ConfigurationError")
    assert "zstd" in error
    assert "install cramjam" in error


async def test_records_larger_than_a_piece_are_read_from_all_partitions(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "large", partitions=4)
    values = [os.urandom(900_000) for _ in range(12)]
    await publish(kafka_settings, *spread(topic, partitions=4, values=values))
    member = Member(kafka_settings, [topic], in_flight_bytes=1024)  # pieces of 16 KiB
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 12, member)
    assert sorted(value or b"" for value in member.values) == sorted(values)


async def test_offsets_of_transactions_are_gaps_and_what_was_aborted_is_not_read(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    async with producing(kafka_settings, transactional_id=topic) as producer:
        for value, kept in ((b"0", True), (b"no", False), (b"3", True), (b"never", False)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value)
            await (producer.commit_transaction() if kept else producer.abort_transaction())
    await publish(kafka_settings, Record(topic, b"k", b"last"))
    member = await read_all(kafka_settings, topic, 3)
    assert [(d.offset, d.value) for d in member.read] == [(0, b"0"), (4, b"3"), (8, b"last")]


async def test_an_open_transaction_holds_up_what_follows_it_until_it_ends(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    member = Member(kafka_settings, [topic])
    async with (
        producing(kafka_settings, transactional_id=topic) as producer,
        member.consumer,
    ):
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"open")
        await publish(kafka_settings, Record(topic, b"k", b"behind"))
        await poll_until(lambda: member.owned, member)
        assert member.assignments[0].partitions[TopicPartition(topic, 0)].log_end == 0
        for _ in range(10):
            await member.poll()
        assert member.read == []
        await producer.commit_transaction()
        await poll_until(lambda: member.values == [b"open", b"behind"], member)


@pytest.mark.long
async def test_offsets_that_compaction_removed_are_gaps(kafka_settings: KafkaSettings) -> None:
    topic = f"{kafka_settings.topic_prefix}.compacted.v1"
    eager = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "min.compaction.lag.ms": "0",
    }
    await administer(
        kafka_settings,
        lambda admin: admin.create_topics([NewTopic(topic, 1, 1, topic_configs=eager)]),
    )
    await publish(kafka_settings, *(Record(topic, b"k", b"%d" % n) for n in range(50)))
    async with asyncio.timeout(HANG_GUARD_S):
        while (first := await first_of(kafka_settings, topic)).offset == 0:
            await asyncio.sleep(1)
    assert (first.offset, first.value) == (49, b"49")


async def first_of(kafka: KafkaSettings, topic: str) -> Delivery:
    """Read a topic as a group of its own, one record more in it: that closes the segment before."""
    await publish(kafka, Record(topic, b"other", b"last"))
    member = Member(kafka, [topic], group=os.urandom(4).hex())
    async with member.consumer:
        await poll_until(lambda: b"last" in member.values, member)
    return member.read[0]


async def test_a_topic_that_is_deleted_and_recreated_is_read_from_its_beginning(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka_settings, *(Record(topic, b"k", b"old") for _ in range(10)))
    member = Member(kafka_settings, [topic], clock=HurriedClock())
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 10, member)
        await member.consumer.commit({source: Position(10)})
        await administer(kafka_settings, lambda admin: admin.delete_topics([topic]))
        await poll_until(lambda: not member.owned, member)
        await create(kafka_settings, "one", partitions=1)
        await publish(kafka_settings, *(Record(topic, b"k", b"new %d" % n) for n in range(20)))
        await poll_until(lambda: len(member.read) == 30, member)
    assert member.values[10:] == [b"new %d" % n for n in range(20)]
    assert member.assignments[-1].partitions[source].committed is None


async def test_partitions_that_are_added_while_it_runs_are_read(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    one, two = (Member(kafka_settings, [topic]) for _ in range(2))
    async with one.consumer, two.consumer:
        await poll_until(lambda: one.assignments and two.assignments, one, two)
        await create(kafka_settings, "one", partitions=4)
        await publish(kafka_settings, *spread(topic, partitions=4, values=[b"a", b"b", b"c", b"d"]))
        for member in (one, two):  # they do it themselves every 30 s
            member.consumer._client._client.force_metadata_update()
        await poll_until(lambda: {*one.values, *two.values} == {b"a", b"b", b"c", b"d"}, one, two)
        assert len(one.owned) == len(two.owned) == 2


@pytest.mark.long
async def test_partitions_that_are_added_are_read_within_a_minute(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    member = Member(kafka_settings, [topic])
    async with member.consumer:
        await poll_until(lambda: member.owned, member)
        await create(kafka_settings, "one", partitions=2)
        await publish(kafka_settings, Record(topic, b"k", b"v", partition=1))
        async with asyncio.timeout(HANG_GUARD_S):
            while not member.read:
                await member.poll()


async def test_a_record_that_the_library_cannot_read_is_the_operators_fault_and_nothing_is_skipped(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    await publish(kafka_settings, Record(topic, b"k", b"fine"))
    member = Member(kafka_settings, [topic])
    async with member.consumer:
        await poll_until(lambda: member.values == [b"fine"], member)
        await produce_undecodable(kafka_settings, topic)
        await publish(kafka_settings, Record(topic, b"k", b"behind"))
        with pytest.raises(ConfigurationError, match=rf"{topic}/0 holds, from offset 1 on"):
            await poll_until(lambda: b"behind" in member.values, member)
    assert member.values == [b"fine"]
