"""Every member of a group knows which of how many it is, from one rebalance to the next."""

import asyncio
from collections.abc import Callable, Collection

from runtime.clock import SystemClock
from runtime.kafka import KafkaConsumer, TopicAdmin
from runtime.member_share import Seat
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, TopicPartition
from schemas.topics import TopicSpec

deadline_s = 30.0


class Seated:
    """A consumer, and what it was told of its seat and of its partitions, in order."""

    def __init__(self, kafka: KafkaSettings, topic: str, *, instance_id: str = "") -> None:
        self.told: list[Seat | str | None] = []
        self.consumer = KafkaConsumer(
            kafka,
            WorkerSettings(instance_id=instance_id, session_timeout_s=6, drain_timeout_s=1),
            group=f"{kafka.topic_prefix}.g",
            topics=[topic],
            listener=self,
            client_id="seats",
            clock=SystemClock(),
            seated=self.told.append,
        )

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.told.append("revoked")

    async def assigned(self, assignment: Assignment) -> None:
        self.told.append("assigned")

    @property
    def seat(self) -> Seat | None:
        seats = [told for told in self.told if not isinstance(told, str)]
        return seats[-1] if seats else None


async def a_topic(kafka: KafkaSettings, partitions: int) -> str:
    topic = f"{kafka.topic_prefix}.seats.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(topic, partitions, 1, "delete", 60_000)])
    return topic


async def poll_until(condition: Callable[[], object], *members: Seated) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.gather(
                *(each.consumer.poll(max_records=100, timeout_s=0.05) for each in members)
            )


def are_seated(*members: Seated) -> bool:
    seats = [each.seat for each in members]
    return all(seat is not None and seat.members == len(members) for seat in seats)


async def test_members_learn_their_number_in_one_generation_and_have_different_ranks(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    first, second, third = members = [Seated(kafka_settings, topic) for _ in range(3)]
    async with first.consumer:
        await poll_until(lambda: are_seated(first), first)
        assert first.seat is not None
        assert (first.seat.rank, first.seat.members) == (0, 1)
        async with second.consumer, third.consumer:  # of two partitions, so one has none
            await poll_until(lambda: are_seated(*members), *members)
            seats = [each.seat for each in members]
            assert {seat.rank for seat in seats if seat} == {0, 1, 2}
            assert len({seat.generation for seat in seats if seat}) == 1
        await poll_until(lambda: are_seated(first), first)
    assert all(each.seat is None for each in members)


async def test_a_seat_is_given_up_before_the_group_shares_out_and_taken_before_work_begins(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    first, second = Seated(kafka_settings, topic), Seated(kafka_settings, topic)
    async with first.consumer:
        await poll_until(lambda: are_seated(first), first)
        alone = first.seat
        async with second.consumer:
            await poll_until(lambda: are_seated(first, second), first, second)
            shared = first.seat
    assert first.told[: first.told.index(shared) + 2] == [
        *(None, alone, "assigned"),
        *(None, "revoked", shared, "assigned"),
    ]


async def test_a_static_member_that_comes_back_has_the_seat_that_it_had(
    kafka_settings: KafkaSettings,
) -> None:
    topic = await a_topic(kafka_settings, 2)
    other = Seated(kafka_settings, topic, instance_id="a")
    before, after = (Seated(kafka_settings, topic, instance_id="b") for _ in range(2))
    async with other.consumer:
        async with before.consumer:
            await poll_until(lambda: are_seated(other, before), other, before)
            seat = before.seat
        told = list(other.told)
        async with after.consumer:
            await poll_until(lambda: after.seat, other, after)
            assert after.seat == seat
            assert other.told == told
