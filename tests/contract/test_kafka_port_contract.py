"""What the ports to Kafka promise, kept by the fake and by real brokers."""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from random import Random
from typing import Protocol

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from runtime.clock import SystemClock
from runtime.contracts import Publisher
from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin, transactions
from runtime.ports import Consumer, Position, RebalanceListener, TransactionalPublisher
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Assignment, Delivery, Record, TopicPartition
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicSpec
from tests.support.fakes.kafka import FakeBroker
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
session_s, drain_s = 1.0, 0.5


class Kafka(Protocol):
    """What the suite needs of an implementation."""

    prefix: str

    async def create_topic(self, name: str, partitions: int) -> None: ...

    async def recreate_topic(self, name: str) -> None: ...

    async def delete_before(self, source: TopicPartition, offset: int) -> None: ...

    def publisher(self) -> AbstractAsyncContextManager[Publisher]: ...

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]: ...

    def consumer(
        self, group: str, topics: Sequence[str], listener: RebalanceListener
    ) -> Consumer: ...


class FakeKafka:
    prefix = "fake"

    def __init__(self) -> None:
        self._broker = FakeBroker(
            clock=SystemClock(),
            rng=Random(7),
            session_timeout_s=session_s,
            rebalance_timeout_s=session_s + drain_s,
        )

    async def create_topic(self, name: str, partitions: int) -> None:
        self._broker.create_topic(name, partitions=partitions)

    async def recreate_topic(self, name: str) -> None:
        self._broker.recreate_topic(name)

    async def delete_before(self, source: TopicPartition, offset: int) -> None:
        self._broker.delete_before(source, offset)

    def publisher(self) -> AbstractAsyncContextManager[Publisher]:
        return self._broker.publisher()

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]:
        return self._broker.transactions(transactional_id=transactional_id)

    def consumer(self, group: str, topics: Sequence[str], listener: RebalanceListener) -> Consumer:
        return self._broker.consumer(group=group, topics=topics, listener=listener)


class RealKafka:
    def __init__(self, settings: KafkaSettings) -> None:
        self.prefix = settings.topic_prefix
        self._settings = settings
        self._worker = WorkerSettings(session_timeout_s=session_s, drain_timeout_s=drain_s)

    async def create_topic(self, name: str, partitions: int) -> None:
        async with TopicAdmin(self._settings) as admin:
            await admin.apply([TopicSpec(name, partitions, 1, "delete", 86_400_000)])

    async def recreate_topic(self, name: str) -> None:
        """Delete it and make it with one partition."""
        async with self._administrator() as admin:
            await admin.delete_topics([name])
        await self.create_topic(name, 1)

    async def delete_before(self, source: TopicPartition, offset: int) -> None:
        async with self._administrator() as admin:
            await admin.delete_records({source: RecordsToDelete(offset)})

    @asynccontextmanager
    async def _administrator(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._settings.bootstrap_servers,
            request_timeout_ms=int(HANG_GUARD_S * 1000),
        )
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Publisher]:
        async with KafkaPublisher(
            self._settings, client_id=self.prefix, clock=SystemClock()
        ) as publisher:
            async with asyncio.timeout(deadline_s):
                while not publisher.ready:
                    await asyncio.sleep(0.01)
            yield publisher

    def transactions(
        self, transactional_id: str
    ) -> AbstractAsyncContextManager[TransactionalPublisher]:
        return transactions(self._settings, transactional_id=f"{self.prefix}.{transactional_id}")

    def consumer(self, group: str, topics: Sequence[str], listener: RebalanceListener) -> Consumer:
        return KafkaConsumer(
            self._settings,
            self._worker,
            group=group,
            topics=topics,
            listener=listener,
            client_id=group,
            clock=SystemClock(),
        )


@pytest.fixture(params=["fake", "real"])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    if request.param == "fake":
        return FakeKafka()
    return RealKafka(request.getfixturevalue("kafka_settings"))


@pytest.fixture
async def topic(kafka: Kafka) -> str:
    """A topic of one partition, empty."""
    await kafka.create_topic(f"{kafka.prefix}.one.v1", 1)
    return f"{kafka.prefix}.one.v1"


@pytest.fixture
async def wide_topic(kafka: Kafka) -> str:
    """A topic of four partitions, empty."""
    await kafka.create_topic(f"{kafka.prefix}.four.v1", 4)
    return f"{kafka.prefix}.four.v1"


class Listener:
    """Notes what it is told; fails as often as ``failures`` says."""

    def __init__(self) -> None:
        self.assignments: list[Assignment] = []
        self.owned: set[TopicPartition] = set()
        self.revocations: list[set[TopicPartition]] = []
        self.failures: list[Exception] = []

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.revocations.append(set(partitions))
        self.owned.difference_update(partitions)

    async def assigned(self, assignment: Assignment) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.assignments.append(assignment)
        self.owned = set(assignment.partitions)


async def receive(consumer: Consumer, count: int) -> list[Delivery]:
    """Poll until so many records have come."""
    found: list[Delivery] = []
    async with asyncio.timeout(deadline_s):
        while len(found) < count:
            found += await consumer.poll(max_records=100, timeout_s=0.2)
    return found


async def poll_until(condition: object, *consumers: Consumer) -> None:
    """Poll all in turn until the condition holds."""
    assert callable(condition)
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.gather(*(c.poll(max_records=100, timeout_s=0.05) for c in consumers))


async def publish(kafka: Kafka, *records: Record) -> None:
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        for record in records:
            await publisher.publish(record)


def values(deliveries: Sequence[Delivery]) -> list[bytes | None]:
    return [delivery.value for delivery in deliveries]


def values_of(records: Sequence[Record]) -> list[bytes | None]:
    return [record.value for record in records]


def numbered(topic: str, count: int) -> list[Record]:
    return [Record(topic, b"k", b"%d" % number) for number in range(count)]


async def test_records_come_in_the_order_in_which_they_were_acknowledged(
    kafka: Kafka, topic: str
) -> None:
    await publish(kafka, *numbered(topic, 50))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        found = await receive(consumer, 50)
    assert values(found) == [b"%d" % number for number in range(50)]
    assert [delivery.offset for delivery in found] == list(range(50))
    assert {delivery.source for delivery in found} == {TopicPartition(topic, 0)}


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
        (found,) = await receive(consumer, 1)
    assert (found.key, found.value, found.headers) == (key, value, headers)
    assert found.timestamp_ms > 0


async def test_a_key_decides_the_partition_as_java_does_unless_one_is_named(
    kafka: Kafka, wide_topic: str
) -> None:
    by_java = {b"21": 0, b"foobar": 2, b"a-little-bit-long-string": 0, b"abc": 3}
    records = [Record(wide_topic, key, b"by key") for key in by_java]
    await publish(kafka, *records, Record(wide_topic, b"21", b"named", partition=3))
    async with kafka.consumer("g", [wide_topic], Listener()) as consumer:
        found = await receive(consumer, len(records) + 1)
    assert {d.key: d.partition for d in found if d.value == b"by key"} == by_java
    assert [d.partition for d in found if d.value == b"named"] == [3]


async def test_a_poll_returns_no_more_records_than_asked_for(kafka: Kafka, topic: str) -> None:
    await publish(kafka, *numbered(topic, 30))
    sizes: list[int] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while sum(sizes) < 30:
            sizes.append(len(await consumer.poll(max_records=7, timeout_s=0.2)))
    assert max(sizes) <= 7


async def test_an_empty_topic_gives_nothing_and_ends_at_its_start(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    source = TopicPartition(topic, 0)
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.assignments, consumer)
        assert list(await consumer.poll(max_records=10, timeout_s=0.1)) == []
        assert await consumer.log_ends([source]) == {source: 0}
        assert await consumer.committed([source]) == {source: None}


async def test_an_assignment_tells_where_each_partition_stands(
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


async def test_what_was_committed_is_told_at_once_with_its_metadata(
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


async def test_what_the_listener_raises_comes_out_of_poll_and_it_is_told_again(
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


async def test_paused_partitions_give_nothing_and_resumed_ones_everything(
    kafka: Kafka, wide_topic: str
) -> None:
    paused, read = TopicPartition(wide_topic, 0), TopicPartition(wide_topic, 1)
    listener = Listener()
    async with kafka.consumer("g", [wide_topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        consumer.pause([paused])
        await publish(
            kafka,
            *(Record(wide_topic, None, b"%d" % n, partition=p) for n in range(5) for p in (0, 1)),
        )
        found = await receive(consumer, 5)
        assert {delivery.source for delivery in found} == {read}
        assert list(await consumer.poll(max_records=100, timeout_s=0.3)) == []
        consumer.resume([paused])
        assert values(await receive(consumer, 5)) == [b"0", b"1", b"2", b"3", b"4"]


async def test_pausing_between_polls_loses_nothing(kafka: Kafka, topic: str) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 40))
    found: list[Delivery] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while len(found) < 40:
            found += (some := await consumer.poll(max_records=7, timeout_s=0.2))
            if some:
                consumer.pause([source])
                assert list(await consumer.poll(max_records=7, timeout_s=0)) == []
                consumer.resume([source])
    assert values(found) == [b"%d" % number for number in range(40)]


async def test_seeking_goes_back_and_forth(kafka: Kafka, topic: str) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 10))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        await receive(consumer, 10)
        consumer.seek(source, 8)
        assert values(await receive(consumer, 2)) == [b"8", b"9"]
        consumer.seek(source, 0)
        (first, *_) = await consumer.poll(max_records=1, timeout_s=deadline_s)
        consumer.seek(source, 9)
        assert (first.offset, values(await receive(consumer, 1))) == (0, [b"9"])


async def test_a_listener_may_seek_and_pause_before_anything_is_read(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    await publish(kafka, *numbered(topic, 6))

    class Seeks(Listener):
        async def assigned(self, assignment: Assignment) -> None:
            await super().assigned(assignment)
            consumer.seek(source, 4)
            consumer.pause([source])

    listener = Seeks()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        assert list(await consumer.poll(max_records=10, timeout_s=0.2)) == []
        consumer.resume([source])
        assert values(await receive(consumer, 2)) == [b"4", b"5"]


async def test_what_is_not_owned_can_be_neither_sought_nor_paused(kafka: Kafka, topic: str) -> None:
    foreign = TopicPartition(topic, 5)
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        for forbidden in (
            lambda: consumer.seek(foreign, 0),
            lambda: consumer.pause([foreign]),
            lambda: consumer.resume([foreign]),
        ):
            with pytest.raises(ValueError, match="not assigned"):
                forbidden()


async def test_a_position_behind_the_end_of_the_log_is_refused(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        consumer.seek(TopicPartition(topic, 0), 5)
        with pytest.raises(ConfigurationError):
            await receive(consumer, 1)


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


async def test_a_topic_that_is_made_anew_while_it_is_read_is_read_from_its_beginning(
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
        with pytest.raises(FencedError, match="made anew"):
            await consumer.refuse_recreated([source])
        with suppress(FencedError):  # unless the group has noticed it before
            await poll_until(lambda: len(listener.assignments) > 1, consumer)
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert values(await receive(consumer, 30)) == values_of(numbered(topic, 30))


@pytest.mark.parametrize("late", [Position(6), Position(6, "done1:AAAAAA"), Position(6, "plan:9")])
async def test_a_commit_that_comes_when_its_topic_was_made_anew_counts_as_none(
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


async def test_records_that_come_while_a_poll_waits_are_returned_by_it(
    kafka: Kafka, topic: str
) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as tasks:
            polled = tasks.create_task(consumer.poll(max_records=10, timeout_s=deadline_s * 2))
            tasks.create_task(publish(kafka, *numbered(topic, 1)))
    assert values(polled.result()) == [b"0"]


async def test_a_cancelled_poll_loses_nothing(kafka: Kafka, topic: str) -> None:
    listener = Listener()
    async with kafka.consumer("g", [topic], listener) as consumer:
        await poll_until(lambda: listener.owned, consumer)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await consumer.poll(max_records=10, timeout_s=deadline_s)
        await publish(kafka, *numbered(topic, 2))
        assert values(await receive(consumer, 2)) == [b"0", b"1"]


async def test_publishing_to_a_topic_that_does_not_exist_fails_for_now(kafka: Kafka) -> None:
    async with kafka.publisher() as publisher:
        assert publisher.ready
        with pytest.raises(TransientError):
            await publisher.publish(Record(f"{kafka.prefix}.nowhere.v1", b"k", b"v"))


async def test_records_beside_one_that_is_rejected_are_acknowledged_once_and_in_order(
    kafka: Kafka, topic: str
) -> None:
    records = [
        Record(topic, b"k", os.urandom(2 * 1024 * 1024) if number == 5 else b"%d" % number)
        for number in range(12)
    ]
    async with kafka.publisher() as publisher, asyncio.timeout(deadline_s):
        await publisher.publish(Record(topic, b"k", b"first"))
        told = await asyncio.gather(*map(publisher.publish, records), return_exceptions=True)
        await publisher.publish(Record(topic, b"k", b"last"))
    assert isinstance(told[5], RejectedError)
    assert told[:5] + told[6:] == [None] * 11
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        found = values(await receive(consumer, 13))
    assert found == [b"first", *(each.value for each in records if each is not records[5]), b"last"]


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


async def test_it_is_told_when_a_record_was_made_once_that_was_read(
    kafka: Kafka, topic: str
) -> None:
    source = TopicPartition(topic, 0)
    before_ms = int(SystemClock().now().timestamp() * 1000)
    await publish(kafka, *numbered(topic, 3))
    async with kafka.consumer("g", [topic], Listener()) as consumer:
        assert consumer.timestamp_ms(source, 0) is None
        found: list[Delivery] = []
        while not found:
            found += await consumer.poll(max_records=1, timeout_s=0.2)
        told_ms = consumer.timestamp_ms(source, 0)
        assert told_ms == found[0].timestamp_ms >= before_ms
        assert consumer.timestamp_ms(source, 1) is None
        await receive(consumer, 2)
        assert before_ms <= (consumer.timestamp_ms(source, 2) or 0)
        assert consumer.timestamp_ms(source, 3) is None
        consumer.seek(source, 2)
        assert consumer.timestamp_ms(source, 2) is None


async def test_the_records_of_a_transaction_are_all_there_in_order_and_by_key(
    kafka: Kafka, topic: str, wide_topic: str
) -> None:
    async with kafka.transactions("x") as publisher:
        await publisher.publish([*numbered(topic, 5), Record(wide_topic, b"foobar", b"by key")])
        await publisher.publish([])
        await publisher.publish([Record(topic, b"k", b"5", (("a", b"\xff"),))])
    async with kafka.consumer("g", [topic, wide_topic], Listener()) as consumer:
        found = await receive(consumer, 7)
    assert values([d for d in found if d.topic == topic]) == [b"%d" % n for n in range(6)]
    assert [d.partition for d in found if d.topic == wide_topic] == [2]
    assert [d.headers for d in found if d.value == b"5"] == [(("a", b"\xff"),)]


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
    found: list[Delivery] = []
    async with kafka.consumer("g", [topic], Listener()) as consumer, asyncio.timeout(deadline_s):
        while b"last" not in values(found):
            found += await consumer.poll(max_records=100, timeout_s=0.2)
    assert values(found) in (
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
