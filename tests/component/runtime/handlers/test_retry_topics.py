"""What a handler wants to see later: when it comes back, what comes before it, and what is kept."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.handlers.delayed_consumer import Delayed, DelayedConsumer
from runtime.handlers.worker import Worker
from runtime.ports import Consumer, RebalanceListener
from runtime.retries.retry_topics import RetryTopic, RetryTopics
from runtime.values import Deferred, Delivery, Record, TopicPartition
from schemas.headers import text, timestamp
from schemas.reasons import DeadLetterReason
from tests.support.fakes.kafka import FakeConsumer
from tests.support.workers import Rig, running, runs_until_it_halts, sample, simulated, source

delays = RetryTopics([RetryTopic("r1", 30), RetryTopic("r2", 120)])
first_wait, second_wait = TopicPartition("r1", 0), TopicPartition("r2", 0)
grain_s = 0.001
"""Due times are written in milliseconds."""
lag_s = 1.0
"""So much later than due a record may come: a turn of the loop and the acknowledgements."""


class CountingConsumer(FakeConsumer):
    polls = 0

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        self.polls += 1
        return await super().poll(max_records=max_records, timeout_s=timeout_s)

    @property
    def paused(self) -> set[TopicPartition]:
        return self._paused


class DelayRig(Rig):
    """The rig with two retry topics."""

    def __init__(self, *, partitions: int = 1, seed: int = 7) -> None:
        super().__init__(partitions=partitions, seed=seed)
        for topic in delays.delays_s:
            self.broker.create_topic(topic, partitions=partitions)
        self.later = self.broker.groups["group-retry"]
        self.readers: list[CountingConsumer] = []

    def delayed(self, **changes: object) -> Delayed:
        context = self.context(**changes)
        return Delayed(delays, replace(context, name="test-retry", connect=self._connect_held_back))

    def _connect_held_back(self, listener: RebalanceListener) -> Consumer:
        return DelayedConsumer(self._connect_retry, listener, delays=delays, clock=self.clock)

    def _connect_retry(self, listener: RebalanceListener) -> Consumer:
        topics = list(delays.delays_s)
        reader = CountingConsumer(
            self.broker, group="group-retry", topics=topics, listener=listener
        )
        self.readers.append(reader)
        return reader

    def all_is_done(self) -> bool:
        groups = (self.group, self.later)
        return all(
            any(group.committed.get(at, (0,))[0] >= log.end for group in groups)
            for at, log in self.broker.logs.items()
            if log.end and at.topic in {"in", "r1", "r2"}
        )


class Looks:
    """A handler that is ready at the given look, and remembers when it was called with what."""

    def __init__(self, rig: DelayRig, *, ready_at: int) -> None:
        self.rig = rig
        self.ready_at = ready_at
        self.seen: list[tuple[float, Delivery]] = []

    def times_s(self, value: bytes) -> list[float]:
        return [at for at, delivery in self.seen if delivery.value == value]

    async def __call__(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        self.seen.append((self.rig.clock.monotonic_s(), delivery))
        record = Record("out", delivery.key, b"%d" % delivery.attempt)
        if delivery.value == b"late" and delivery.attempt < self.ready_at:
            return Deferred((record,))
        return (record,)


async def until_done(rig: DelayRig) -> None:
    async with asyncio.timeout(10_000):
        while not rig.all_is_done():
            await asyncio.sleep(0.1)


@simulated
async def test_what_is_not_ready_twice_comes_back_when_due_and_then_is_done() -> None:
    rig = DelayRig()
    headers = (("ce_id", b"a"), ("odd", b"\xfe"))
    handler = Looks(rig, ready_at=3)
    rig.append(b"late", key=b"k", headers=headers)
    rig.append(b"next", key=b"k")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    first, second, third = handler.times_s(b"late")
    assert 30 - grain_s <= second - first <= 30 + lag_s
    assert 120 - grain_s <= third - second <= 120 + lag_s
    (next_one,) = handler.times_s(b"next")
    assert next_one - first < lag_s
    looks = [delivery for _, delivery in handler.seen if delivery.value == b"late"]
    assert [look.attempt for look in looks] == [1, 2, 3]
    for look in looks:
        assert (look.topic, look.partition, look.offset) == ("in", 0, 0)
        assert (look.key, look.headers) == (b"k", headers)
    assert Counter(rig.values()) == {b"1": 2, b"2": 1, b"3": 1}
    assert rig.values("dead") == []


@simulated
async def test_waiting_is_no_busy_loop_and_keeps_the_membership() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=3)
    rig.append(b"late")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    (reader,) = rig.readers
    assert reader.polls < 150 * 4 * 2
    assert rig.later.generation == 1


@simulated
async def test_while_a_record_waits_its_partition_is_paused_and_then_read_on() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=2)
    rig.append(b"late", key=b"1")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await asyncio.sleep(10)
        assert rig.readers[0].paused == {first_wait}
        rig.append(b"late", key=b"2")
        await asyncio.sleep(22)
        assert len(handler.seen) == 3
        assert rig.readers[0].paused == {first_wait}
        await until_done(rig)
        assert rig.readers[0].paused == set()
    one, two, again_one, again_two = (at for at, _ in handler.seen)
    assert again_one - one >= 30 - grain_s
    assert again_two - two >= 30 - grain_s


@simulated
async def test_a_record_that_is_never_ready_becomes_a_dead_letter_after_its_last_delay() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=99)
    rig.append(b"late", headers=(("ce_id", b"a"),))
    before = sample("zcc_worker_delayed_total")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    assert rig.values() == [b"1", b"2", b"3"]
    (dead,) = rig.produced("dead")
    assert (dead.key, dead.value, dead.headers[0]) == (b"k", b"late", ("ce_id", b"a"))
    labels = {name: text(dead.headers, f"zcc-{name}") for name in ("reason", "origin", "attempts")}
    assert labels == {"reason": "not_ready", "origin": "in/0/0", "attempts": "3"}
    assert (text(dead.headers, "zcc-error") or "").startswith("since 2026-01-01T00:00:")
    assert text(dead.headers, "zcc-worker") == "test"
    assert text(dead.headers, "zcc-due-at") is None
    assert sample("zcc_worker_delayed_total") == before + 2


@simulated
async def test_without_delays_a_record_that_is_not_ready_becomes_a_dead_letter_at_once() -> None:
    rig = DelayRig()
    rig.append(b"late")
    async with running(Worker(Looks(rig, ready_at=2), rig.context())):
        async with asyncio.timeout(5):
            while not rig.values("dead"):
                await asyncio.sleep(0.1)
    assert rig.values() == [b"1"]


@simulated
async def test_the_next_look_is_on_its_way_before_anything_of_this_one_is_seen() -> None:
    rig = DelayRig()
    rig.append(b"late")
    rig.failures["publish"] = [TransientError("no answer")] * 3
    async with running(Worker(Looks(rig, ready_at=2), rig.context(), rig.delayed())):
        await until_done(rig)
    (waiting,), (seen, _) = rig.broker.log(first_wait), rig.produced()
    assert seen.timestamp_ms >= waiting.timestamp_ms
    assert rig.values() == [b"1", b"2"]


@pytest.mark.parametrize("seed", range(5))
@simulated
async def test_a_crash_between_waiting_and_commit_repeats_but_loses_nothing(seed: int) -> None:
    rig = DelayRig(partitions=2, seed=seed)
    handler, rng = Looks(rig, ready_at=3), Random(seed)
    for n in range(10):
        rig.append(b"late", key=b"%d" % n, to=TopicPartition("in", n % 2))
    context = rig.context(commit_interval_s=1000)
    for _ in range(4):
        life = asyncio.ensure_future(Worker(handler, context, rig.delayed()).run(asyncio.Event()))
        await asyncio.sleep(rng.uniform(0.2, 60))
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    assert {record.key for record in rig.produced() if record.value == b"3"} == {
        b"%d" % n for n in range(10)
    }
    assert len(rig.broker.log(first_wait) + rig.broker.log(TopicPartition("r1", 1))) > 10
    assert rig.values("dead") == []


@simulated
async def test_a_rebalance_forgets_what_is_held_and_the_next_owner_reads_it_again() -> None:
    rig = DelayRig(partitions=2)
    handler = Looks(rig, ready_at=2)
    for n in range(20):
        rig.append(b"late", key=b"%d" % n, to=TopicPartition("in", n % 2))
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await asyncio.sleep(10)
        async with running(Worker(handler, rig.context(), rig.delayed())):
            await asyncio.sleep(10)
        await asyncio.sleep(3)
        assert len(handler.seen) == 20
        await until_done(rig)
    first = {d.key: at for at, d in handler.seen if d.attempt == 1}
    again = {d.key: at for at, d in handler.seen if d.attempt == 2}
    assert len(handler.seen) == 40
    assert all(30 - grain_s <= again[key] - first[key] <= 32 for key in first)


@simulated
async def test_a_worker_that_stops_leaves_what_waits_to_the_next() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=2)
    rig.append(b"late")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await asyncio.sleep(5)
    assert rig.clock.monotonic_s() < 6
    await asyncio.sleep(100)
    assert len(handler.seen) == 1
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    assert len(handler.seen) == 2


@simulated
async def test_a_retry_waits_for_an_outage_next_to_new_records_and_becomes_no_dead_letter() -> None:
    rig = DelayRig()
    down = True

    async def handler(delivery: Delivery) -> Sequence[Record] | Deferred:
        if delivery.value == b"late" and delivery.attempt == 1:
            return Deferred()
        if delivery.value == b"late" and down:
            raise TransientError("down")
        return (Record("out", delivery.key, delivery.value),)

    rig.append(b"late")
    async with running(Worker(handler, rig.context(defect_attempts=1), rig.delayed())):
        await asyncio.sleep(3600)
        rig.append(b"present")
        await asyncio.sleep(1)
        assert rig.values() == [b"present"]
        down = False
        await until_done(rig)
    assert rig.values() == [b"present", b"late"]
    assert rig.values("dead") == []
    assert rig.broker.log(second_wait) == []


@simulated
async def test_poison_on_a_retry_is_reported_with_its_first_origin() -> None:
    rig = DelayRig()

    async def handler(delivery: Delivery) -> Sequence[Record] | Deferred:
        if delivery.attempt == 1:
            return Deferred()
        raise RejectedError(DeadLetterReason.UNREADABLE, "poison")

    rig.append(b"x", b"y", headers=(("ce_id", b"a"),))
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    dead = rig.produced("dead")
    assert [text(each.headers, "zcc-origin") for each in dead] == ["in/0/0", "in/0/1"]
    assert [text(each.headers, "zcc-attempts") for each in dead] == ["2", "2"]
    assert [name for name, _ in dead[0].headers].count("zcc-origin") == 1


@simulated
async def test_a_waiting_record_without_its_origin_becomes_a_dead_letter_and_stops_nothing() -> (
    None
):
    rig = DelayRig()
    handler = Looks(rig, ready_at=2)
    rig.append(b"lost", to=first_wait)
    rig.append(b"late")
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    (dead,) = rig.produced("dead")
    assert dead.value == b"lost"
    assert text(dead.headers, "zcc-reason") == "unreadable"
    assert text(dead.headers, "zcc-origin") == "r1/0/0"
    assert rig.values() == [b"1", b"2"]


@simulated
async def test_a_record_that_a_person_puts_into_a_retry_topic_is_handled_at_once() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=2)
    rig.append(b"again", to=first_wait, headers=(("zcc-origin", b"in/0/77"), ("ce_id", b"a")))
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    ((at_s, delivery),) = handler.seen
    assert at_s < lag_s
    assert (delivery.origin, delivery.attempt) == ("in/0/77", 1)
    assert delivery.headers == (("ce_id", b"a"),)


@simulated
async def test_a_due_time_that_a_wrong_clock_wrote_holds_nothing_up_for_longer() -> None:
    rig = DelayRig()
    handler = Looks(rig, ready_at=1)
    far = timestamp(10**13).encode()
    rig.append(b"x", to=first_wait, headers=(("zcc-origin", b"in/0/7"), ("zcc-due-at", far)))
    async with running(Worker(handler, rig.context(), rig.delayed())):
        await until_done(rig)
    ((at_s, _),) = handler.seen
    assert 30 - grain_s <= at_s <= 30 + 2 * lag_s


@simulated
async def test_a_full_reader_is_handed_nothing_that_becomes_due() -> None:
    rig = DelayRig()
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record] | Deferred:
        nonlocal held
        if delivery.attempt == 1:
            return Deferred()
        held += 1
        await release.wait()
        return ()

    for n in range(8):
        rig.append(b"x", key=b"%d" % n)
    delayed = rig.delayed(in_flight_records=2)
    async with running(Worker(handler, rig.context(), delayed)):
        await asyncio.sleep(60)
        assert held == 2
        release.set()
        await until_done(rig)
    assert held == 8


@simulated
async def test_a_defect_of_either_reader_ends_the_worker() -> None:
    rig = DelayRig()

    async def handler(delivery: Delivery) -> Sequence[Record] | Deferred:
        if delivery.attempt == 1:
            return Deferred()
        raise ConfigurationError("withdrawn")

    rig.append(b"x")
    worker = Worker(handler, rig.context(), rig.delayed())
    with pytest.raises(ConfigurationError, match="withdrawn"):
        await runs_until_it_halts(worker)
    assert rig.group.members == rig.later.members == []
    assert rig.group.committed[source].offset == 1


@simulated
async def test_a_worker_is_ready_once_both_its_groups_have_an_assignment() -> None:
    rig = DelayRig()
    worker = Worker(Looks(rig, ready_at=1), rig.context(), rig.delayed())
    assert worker.readiness_problem() == "waits for partitions"
    async with running(worker):
        await asyncio.sleep(1)
        assert worker.readiness_problem() is None
        assert worker.liveness_problem() is None
