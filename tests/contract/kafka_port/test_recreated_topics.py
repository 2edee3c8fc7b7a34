"""What a consumer promises when its log is recreated or shortened."""

from contextlib import suppress

import pytest

from runtime.errors import FencedError
from runtime.ports import Position
from runtime.values import TopicPartition
from tests.support.kafka_ports import (
    Kafka,
    Listener,
    numbered,
    poll_until,
    publish,
    receive,
    values,
    values_of,
)


async def test_an_assignment_names_the_logs_of_its_topics(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    for _ in range(2):
        async with kafka.consumer("g", [topic], listener) as consumer:
            await poll_until(lambda: listener.owned, consumer)
            listener.owned.clear()
        await kafka.recreate_topic(topic)
    before, after = (assignment.topic_ids[topic] for assignment in listener.assignments)
    assert before != after
    assert {len(before), len(after)} == {22}


async def test_a_topic_that_is_recreated_while_it_is_read_is_read_from_its_beginning(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 10))
    async with kafka.consumer("g", [topic], listener := Listener()) as consumer:
        await receive(consumer, 10)
        await consumer.commit({source: Position(6)})
        await consumer.refuse_recreated([source])
        await kafka.recreate_topic(topic)
        await publish(kafka, *numbered(topic, 30))
        with pytest.raises(FencedError, match="recreated"):
            await consumer.refuse_recreated([source])
        with suppress(FencedError):  # unless the group has noticed it before
            await poll_until(lambda: len(listener.assignments) > 1, consumer)
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 30)) == values_of(numbered(topic, 30))


@pytest.mark.parametrize("late", [Position(6), Position(6, "done1:AAAAAA"), Position(6, "plan:9")])
async def test_a_commit_that_comes_when_its_topic_was_recreated_counts_as_none(
    kafka: Kafka, topic: str, late: Position
) -> None:
    source, listener = TopicPartition(topic, 0), Listener()
    await publish(kafka, *numbered(topic, 10))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        await receive(consumer, 10)
        await kafka.recreate_topic(topic)
        await publish(kafka, *numbered(topic, 30))
        await consumer.commit({source: late})
        assert await consumer.committed([source]) == {source: late}
    async with kafka.consumer("g", [topic], listener) as consumer:
        assert values(await receive(consumer, 30)) == values_of(numbered(topic, 30))
        assert await consumer.committed([source]) == {source: None}
        assert listener.assignments[0].partitions[source].committed is None
        await consumer.commit({source: Position(2)})
        assert await consumer.committed([source]) == {source: Position(2)}


async def test_what_retention_has_deleted_unread_is_passed_and_has_no_time(
    kafka: Kafka, topic: str
) -> None:
    source, listener = TopicPartition(topic, 0), Listener()
    await publish(kafka, *numbered(topic, 5))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        await receive(consumer, 5)
        await consumer.commit({source: Position(1)})
    await kafka.delete_before(source, 5)
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        state = listener.assignments[0].partitions[source]
        assert (state.committed, state.log_start, state.log_end) == (1, 5, 5)
        assert [consumer.timestamp_ms(source, at) for at in (1, 4, 5)] == [None, None, None]
        assert await consumer.committed([source]) == {source: Position(5)}
