"""The fake's faults on a simulated clock; what it shares with real brokers is in the contract."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from runtime.errors import ConfigurationError, FencedError, TransientError
from runtime.ports import Position
from runtime.values import Delivery, Record, TopicPartition
from tests.support.assignments import Listener
from tests.support.fakes.kafka import FakeBroker, FakeConsumer, metadata_characters
from tests.support.fakes.simulated_time import SimulatedClock, simulate

first, second = TopicPartition("t", 0), TopicPartition("t", 1)


def broker(seed: int = 1) -> FakeBroker:
    made = FakeBroker(clock=SimulatedClock(), rng=Random(seed))
    made.create_topic("t", partitions=2)
    return made


def member(of: FakeBroker, listener: Listener | None = None) -> FakeConsumer:
    return of.consumer(group="g", topics=["t"], listener=listener or Listener())


async def read(consumer: FakeConsumer, count: int) -> list[Delivery]:
    deliveries: list[Delivery] = []
    while len(deliveries) < count:
        deliveries += await consumer.poll(max_records=10, timeout_s=1)
    return deliveries


def simulated(main: Coroutine[Any, Any, Any]) -> Any:
    return simulate(main)


def test_a_seed_repeats_a_run_exactly_and_another_one_does_not() -> None:
    async def run(seed: int) -> list[object]:
        fake = broker(seed)
        async with fake.publisher() as publisher, member(fake) as consumer:
            for number in range(50):
                await publisher.publish(Record("t", None, b"%d" % number))
            order = [(d.partition, d.value) for d in await read(consumer, 50)]
            return [order, fake.clock.monotonic_s()]

    runs = [simulated(run(seed)) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_waiting_takes_simulated_time_only() -> None:
    async def run() -> float:
        fake = broker()
        async with member(fake) as consumer:
            assert list(await consumer.poll(max_records=1, timeout_s=3_600)) == []
        return fake.clock.monotonic_s()

    assert simulated(run()) == pytest.approx(3_600)


def test_during_an_outage_nobody_is_answered_and_nothing_is_lost() -> None:
    async def run() -> None:
        fake = broker()
        async with fake.publisher() as publisher, member(fake) as consumer:
            await publisher.publish(Record("t", b"k", b"before"))
            fake.down = True
            assert not publisher.ready
            for attempt in (
                publisher.publish(Record("t", b"k", b"during")),
                consumer.poll(max_records=1, timeout_s=1),
                consumer.commit({first: Position(1)}),
                consumer.committed([first]),
                consumer.log_ends([first]),
                member(fake).__aenter__(),
            ):
                with pytest.raises(TransientError):
                    await attempt
            fake.down = False
            assert [d.value for d in await read(consumer, 1)] == [b"before"]

    simulated(run())


def test_a_crashed_member_is_missed_when_its_session_is_over() -> None:
    async def run() -> None:
        fake = broker()
        async with member(fake, crashing := Listener()) as crashed:
            while not crashing.assignments:
                await crashed.poll(max_records=1, timeout_s=1)
            fake.crash(crashed)
            since_s = fake.clock.monotonic_s()
            async with member(fake, follower := Listener()) as consumer:
                while not follower.assignments:
                    await consumer.poll(max_records=1, timeout_s=1)
                assert fake.clock.monotonic_s() - since_s >= fake.session_timeout_s
                assert set(follower.assignments[0].partitions) == {first, second}

    simulated(run())


def test_a_member_that_is_cut_off_hears_nothing_and_goes_on_where_nobody_has_missed_it() -> None:
    async def run() -> None:
        fake = broker()
        fake.append(first, Record("t", b"k", b"v"))
        async with member(fake, listener := Listener()) as consumer:
            while not listener.assignments:
                await consumer.poll(max_records=0, timeout_s=1)
            fake.cut_off(consumer)
            assert list(await consumer.poll(max_records=10, timeout_s=1)) == []
            for attempt in (
                consumer.commit({first: Position(1)}),
                consumer.committed([first]),
                consumer.log_ends([first]),
            ):
                with pytest.raises(TransientError):
                    await attempt
            fake.heal(consumer)
            assert [d.value for d in await read(consumer, 1)] == [b"v"]
            await consumer.commit({first: Position(1)})
            assert len(listener.assignments) == 1

    simulated(run())


def test_a_member_that_is_cut_off_for_longer_is_fenced_and_joins_again_once_healed() -> None:
    async def run() -> None:
        fake = broker()
        async with (
            member(fake, zombie_hears := Listener()) as zombie,
            member(fake, other_hears := Listener()) as other,
        ):
            while not (zombie_hears.assignments and other_hears.assignments):
                await zombie.poll(max_records=1, timeout_s=0.1)
                await other.poll(max_records=1, timeout_s=0.1)
            fake.cut_off(zombie)
            while set(other_hears.assignments[-1].partitions) != {first, second}:
                await other.poll(max_records=1, timeout_s=1)
            fake.heal(zombie)
            with pytest.raises(FencedError):
                await zombie.commit({first: Position(1)})
            while len(zombie_hears.assignments) < 2:
                await zombie.poll(max_records=1, timeout_s=0.1)
                await other.poll(max_records=1, timeout_s=0.1)

    simulated(run())


def test_of_a_member_that_left_while_it_was_cut_off_nothing_is_heard_again() -> None:
    async def run() -> None:
        fake = broker()
        async with member(fake, listener := Listener()) as leaver:
            while not listener.assignments:
                await leaver.poll(max_records=1, timeout_s=1)
            fake.cut_off(leaver)
        fake.heal(leaver)
        async with member(fake, follower := Listener()) as consumer:
            while not follower.assignments:
                await consumer.poll(max_records=1, timeout_s=1)
            assert set(follower.assignments[0].partitions) == {first, second}

    simulated(run())


def test_a_member_that_is_thrown_out_is_fenced_and_joins_again() -> None:
    async def run() -> None:
        fake = broker()
        async with member(fake, listener := Listener()) as consumer:
            while not listener.assignments:
                await consumer.poll(max_records=1, timeout_s=1)
            fake.throw_out(consumer)
            with pytest.raises(FencedError):
                await consumer.commit({first: Position(1)})
            while len(listener.assignments) < 2:
                await consumer.poll(max_records=1, timeout_s=1)
            await consumer.commit({first: Position(1)})

    simulated(run())


def test_a_lost_acknowledgement_leaves_the_record_stored() -> None:
    async def run() -> list[bytes | None]:
        fake = broker()
        fake.lost_acknowledgements = 1
        async with fake.publisher() as publisher:
            with pytest.raises(TransientError):
                await publisher.publish(Record("t", b"k", b"v"))
            await publisher.publish(Record("t", b"k", b"v"))
        return [delivery.value for delivery in fake.records("t")]

    assert simulated(run()) == [b"v", b"v"]


def test_a_lost_record_is_not_stored() -> None:
    async def run() -> list[bytes | None]:
        fake = broker()
        fake.lost_records = 1
        async with fake.publisher() as publisher:
            with pytest.raises(TransientError):
                await publisher.publish(Record("t", b"k", b"lost"))
            await publisher.publish(Record("t", b"k", b"v"))
        return [delivery.value for delivery in fake.records("t")]

    assert simulated(run()) == [b"v"]


def test_a_commit_whose_acknowledgement_is_lost_is_taken() -> None:
    async def run() -> None:
        fake = broker()
        async with member(fake, listener := Listener()) as consumer:
            while not listener.assignments:
                await consumer.poll(max_records=1, timeout_s=1)
            fake.lost_commits = 1
            with pytest.raises(TransientError):
                await consumer.commit({first: Position(3)})
            assert (await consumer.committed([first]))[first] == Position(3)
            await consumer.commit({first: Position(4)})

    simulated(run())


def test_a_text_longer_than_brokers_take_is_not_committed() -> None:
    async def run() -> None:
        fake = broker()
        async with member(fake, listener := Listener()) as consumer:
            while not listener.assignments:
                await consumer.poll(max_records=1, timeout_s=1)
            await consumer.commit({first: Position(3, "x" * metadata_characters)})
            with pytest.raises(ConfigurationError):
                await consumer.commit({first: Position(4, "x" * (metadata_characters + 1))})
            assert fake.groups["g"].committed[first].offset == 3

    simulated(run())


def test_members_that_wait_for_a_third_do_not_stop_the_time() -> None:
    async def run() -> None:
        fake = broker()
        listeners = [Listener(), Listener()]
        async with (
            member(fake, listeners[0]) as one,
            member(fake, listeners[1]) as other,
            member(fake) as absent,
            asyncio.TaskGroup() as tasks,
        ):
            fake.cut_off(absent)
            for consumer in (one, other):
                tasks.create_task(consumer.poll(max_records=1, timeout_s=60))
        assert all(len(listener.assignments) == 1 for listener in listeners)

    simulated(run())


def test_gaps_and_retention_leave_offsets_as_they_are() -> None:
    async def run() -> None:
        fake = broker()
        for number in range(3):
            fake.append(first, Record("t", None, b"%d" % number))
            fake.leave_gap(first)
        fake.delete_before(first, 2)
        async with member(fake, listener := Listener()) as consumer:
            assert [d.offset for d in await read(consumer, 2)] == [2, 4]
            assert (await consumer.log_ends([first]))[first] == 5  # a gap alone is behind it
            consumer.seek(first, 4)
            assert (await consumer.log_ends([first]))[first] == 6
            state = listener.assignments[0].partitions[first]
            assert (state.log_start, state.log_end) == (2, 6)
            consumer.seek(first, 1)
            with pytest.raises(TransientError):
                await consumer.poll(max_records=1, timeout_s=1)

    simulated(run())


def test_a_forced_rebalance_tells_every_member_again() -> None:
    async def run() -> int:
        fake = broker()
        async with member(fake, listener := Listener()) as consumer:
            while len(listener.assignments) < 3:
                await consumer.poll(max_records=1, timeout_s=0.1)
                fake.rebalance("g")
        return fake.groups["g"].generation

    assert simulated(run()) >= 3


def test_topics_that_do_not_exist_are_the_operators_fault() -> None:
    async def run() -> None:
        async with broker().consumer(group="g", topics=["nowhere"], listener=Listener()):
            pass

    with pytest.raises(ConfigurationError):
        simulated(run())
