"""How members of a group share partitions on the real broker."""

import pytest

from runtime.settings import KafkaSettings
from runtime.values import TopicPartition
from tests.component.kafka_members import Member, create, poll_until

pytestmark = pytest.mark.timeout(60)


def numbers(member: Member, topic: str) -> set[int]:
    return {source.partition for source in member.owned if source.topic == topic}


async def test_who_stays_keeps_its_partition_numbers_when_others_come_and_go(
    kafka_settings: KafkaSettings,
) -> None:
    topics = [await create(kafka_settings, name, partitions=6) for name in ("one", "other")]
    one, two, three = (Member(kafka_settings, topics) for _ in range(3))
    async with one.consumer, two.consumer:
        await poll_until(lambda: len(one.owned) == len(two.owned) == 6, one, two)
        halves = one.owned, two.owned
        async with three.consumer:
            await poll_until(
                lambda: len(one.owned) == len(two.owned) == len(three.owned) == 4, one, two, three
            )
            assert one.owned < halves[0]
            assert two.owned < halves[1]
            for member in (one, two, three):
                assert numbers(member, topics[0]) == numbers(member, topics[1])
            thirds = one.owned, two.owned
        await poll_until(lambda: len(one.owned) == len(two.owned) == 6, one, two)
        assert one.owned > thirds[0]
        assert two.owned > thirds[1]


async def test_members_that_read_different_topics_share_those_that_they_have_in_common(
    kafka_settings: KafkaSettings,
) -> None:
    both, own = [await create(kafka_settings, name, partitions=2) for name in ("both", "own")]
    old, new = Member(kafka_settings, [both]), Member(kafka_settings, [both, own])
    async with old.consumer, new.consumer:
        await poll_until(lambda: len(old.owned) == 1 and len(new.owned) == 3, old, new)
    assert old.owned | new.owned == {
        TopicPartition(topic, number) for topic in (both, own) for number in (0, 1)
    }
