"""Workers whose topics are deleted and recreated under the same names, on a real broker."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from runtime import metrics
from runtime.errors import FencedError, TransientError
from runtime.kafka import Lag, TopicAdmin
from runtime.kafka.cluster import Cluster
from runtime.ports import Position
from runtime.service import run_handler, run_sink
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record, TopicPartition
from schemas.topics import retry_topic
from tests.support.components import component_of
from tests.support.kafka_members import HurriedClock, Member, create, poll_until, publish
from tests.support.kafka_records import records_of
from tests.support.workers_on_kafka import LogSink, until, until_terminated, worker


@pytest.fixture
async def topic(kafka_settings: KafkaSettings) -> str:
    await create(kafka_settings, "dead-letter.g", partitions=1)
    return await create(kafka_settings, "one", partitions=1)


async def recreate(kafka: KafkaSettings, topic: str, *values: bytes) -> None:
    """Delete a topic, make it anew with one partition, and fill it."""
    await delete(kafka, topic)
    name = topic.removeprefix(f"{kafka.topic_prefix}.").removesuffix(".v1")
    await create(kafka, name, partitions=1)
    await publish(kafka, *records(topic, values))


async def delete(kafka: KafkaSettings, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    await admin.delete_topics([topic])
    await admin.close()


def records(topic: str, values: Sequence[bytes]) -> list[Record]:
    return [Record(topic, b"k", value, partition=0) for value in values]


def numbered(what: str, count: int) -> list[bytes]:
    return [b"%s %d" % (what.encode(), number) for number in range(count)]


def recreations(topic: str, worker_name: str = "g") -> float:
    return float(metrics.worker.recreated_topics.labels(worker_name, topic)._value.get())


async def committed_late(kafka: KafkaSettings, topic: str, group: str, *, offset: int) -> None:
    """Leave a position of the old log behind in the new one, which holds "new" up to 30."""
    source = TopicPartition(topic, 0)
    member = Member(kafka, [topic], group=group)
    async with member.consumer:
        await poll_until(lambda: member.owned, member)
        await recreate(kafka, topic, *numbered("new", 30))
        await member.consumer.commit({source: Position(offset)})


@pytest.mark.parametrize("offset", [6, 60], ids=["within the new log", "beyond its end"])
async def test_a_recreated_log_is_read_whole_whatever_was_committed_in_the_old_one(
    kafka_settings: KafkaSettings, topic: str, offset: int
) -> None:
    await committed_late(kafka_settings, topic, "g", offset=offset)
    group, source = f"{kafka_settings.topic_prefix}.g", TopicPartition(topic, 0)
    async with TopicAdmin(kafka_settings) as admin:
        assert await admin.lag(group, [topic]) == {source: Lag(None, 0, 30)}
    before = recreations(topic)
    member = Member(kafka_settings, [topic])
    async with member.consumer:
        await poll_until(lambda: len(member.read) >= 30, member)
    assert member.values == numbered("new", 30)
    assert recreations(topic) == before + 1
    async with Cluster(kafka_settings, client_id="test") as cluster:
        assert member.assignments[0].topic_ids == await cluster.topic_ids([topic])


async def test_a_member_that_reads_beyond_the_end_of_a_recreated_log_rejoins(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    await publish(kafka_settings, *records(topic, numbered("old", 10)))
    member, after = (Member(kafka_settings, [topic], clock=HurriedClock()) for _ in range(2))
    async with member.consumer:
        await poll_until(lambda: len(member.read) == 10, member)
        await recreate(kafka_settings, topic, b"new")
        with suppress(FencedError):  # unless the group has noticed it before
            await poll_until(lambda: b"new" in member.values, member)
    async with after.consumer:
        await poll_until(lambda: after.values == [b"new"], after)


async def test_a_topic_that_was_away_for_a_while_is_reported_as_recreated(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    """The member is given an assignment without it in between, and its commits are gone."""
    kept = await create(kafka_settings, "two", partitions=1)
    member = Member(kafka_settings, [topic, kept], clock=HurriedClock())
    async with member.consumer:
        await poll_until(lambda: len(member.owned) == 2, member)
        await delete(kafka_settings, topic)
        await poll_until(lambda: member.owned == {TopicPartition(kept, 0)}, member)
        before = recreations(topic)
        await create(kafka_settings, "one", partitions=1)
        await poll_until(lambda: len(member.owned) == 2, member)
    assert recreations(topic) == before + 1


async def test_a_handler_handles_all_of_a_topic_that_is_recreated_while_it_works(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    handled: list[bytes | None] = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        handled.append(delivery.value)
        return ()

    await publish(kafka_settings, *records(topic, numbered("old", 10)))
    work = run_handler(handler, component_of("g", [topic]), kafka=kafka_settings, worker=worker)
    async with until_terminated(work):
        await until(lambda: len(handled) >= 10)
        await recreate(kafka_settings, topic, *numbered("new", 30))
        await until(lambda: set(numbered("new", 30)) <= set(handled))
    assert handled[:10] == numbered("old", 10)


async def test_a_recreated_retry_topic_is_read_whole(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    waits = retry_topic("g", 1, prefix=kafka_settings.topic_prefix)
    name = waits.removeprefix(f"{kafka_settings.topic_prefix}.").removesuffix(".v1")
    await create(kafka_settings, name, partitions=1)
    await committed_late(kafka_settings, waits, "g-retry", offset=6)
    dead = f"{kafka_settings.topic_prefix}.dead-letter.g.v1"

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    work = run_handler(
        handler,
        component_of("g", [topic], retry_delays_s=(1,)),
        kafka=kafka_settings,
        worker=worker,
    )
    values: list[bytes | None] = []
    async with until_terminated(work):
        while len(values) < 30:  # none of them has its origin, so all become dead letters
            values = [delivery.value for delivery in await records_of(kafka_settings, [dead])]
    assert values == numbered("new", 30)


async def test_a_planned_sink_stores_nothing_of_a_recreated_log_under_the_name_of_the_old_one(
    kafka_settings: KafkaSettings, topic: str
) -> None:
    sink, back = LogSink(), False

    def refuse_while_away() -> None:
        """At first: all partitions are paused meanwhile, so nobody sees a change."""
        if not back:
            raise TransientError("the store is away")

    sink.before_write = refuse_while_away
    small = worker.model_copy(update={"batch_records": 10})
    await publish(kafka_settings, *records(topic, numbered("old", 10)))
    async with Cluster(kafka_settings, client_id="test") as cluster:
        (old,) = (await cluster.topic_ids([topic])).values()
        work = run_sink(sink, component_of("g", [topic]), kafka=kafka_settings, worker=small)
        async with until_terminated(work):
            await until(lambda: sink.attempts)
            await recreate(kafka_settings, topic, *numbered("new", 30))
            back = True
            await until(lambda: len({v for _, v in sink.by_log if v in numbered("new", 30)}) == 30)
        (new,) = (await cluster.topic_ids([topic])).values()
    stored = {log: [v for where, v in sink.by_log if where == log] for log in (old, new)}
    assert set(stored[old]) <= set(numbered("old", 10))
    assert stored[new] == numbered("new", 30)


async def test_topics_have_no_ids_where_brokers_know_none(kafka_settings: KafkaSettings) -> None:
    topic = await create(kafka_settings, "one", partitions=1)
    async with Cluster(kafka_settings, client_id="test") as cluster:
        await cluster.topic_ids([topic])
        for connection in cluster._client._conns.values():
            connection._versions[3] = (0, 9)  # Metadata as brokers before 2.8 have it
        assert await cluster.topic_ids([topic, f"{topic}.not"]) == {topic: ""}
        assert (await cluster.layouts([topic]))[topic].partitions == 1
        assert await cluster.cluster_id()
