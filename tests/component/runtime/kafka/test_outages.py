"""Brokers that die, hang and come back, as publisher and consumer see them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer

import devstack
from runtime.errors import ConfigurationError, TransientError
from runtime.kafka import KafkaConsumer, KafkaPublisher, TopicAdmin
from runtime.kafka.leaving import leave
from runtime.ports import Position
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec
from tests.support.assignments import Listener
from tests.support.kafka_members import HurriedClock
from tests.support.kafka_outages import (
    consumer_of,
    deadline_s,
    hanging,
    publisher_of,
    receive,
    relay,
    retry_until_final,
    source,
    topic,
    until,
    worker,
)
from tests.support.kafka_records import records_of


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[devstack.Stack]:
    """A broker that may be killed."""
    options = devstack.DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with devstack.running(options) as stack:
        async with TopicAdmin(KafkaSettings(bootstrap_servers=stack.bootstrap_servers)) as admin:
            await admin.apply([TopicSpec(topic, 1, 1, "delete", 86_400_000)])
        yield stack


@pytest.fixture
async def settings(own_stack: devstack.Stack) -> AsyncIterator[KafkaSettings]:
    """Of a broker that runs; leaves it running, and no task behind."""
    before = asyncio.all_tasks()
    await own_stack.start("kafka")
    yield KafkaSettings(bootstrap_servers=own_stack.bootstrap_servers)
    await own_stack.start("kafka")
    async with asyncio.timeout(deadline_s):
        while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=0.1)


async def test_a_publisher_is_entered_without_a_broker_and_finds_it_later(
    settings: KafkaSettings,
) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))  # nobody listens yet
        behind = settings.model_copy(
            update={"bootstrap_servers": f"127.0.0.1:{door.getsockname()[1]}"}
        )
        async with publisher_of(behind) as publisher:
            assert not publisher.ready
            with pytest.raises(TransientError, match="not connected"):
                await publisher.publish(Record(topic, b"k", b"v"))
            async with relay(door, settings.bootstrap_servers):
                await until(lambda: publisher.ready)
                await publisher.publish(Record(topic, b"k", b"found"))


async def test_what_was_acknowledged_survives_a_killed_broker_and_publishing_goes_on(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    acknowledged: set[bytes | None] = set()
    async with publisher_of(settings) as publisher, asyncio.TaskGroup() as tasks:
        await until(lambda: publisher.ready)
        over = asyncio.Event()

        async def keep_publishing(name: str) -> None:
            number = 0
            while not over.is_set():
                value = f"{name} {number}".encode()
                await retry_until_final(publisher, value)
                acknowledged.add(value)
                number += 1

        for name in ("a", "b", "c"):
            tasks.create_task(keep_publishing(name))
        await until(lambda: len(acknowledged) > 30)
        await own_stack.kill("kafka")
        await until(lambda: not publisher.ready)
        count = len(acknowledged)
        await own_stack.start("kafka")
        await until(lambda: len(acknowledged) > count + 30)
        over.set()
    assert acknowledged <= {delivery.value for delivery in await records_of(settings, [topic])}


async def test_readiness_follows_the_broker_without_traffic(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    async with publisher_of(settings) as publisher:
        await until(lambda: publisher.ready)
        with hanging(own_stack.directory):
            await until(lambda: not publisher.ready)
        await until(lambda: publisher.ready)


async def test_giving_up_on_a_broker_that_hangs_does_not_break_the_publisher(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    async with publisher_of(settings) as publisher:
        await retry_until_final(publisher, b"before")
        with hanging(own_stack.directory):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.2):
                    await publisher.publish(Record(topic, b"k", b"given up"))
            assert not publisher.ready
        await retry_until_final(publisher, b"after")


async def test_a_producer_without_success_is_replaced_and_its_records_fail(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    async with publisher_of(settings, HurriedClock()) as publisher:
        await retry_until_final(publisher, b"before")
        with hanging(own_stack.directory), pytest.raises(TransientError):
            async with asyncio.timeout(deadline_s):
                await publisher.publish(Record(topic, b"k", b"fails"))
        await retry_until_final(publisher, b"after")


async def test_a_publisher_closes_in_a_few_seconds_while_the_broker_hangs(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    async with asyncio.timeout(deadline_s):
        publisher = await publisher_of(settings).__aenter__()
        await retry_until_final(publisher, b"before")
        with hanging(own_stack.directory):
            async with asyncio.TaskGroup() as tasks:
                pending = tasks.create_task(publish_and_fail(publisher))
                await asyncio.sleep(0.05)
                await publisher.__aexit__(None, None, None)
            assert isinstance(pending.result(), TransientError)


async def publish_and_fail(publisher: KafkaPublisher) -> Exception:
    with pytest.raises(TransientError) as failure:
        await publisher.publish(Record(topic, b"k", b"pending"))
    return failure.value


async def test_a_consumer_is_not_entered_without_a_broker() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(TransientError, match="connect"):
            async with consumer_of(nowhere, "none", Listener()):
                pass


@pytest.mark.long
async def test_a_consumer_reads_on_after_a_short_outage(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    async with (
        publisher_of(settings) as publisher,
        consumer_of(settings, "short", Listener()) as consumer,
    ):
        await retry_until_final(publisher, b"short before")
        await receive(consumer, b"short before")
        await own_stack.kill("kafka")
        with pytest.raises(TransientError):
            await consumer.commit({source: Position(1)})
        await own_stack.start("kafka")
        await retry_until_final(publisher, b"short after")
        await receive(consumer, b"short after")


async def test_a_new_member_after_a_restart_of_the_broker_goes_on_where_the_group_was(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    listener = Listener()
    async with consumer_of(settings, "restart", listener) as consumer:
        async with publisher_of(settings) as publisher:
            await retry_until_final(publisher, b"restart before")
        position = Position((await receive(consumer, b"restart before"))[-1].offset, "kept")
        await consumer.commit({source: position})
    await own_stack.kill("kafka")
    await own_stack.start("kafka")
    async with consumer_of(settings, "restart", listener) as consumer:
        (first, *_) = await receive(consumer, b"restart before")
        assert await consumer.committed([source]) == {source: position}
    assert first.offset == position.offset
    state = listener.assignments[-1].partitions[source]
    assert state.committed == position.offset


async def test_a_member_without_an_answer_gives_up_and_leaves_in_time(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    listener = Listener()
    async with asyncio.timeout(deadline_s):
        consumer = await consumer_of(settings, "silent", listener, HurriedClock()).__aenter__()
        while not listener.assignments:
            await consumer.poll(max_records=1, timeout_s=1)
        consumer.seek(source, listener.assignments[-1].partitions[source].log_end)
        with hanging(own_stack.directory):
            with pytest.raises(TransientError, match="heard nothing"):
                await consumer.poll(max_records=1, timeout_s=10 * deadline_s)
            await consumer.__aexit__(None, None, None)


async def test_a_member_leaves_in_time_though_nobody_answers_its_farewell(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    listener = Listener()
    async with asyncio.timeout(deadline_s):
        consumer = await consumer_of(settings, "farewell", listener).__aenter__()
        while not listener.assignments:
            await consumer.poll(max_records=1, timeout_s=1)
        with hanging(own_stack.directory):
            await consumer.__aexit__(None, None, None)


async def test_a_member_that_cannot_join_gives_up(
    own_stack: devstack.Stack, settings: KafkaSettings
) -> None:
    consumer = await consumer_of(settings, "joining", Listener(), HurriedClock()).__aenter__()
    try:
        with hanging(own_stack.directory), pytest.raises(TransientError, match="rebalance"):
            await consumer.poll(max_records=1, timeout_s=10 * deadline_s)
    finally:
        await consumer.__aexit__(None, None, None)


async def test_a_member_whose_loop_stalled_longer_than_its_session_reads_on(
    settings: KafkaSettings,
) -> None:
    listener = Listener()
    async with (
        publisher_of(settings) as publisher,
        consumer_of(settings, "stalled", listener) as consumer,
    ):
        await retry_until_final(publisher, b"stalled before")
        await receive(consumer, b"stalled before")
        time.sleep(2.5 * worker.session_timeout_s)  # noqa: ASYNC251 - that is the stall
        await retry_until_final(publisher, b"stalled after")
        await receive(consumer, b"stalled after")


@asynccontextmanager
async def at_work(settings: KafkaSettings, group: str) -> AsyncIterator[KafkaConsumer]:
    """A member that has read something; its patience is short."""
    async with consumer_of(settings, group, Listener(), HurriedClock()) as consumer:
        async with publisher_of(settings) as publisher:
            await retry_until_final(publisher, group.encode())
        await receive(consumer, group.encode())
        yield consumer


async def gives_up(consumer: KafkaConsumer, why: str) -> None:
    with pytest.raises(TransientError, match=why):
        await receive(consumer, b"never")


async def test_a_member_that_the_library_lets_wait_after_a_stall_of_ten_minutes_is_given_up(
    settings: KafkaSettings,
) -> None:
    async with at_work(settings, "idle") as consumer:
        # The library then leaves the group, and does not join again before somebody fetches. While
        # it waits nobody may.
        idle_since_s = consumer._client._subscription._last_fetch_ended - 601
        async with asyncio.timeout(deadline_s):
            while not consumer._rebalance.in_progress:
                consumer._client._subscription._last_fetch_ended = idle_since_s
                await asyncio.sleep(0.01)
        await gives_up(consumer, "heard nothing .* of a rebalance")


async def test_a_member_whose_fetching_task_has_died_is_given_up(settings: KafkaSettings) -> None:
    async with at_work(settings, "fetching") as consumer:
        consumer._client._fetcher._fetch_task.cancel()
        await gives_up(consumer, "heard nothing")


async def test_a_member_whose_joining_task_has_died_is_given_up(settings: KafkaSettings) -> None:
    async with at_work(settings, "joining task") as consumer:
        consumer._client._coordinator._assignors = None  # a defect of the library, say
        consumer._client._coordinator.request_rejoin()
        await gives_up(consumer, "Unexpected error during coordination")


async def test_a_topic_that_was_away_at_a_rebalance_is_read_again_within_seconds(
    settings: KafkaSettings,
) -> None:
    listener = Listener()
    async with (
        publisher_of(settings) as publisher,
        consumer_of(settings, "away", listener) as consumer,
    ):
        await retry_until_final(publisher, b"before")
        await receive(consumer, b"before")
        cluster = consumer._client._client.cluster

        def as_if_the_broker_had_just_started(_: object) -> None:
            cluster._partitions.pop(topic, None)

        cluster.add_listener(as_if_the_broker_had_just_started)
        as_if_the_broker_had_just_started(cluster)
        consumer._client._coordinator.request_rejoin()
        async with asyncio.timeout(deadline_s):
            while listener.assignments[-1].partitions:
                await consumer.poll(max_records=1, timeout_s=0.1)
        cluster.remove_listener(as_if_the_broker_had_just_started)
        await retry_until_final(publisher, b"after")
        async with asyncio.timeout(deadline_s):  # by itself the library looks after a minute
            await receive(consumer, b"after")


async def test_topics_that_stay_away_are_the_operators_fault(settings: KafkaSettings) -> None:
    consumer = KafkaConsumer(
        settings,
        worker,
        group="missing",
        topics=[topic, "outages.nowhere.v1"],
        listener=Listener(),
        client_id="missing",
        clock=HurriedClock(),
    )
    with pytest.raises(ConfigurationError, match=r"outages\.nowhere\.v1.*zcc topics apply"):
        async with consumer:
            pass


async def test_leaving_while_a_fetch_waits_to_be_tried_again_cancels_nobody(
    settings: KafkaSettings,
) -> None:
    """After a failed fetch the library waits; it cancels that, awaits it, and lets it out."""
    client = AIOKafkaConsumer(
        topic, bootstrap_servers=settings.bootstrap_servers, group_id="leaving-in-an-outage"
    )
    await client.start()
    client._fetcher._pending_tasks.add(asyncio.ensure_future(asyncio.sleep(deadline_s)))
    await leave(client)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
