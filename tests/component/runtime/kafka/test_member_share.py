"""Every member of a group knows which of how many it is, from one rebalance to the next."""

import asyncio
from collections.abc import Callable, Collection

from runtime.clock import SystemClock
from runtime.kafka import KafkaConsumer, TopicAdmin
from runtime.member_share import MemberShare
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, TopicPartition
from schemas.topics import TopicSpec
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S


class SharingMember:
    """A consumer that records each change of its share and of its partitions, in order."""

    def __init__(self, kafka: KafkaSettings, topic: str, *, instance_id: str = "") -> None:
        self.events: list[MemberShare | str | None] = []
        self.consumer = KafkaConsumer(
            kafka,
            WorkerSettings(instance_id=instance_id, session_timeout_s=6, drain_timeout_s=1),
            group=f"{kafka.topic_prefix}.g",
            topics=[topic],
            listener=self,
            client_id="shares",
            clock=SystemClock(),
            on_share_changed=self.events.append,
        )

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.events.append("revoked")

    async def assigned(self, assignment: Assignment) -> None:
        self.events.append("assigned")

    @property
    def share(self) -> MemberShare | None:
        shares = [each for each in self.events if not isinstance(each, str)]
        return shares[-1] if shares else None


async def a_topic(kafka: KafkaSettings, partitions: int) -> str:
    topic = f"{kafka.topic_prefix}.shares.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, partitions, 1, "delete", 60_000)])
    return topic


async def poll_until(condition: Callable[[], object], *members: SharingMember) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.gather(
                *(each.consumer.poll(max_records=100, timeout_s=0.05) for each in members)
            )


def have_shares(*members: SharingMember) -> bool:
    shares = [each.share for each in members]
    return all(share is not None and share.members == len(members) for share in shares)


async def test_members_learn_their_number_in_one_generation_and_have_different_ranks(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    first, second, third = members = [SharingMember(kafka_settings, topic) for _ in range(3)]
    async with first.consumer:
        await poll_until(lambda: have_shares(first), first)
        assert first.share is not None
        assert (first.share.rank, first.share.members) == (0, 1)
        async with second.consumer, third.consumer:  # of two partitions, so one has none
            await poll_until(lambda: have_shares(*members), *members)
            shares = [each.share for each in members]
            assert {share.rank for share in shares if share} == {0, 1, 2}
            assert len({share.generation for share in shares if share}) == 1
        await poll_until(lambda: have_shares(first), first)
    assert all(each.share is None for each in members)


async def test_a_share_is_given_up_before_a_rebalance_and_taken_before_work_begins(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    first, second = SharingMember(kafka_settings, topic), SharingMember(kafka_settings, topic)
    async with first.consumer:
        await poll_until(lambda: have_shares(first), first)
        alone = first.share
        async with second.consumer:
            await poll_until(lambda: have_shares(first, second), first, second)
            shared = first.share
    assert first.events[: first.events.index(shared) + 2] == [
        *(None, alone, "assigned"),
        *(None, "revoked", shared, "assigned"),
    ]


async def test_a_static_member_that_comes_back_has_the_share_that_it_had(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    other = SharingMember(kafka_settings, topic, instance_id="a")
    before, after = (SharingMember(kafka_settings, topic, instance_id="b") for _ in range(2))
    async with other.consumer:
        async with before.consumer:
            await poll_until(lambda: have_shares(other, before), other, before)
            share = before.share
        events = list(other.events)
        async with after.consumer:
            await poll_until(lambda: after.share, other, after)
            assert after.share == share
            assert other.events == events
