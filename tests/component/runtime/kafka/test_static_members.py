"""Static membership (ZCC_WORKER_INSTANCE_ID) on the real broker."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from runtime.errors import ConfigurationError, FencedError
from runtime.ports import Position
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record, TopicPartition
from tests.support.kafka_members import (
    HurriedClock,
    Member,
    create,
    deadline_s,
    lag,
    poll_until,
    publish,
    spread,
    working,
)


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> str:
    return await create(kafka_settings, "four", partitions=4)


async def test_a_restart_within_the_session_leaves_the_other_members_alone(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    values = [b"%d" % n for n in range(80)]
    one = Member(kafka_settings, [topic], instance_id="one")
    two = Member(kafka_settings, [topic], instance_id="two")
    again = Member(kafka_settings, [topic], instance_id="one")
    async with two.consumer:
        async with one.consumer:
            await poll_until(lambda: len(one.owned) == len(two.owned) == 2, one, two)
            calls = len(two.assignments), len(two.revocations)
            await publish(kafka_settings, *spread(topic, partitions=4, values=values[:40]))
            await poll_until(lambda: len(one.read) + len(two.read) == 40, one, two)
            await one.consumer.commit(dict.fromkeys(one.owned, Position(10)))
        await publish(kafka_settings, *spread(topic, partitions=4, values=values[40:]))
        async with again.consumer:
            await poll_until(lambda: len(again.read) == 20 and len(two.read) == 40, again, two)
    assert again.owned == one.owned
    assert (len(two.assignments), len(two.revocations)) == calls
    assert sorted(one.values + two.values + again.values) == sorted(values)


async def test_who_stays_away_longer_than_its_session_loses_its_partitions(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    one = Member(kafka_settings, [topic], instance_id="one", session_timeout_s=1)
    two = Member(kafka_settings, [topic], instance_id="two", session_timeout_s=1)
    async with two.consumer:
        async with one.consumer:
            await poll_until(lambda: len(one.owned) == len(two.owned) == 2, one, two)
        await poll_until(lambda: len(two.owned) == 4, two)


async def test_of_two_workers_with_one_id_the_older_is_refused_and_the_newer_is_not_disturbed(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    await publish(kafka_settings, *spread(topic, partitions=4, values=[b"1", b"2", b"3", b"4"]))
    older = Member(kafka_settings, [topic], instance_id="same")
    newer = Member(kafka_settings, [topic], instance_id="same")
    async with older.consumer:
        await poll_until(lambda: older.owned, older)
        async with newer.consumer:
            with pytest.raises(ConfigurationError, match="ZCC_WORKER_INSTANCE_ID=same"):
                await poll_until(lambda: False, older, newer)
            with pytest.raises(ConfigurationError, match="ZCC_WORKER_INSTANCE_ID=same"):
                await poll_until(lambda: False, older)  # and it does not try again
            await poll_until(lambda: len(newer.read) == 4, newer)
            await newer.consumer.commit({TopicPartition(topic, 0): Position(1)})
    assert older.revocations == newer.revocations == []


async def test_the_older_of_two_workers_with_one_id_cannot_commit(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    older = Member(kafka_settings, [topic], instance_id="same")
    newer = Member(kafka_settings, [topic], instance_id="same")
    async with older.consumer:
        await poll_until(lambda: older.owned, older)
        async with newer.consumer:
            await poll_until(lambda: newer.owned, newer)
            with pytest.raises(ConfigurationError, match="ZCC_WORKER_INSTANCE_ID=same"):
                await older.consumer.commit({source: Position(99)})
            assert await newer.consumer.committed([source]) == {source: None}


async def test_a_worker_that_was_replaced_while_it_owned_nothing_is_refused_too(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "narrow", partitions=1)
    owner = Member(kafka_settings, [topic], instance_id="a")
    older = Member(kafka_settings, [topic], instance_id="b")
    newer = Member(kafka_settings, [topic], instance_id="b")
    async with owner.consumer:
        await poll_until(lambda: owner.owned, owner)
        async with older.consumer:
            await poll_until(lambda: older.assignments, owner, older)
            async with newer.consumer:
                with pytest.raises(ConfigurationError, match="ZCC_WORKER_INSTANCE_ID=b"):
                    await poll_until(lambda: False, owner, older, newer)
                await poll_until(lambda: newer.assignments, owner, newer)
                assert len(older.assignments) == len(newer.assignments) == 1
                assert not older.owned


async def test_a_worker_whose_session_lapsed_is_not_taken_for_one_that_was_replaced(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    one = Member(kafka_settings, [topic], instance_id="one", session_timeout_s=1)
    two = Member(kafka_settings, [topic], instance_id="two", session_timeout_s=1)
    async with one.consumer:
        await poll_until(lambda: one.owned, one)
        time.sleep(2.5)  # noqa: ASYNC251 - the loop stands still
        async with two.consumer:
            with pytest.raises(FencedError):
                await one.consumer.commit({source: Position(99)})
            await poll_until(lambda: len(one.owned) == len(two.owned) == 2, one, two)


async def test_new_partitions_are_read_though_the_leader_came_back_and_does_not_know_that_it_leads(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    one, two, again = (
        Member(kafka_settings, [topic], instance_id=name, clock=HurriedClock())
        for name in ("one", "two", "one")
    )
    async with one.consumer:  # the first leads
        await poll_until(lambda: one.owned, one)
        async with two.consumer:
            await poll_until(lambda: len(one.owned) == len(two.owned) == 2, one, two)
            await one.consumer.__aexit__(None, None, None)
            await create(kafka_settings, "four", partitions=6)  # while it is away
            async with again.consumer:
                await poll_until(lambda: len(again.owned) == len(two.owned) == 3, again, two)


class Handled:
    """What workers have handled, by value; each takes a moment."""

    def __init__(self) -> None:
        self.counts: Counter[bytes | None] = Counter()

    async def __call__(self, delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(0.005)
        self.counts[delivery.value] += 1
        return ()


async def test_no_record_is_lost_or_handled_twice_when_one_worker_restarts_in_order(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    values = [b"%d" % n for n in range(600)]
    await publish(kafka_settings, *spread(topic, partitions=4, values=values))
    one, two = Handled(), Handled()
    async with asyncio.timeout(deadline_s), working(kafka_settings, topic, two, instance_id="two"):
        for _ in range(3):
            async with working(kafka_settings, topic, one, instance_id="one"):
                before = one.counts.total()
                while one.counts.total() < before + 20 and await lag(kafka_settings, topic):
                    await asyncio.sleep(0.01)
        async with working(kafka_settings, topic, one, instance_id="one"):
            while await lag(kafka_settings, topic):
                await asyncio.sleep(0.05)
    assert one.counts.total() >= 60
    assert one.counts + two.counts == Counter(values)
