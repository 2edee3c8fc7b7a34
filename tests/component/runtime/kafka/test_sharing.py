"""How members of a group share partitions on the real broker."""

import pytest
from aiokafka import AIOKafkaConsumer

from runtime.errors import ConfigurationError
from runtime.settings import KafkaSettings
from runtime.values import TopicPartition
from tests.support.kafka_members import Member, create, poll_until


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


async def test_who_shares_in_another_way_than_the_others_is_refused(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await create(kafka_settings, "one", partitions=2)
    other_way = AIOKafkaConsumer(
        topic,
        bootstrap_servers=kafka_settings.bootstrap_servers,
        group_id=f"{kafka_settings.topic_prefix}.g",
    )
    member = Member(kafka_settings, [topic])
    async with other_way, member.consumer:
        with pytest.raises(ConfigurationError, match="stop the members of the group"):
            await poll_until(lambda: member.owned, member)
