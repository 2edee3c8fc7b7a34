"""What a consumer promises of its group: assignments, commits, members that come and go."""

from collections.abc import Collection
from contextlib import AsyncExitStack

import pytest

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.ports import Position
from runtime.values import Record, TopicPartition
from tests.support.kafka_ports import (
    Kafka,
    Listener,
    numbered,
    poll_until,
    publish,
    receive,
    values,
)


async def test_an_assignment_reports_the_state_of_each_partition(
    kafka: Kafka, wide_topic: str
) -> None:
    first = TopicPartition(wide_topic, 0)
    await publish(kafka, *(Record(wide_topic, b"k", b"v", partition=0) for _ in range(5)))
    async with kafka.consumer("g", [wide_topic], listener := Listener()) as consumer:
        await poll_until(lambda: listener.assignments, consumer)
        await consumer.commit({first: Position(3)})
    async with kafka.consumer("g", [wide_topic], listener := Listener()) as consumer:
        await poll_until(lambda: listener.assignments, consumer)
    (assignment,) = listener.assignments
    assert assignment.cluster_id
    assert assignment.group == "g"
    assert set(assignment.partitions) == {TopicPartition(wide_topic, n) for n in range(4)}
    states = {s: (p.committed, p.log_start, p.log_end) for s, p in assignment.partitions.items()}
    assert states.pop(first) == (3, 0, 5)
    assert set(states.values()) == {(None, 0, 0)}


async def test_what_was_committed_is_returned_at_once_with_its_metadata(
    kafka: Kafka, wide_topic: str
) -> None:
    one, other = TopicPartition(wide_topic, 1), TopicPartition(wide_topic, 2)
    listener = Listener()
    async with kafka.consumer("g", [wide_topic], listener) as consumer:
        await poll_until(lambda: listener.assignments, consumer)
        await consumer.commit({one: Position(7, "plan [7..9] \u2713")})
        assert await consumer.committed([one, other]) == {
            one: Position(7, "plan [7..9] \u2713"),
            other: None,
        }
        await consumer.commit({one: Position(10)})
        assert await consumer.committed([one]) == {one: Position(10)}
        await consumer.commit({})


async def test_a_new_member_goes_on_where_the_group_has_committed(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 10))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        await receive(consumer, 10)
        await consumer.commit({TopicPartition(topic, 0): Position(6)})
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 4)) == [b"6", b"7", b"8", b"9"]


async def test_leaving_commits_nothing(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 3))
    for _ in range(2):
        async with kafka.consumer("g", [topic], Listener()) as consumer:
            assert values(await receive(consumer, 3)) == [b"0", b"1", b"2"]


async def test_groups_do_not_know_each_other(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 3))
    async with AsyncExitStack() as members:
        for group in ("one", "other"):
            member = kafka.consumer(group, [topic], Listener())
            consumer = await members.enter_async_context(member)
            assert len(await receive(consumer, 3)) == 3
            await consumer.commit({TopicPartition(topic, 0): Position(3)})


async def test_members_share_partitions_by_number_and_without_overlap(
    kafka: Kafka, wide_topic: str
) -> None:
    other_topic = f"{kafka.prefix}.other-four.v1"
    await kafka.create_topic(other_topic, 4)
    one, other = Listener(), Listener()
    topics = [wide_topic, other_topic]
    async with (
        kafka.consumer("g", topics, one) as first,
        kafka.consumer("g", topics, other) as second,
    ):
        await poll_until(lambda: len(one.owned) == len(other.owned) == 4, first, second)
        assert not one.owned & other.owned
        numbers = [{source.partition for source in listener.owned} for listener in (one, other)]
        assert not numbers[0] & numbers[1]


async def test_what_is_committed_while_partitions_are_revoked_still_counts(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 5))

    class CommitsLast(Listener):
        async def revoked(self, partitions: Collection[TopicPartition]) -> None:
            await first.commit({source: Position(4)})
            await super().revoked(partitions)

    leaver, joiner = CommitsLast(), Listener()
    async with kafka.consumer("g", [topic], leaver) as first:
        await receive(first, 5)
        async with kafka.consumer("g", [topic], joiner) as second:
            await poll_until(lambda: joiner.assignments, first, second)
            states = {**leaver.assignments[-1].partitions, **joiner.assignments[-1].partitions}
    assert leaver.revocations == [{source}]
    assert states[source].committed == 4


async def test_a_member_that_the_group_has_done_without_cannot_commit(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    stalled, follower = Listener(), Listener()
    async with kafka.consumer("g", [topic], stalled) as first:
        await poll_until(lambda: stalled.owned, first)
        async with kafka.consumer("g", [topic], follower) as second:
            await poll_until(lambda: follower.owned, second)
            with pytest.raises(FencedError):
                await first.commit({source: Position(99)})
            assert await second.committed([source]) == {source: None}
            await second.commit({source: Position(1)})
        with pytest.raises(FencedError):
            await first.commit({source: Position(99)})
        assert await first.committed([source]) == {source: Position(1)}


async def test_a_member_that_never_had_an_assignment_cannot_commit(
    kafka: Kafka, topic: str
) -> None:
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        with pytest.raises(FencedError):
            await consumer.commit({TopicPartition(topic, 0): Position(1)})


async def test_a_member_that_was_left_behind_joins_again_by_polling(
    kafka: Kafka, topic: str
) -> None:
    stalled, follower = Listener(), Listener()
    async with kafka.consumer("g", [topic], stalled) as first:
        await poll_until(lambda: stalled.owned, first)
        async with kafka.consumer("g", [topic], follower) as second:
            await poll_until(lambda: follower.owned, second)
        await poll_until(lambda: len(stalled.assignments) > 1 and stalled.owned, first)
    assert stalled.revocations


async def test_who_leaves_makes_room_for_the_others(kafka: Kafka, wide_topic: str) -> None:
    one, other = Listener(), Listener()
    async with kafka.consumer("g", [wide_topic], one) as first:
        async with kafka.consumer("g", [wide_topic], other) as second:
            await poll_until(lambda: len(one.owned) == len(other.owned) == 2, first, second)
        await poll_until(lambda: len(one.owned) == 4, first)


async def test_what_the_listener_raises_comes_out_of_poll_and_it_is_called_again(
    kafka: Kafka, topic: str
) -> None:
    await publish(kafka, *numbered(topic, 1))
    listener = Listener()
    listener.failures = [TransientError("the store is away"), ConfigurationError("wrong store")]
    async with kafka.consumer("g", [topic], listener) as consumer:
        with pytest.raises(TransientError, match="the store is away"):
            await receive(consumer, 1)
        with pytest.raises(ConfigurationError, match="wrong store"):
            await receive(consumer, 1)
        assert values(await receive(consumer, 1)) == [b"0"]
        assert len(listener.assignments) == 1
        listener.failures = [ValueError("a defect")]
        async with kafka.consumer("g", [topic], Listener()) as second:
            with pytest.raises(ValueError, match="a defect"):
                await poll_until(lambda: listener.revocations, consumer, second)


async def test_a_member_can_leave_while_its_listener_has_not_settled_a_change(
    kafka: Kafka, topic: str
) -> None:
    listener = Listener()
    listener.failures = [TransientError("the store is away")]
    async with kafka.consumer("g", [topic], listener) as consumer:
        with pytest.raises(TransientError):
            await receive(consumer, 1)
    async with kafka.consumer("g", [topic], after := Listener()) as consumer:
        await poll_until(lambda: after.owned, consumer)
