"""Worker over a broker in memory: order, nothing lost, retries, dead letters, drain."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random

import pytest

from runtime import telemetry
from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.ports import Position
from runtime.values import Delivery, Record
from runtime.worker import Worker
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.component.worker_rig import (
    MemoryBroker,
    other,
    running,
    source,
    surroundings,
    until,
)


def copied(delivery: Delivery) -> Sequence[Record]:
    return (Record("out", delivery.key, delivery.value),)


def values(broker: MemoryBroker, topic: str = "out") -> list[bytes | None]:
    return [record.value for record in broker.produced if record.topic == topic]


def metric(name: str) -> float:
    return telemetry.total(telemetry.exposition(), name)


async def test_keys_run_concurrently_and_each_key_in_order() -> None:
    broker = MemoryBroker(source)
    running_keys: set[bytes] = set()
    most_at_once = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal most_at_once
        assert delivery.key is not None
        assert delivery.key not in running_keys
        running_keys.add(delivery.key)
        most_at_once = max(most_at_once, len(running_keys))
        for _ in range(delivery.offset % 4):
            await asyncio.sleep(0)
        running_keys.remove(delivery.key)
        return copied(delivery)

    for n in range(300):
        broker.append(b"%d" % n, key=b"key%d" % (n % 7))
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: len(broker.produced) == 300)
        await until(lambda: broker.committed.get(source) == Position(300))
    assert most_at_once > 1
    by_key = defaultdict(list)
    for record in broker.produced:
        by_key[record.key].append(int(record.value or b""))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_a_position_never_passes_a_record_that_is_not_done() -> None:
    broker = MemoryBroker(source)
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.offset == 2:
            await release.wait()
        return copied(delivery)

    for n in range(10):
        broker.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(2))
        await until(lambda: len(broker.produced) == 9)
        assert broker.committed[source] == Position(2)
        release.set()
        await until(lambda: broker.committed[source] == Position(10))


async def test_gaps_in_the_log_are_no_obstacle() -> None:
    broker = MemoryBroker(source)
    for offset in (3, 7, 20):
        broker.append(b"%d" % offset, offset=offset)
    handled = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        handled.append(delivery.offset)
        return ()

    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(21))
    assert handled == [3, 7, 20]


@pytest.mark.parametrize("seed", range(5))
async def test_nothing_is_lost_when_the_worker_dies_at_any_moment(seed: int) -> None:
    broker = MemoryBroker(source, other)
    for n in range(120):
        broker.append(b"%d" % n, key=b"key%d" % (n % 5), to=source if n % 5 < 3 else other)
    chance = Random(seed)
    deaths = 0
    life: asyncio.Future[None]

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal deaths
        if deaths < 5 and chance.random() < 0.05:
            deaths += 1
            life.cancel()
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        return copied(delivery)

    around = surroundings(broker, concurrency=3, commit_interval_s=0.0001, in_flight_records=10)
    while len(set(values(broker))) < 120:
        life = asyncio.ensure_future(Worker(handler, around).run(asyncio.Event()))
        await until(lambda ended=life.done: ended() or len(set(values(broker))) == 120)
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
    assert deaths >= 2
    for key in range(5):
        numbers = (int(value or b"") for value in values(broker))
        first_seen = dict.fromkeys(number for number in numbers if number % 5 == key)
        assert list(first_seen) == sorted(first_seen)


async def test_a_rebalance_loses_nothing_and_keeps_the_order_of_each_key() -> None:
    broker = MemoryBroker(source, other)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(0.001)
        return copied(delivery)

    for n in range(200):
        broker.append(b"%d" % n, key=b"key%d" % (n % 4), to=source if n % 2 else other)
    around = surroundings(broker, concurrency=4, in_flight_records=20)
    async with running(Worker(handler, around)):
        await until(lambda: len(broker.produced) > 30)
        async with running(Worker(handler, around)):
            await until(lambda: len(broker.produced) > 90)
        await until(lambda: len(set(values(broker))) == 200)
        await until(lambda: broker.committed == {source: Position(100), other: Position(100)})
    for key in range(4):
        first_seen = dict.fromkeys(
            int(v or b"") for v in values(broker) if int(v or b"") % 4 == key
        )
        assert list(first_seen) == sorted(first_seen)
    assert len(broker.produced) <= 200 + 3 * 20


async def test_a_late_completion_of_a_lost_partition_is_ignored_and_counted() -> None:
    broker = MemoryBroker(source)
    release = asyncio.Event()
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        if calls == 1:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue  # does not let itself be cancelled
        return ()

    broker.append(b"slow")
    before = metric("zcc_worker_late_total")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: calls == 1)
        broker.rebalance()
        await until(lambda: broker.committed.get(source) == Position(1))
        assert calls == 2
        broker.append(b"next")
        release.set()
        await until(lambda: metric("zcc_worker_late_total") == before + 1)
        await until(lambda: broker.committed[source] == Position(2))


async def test_the_worlds_fault_waits_in_its_lane_and_never_becomes_a_dead_letter() -> None:
    broker = MemoryBroker(source)
    tries = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal tries
        if delivery.key == b"down":
            tries += 1
            if tries <= 3:
                raise TransientError("the other side does not answer")
        return copied(delivery)

    broker.append(b"1", b"2", key=b"down")
    broker.append(b"3", key=b"up")
    async with running(Worker(handler, surroundings(broker, defect_attempts=1))):
        await until(lambda: values(broker) == [b"3"])
        await until(lambda: len(broker.produced) == 3)
    assert values(broker) == [b"3", b"1", b"2"]
    assert values(broker, "dead") == []
    assert tries == 5


async def test_a_rejected_record_becomes_a_dead_letter_byte_for_byte_and_stops_nothing() -> None:
    broker = MemoryBroker(source)
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        if delivery.value == b"\xff\x00poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "no JSON")
        return copied(delivery)

    headers = (("ce_id", b"a"), ("ce_id", b"\xfe"))
    broker.append(b"\xff\x00poison", headers=headers)
    broker.append(b"good")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(2))
    dead, good = broker.produced
    assert (dead.topic, dead.key, dead.value) == ("dead", b"k", b"\xff\x00poison")
    assert dead.headers[:2] == headers
    assert text(dead.headers, "zcc-reason") == "unreadable"
    assert text(dead.headers, "zcc-origin") == "in/0/0"
    assert good.value == b"good"
    assert calls == 2


async def test_a_defect_is_tried_as_often_as_allowed_and_then_set_aside() -> None:
    broker = MemoryBroker(source)
    tries = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise TransientError("does not count as an attempt at the defect")
        raise ZeroDivisionError("secret")

    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker, defect_attempts=2))):
        await until(lambda: broker.committed.get(source) == Position(1))
    assert tries == 3
    (dead,) = broker.produced
    assert text(dead.headers, "zcc-reason") == "defect"
    assert text(dead.headers, "zcc-attempts") == "3"
    assert "ZeroDivisionError" in (text(dead.headers, "zcc-error") or "")
    assert b"secret" not in b"".join(value for _, value in dead.headers)


async def test_too_many_defects_halt_the_worker_and_nothing_more_is_set_aside() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"good":
            return copied(delivery)
        raise ZeroDivisionError

    broker.append(b"good")
    for n in range(50):
        broker.append(b"bad", key=b"%d" % n)
    worker = Worker(handler, surroundings(broker, defect_attempts=1))
    with pytest.raises(ConfigurationError, match="too many"):
        await asyncio.wait_for(worker.run(asyncio.Event()), 10)
    assert worker.why_not_ready() == "waits for partitions"
    assert len(values(broker, "dead")) == 10
    assert broker.committed[source] == Position(11)
    assert broker.members == []


async def test_what_was_handled_is_not_handled_again_because_the_broker_did_not_answer() -> None:
    broker = MemoryBroker(source)
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        return [Record("out", b"k", b"1"), Record("out", b"k", b"2")]

    broker.failures["publish"] = [TransientError("no answer"), TransientError("no answer")]
    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(1))
    assert calls == 1
    assert values(broker) == [b"1", b"2"]


async def test_a_record_whose_product_the_broker_refuses_is_set_aside() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    broker.failures["publish"] = [RejectedError(DeadLetterReason.TOO_LARGE, "1.2 MB")]
    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(1))
    (dead,) = broker.produced
    assert dead.topic == "dead"
    assert text(dead.headers, "zcc-reason") == "too_large"


async def test_a_dead_letter_that_the_topic_does_not_take_halts_the_worker() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise RejectedError(DeadLetterReason.UNREADABLE, "")

    broker.failures["publish"] = [RejectedError(DeadLetterReason.TOO_LARGE, "1 MB")]
    broker.append(b"x")
    with pytest.raises(ConfigurationError, match=r"max\.message\.bytes"):
        await asyncio.wait_for(Worker(handler, surroundings(broker)).run(asyncio.Event()), 10)
    assert source not in broker.committed


async def test_a_handler_that_asks_for_the_operator_halts_the_worker() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise ConfigurationError("the credentials were withdrawn")

    broker.append(b"x")
    with pytest.raises(ConfigurationError, match="withdrawn"):
        await asyncio.wait_for(Worker(handler, surroundings(broker)).run(asyncio.Event()), 10)
    assert broker.produced == []


async def test_a_cancellation_that_leaks_out_of_the_handler_counts_as_a_defect() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise asyncio.CancelledError

    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker, defect_attempts=1))):
        await until(lambda: broker.committed.get(source) == Position(1))
    assert len(values(broker, "dead")) == 1


async def test_draining_finishes_what_is_in_flight_and_commits_it() -> None:
    broker = MemoryBroker(source)
    started = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal started
        started += 1
        await asyncio.sleep(0.02)
        return copied(delivery)

    broker.append(b"1", b"2", b"3")
    async with running(Worker(handler, surroundings(broker, commit_interval_s=60))) as stopping:
        await until(lambda: started == 1)
        stopping.set()
    assert values(broker) == [b"1", b"2", b"3"]
    assert broker.committed[source] == Position(3)
    assert broker.members == []


async def test_draining_is_bounded_and_leaves_the_rest_to_the_next_owner() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await asyncio.Event().wait()
        return copied(delivery)

    broker.append(b"1", key=b"a")
    broker.append(b"2", key=b"stuck")
    broker.append(b"3", key=b"b")
    async with running(Worker(handler, surroundings(broker, drain_timeout_s=0.05))):
        await until(lambda: len(broker.produced) == 2)
    assert broker.committed[source] == Position(1)


async def test_a_worker_that_is_full_pauses_and_stays_a_member() -> None:
    broker = MemoryBroker(source)
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    for n in range(10):
        broker.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, surroundings(broker, in_flight_records=4))):
        await until(lambda: bool(broker.members and broker.members[0].paused))
        assert held == 4
        release.set()
        await until(lambda: len(broker.produced) == 10)
        assert broker.members[0].paused == set()


async def test_a_full_measure_of_bytes_stops_polling_too() -> None:
    broker = MemoryBroker(source)
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    broker.append(b"x" * 2000)
    async with running(Worker(handler, surroundings(broker, in_flight_bytes=1024))):
        await until(lambda: held == 1)
        broker.append(b"y", key=b"second")
        await until(lambda: bool(broker.members[0].paused))
        assert held == 1
        release.set()
        await until(lambda: len(broker.produced) == 2)


async def test_a_partition_whose_position_stands_still_is_paused_before_too_much_is_beyond_it() -> (
    None
):
    broker = MemoryBroker(source, other)
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await release.wait()
        return copied(delivery)

    broker.append(b"0", key=b"stuck")
    for n in range(1, 100):
        broker.append(b"%d" % n, key=b"%d" % n)
        broker.append(b"%d" % n, key=b"%d" % n, to=other)
    async with running(Worker(handler, surroundings(broker, in_flight_records=2))):
        await until(lambda: broker.committed.get(other) == Position(99))
        assert broker.members[0].paused == {source}
        assert sum(record.key != b"stuck" for record in broker.produced) <= 99 + 20 + 2
        release.set()
        await until(lambda: broker.committed.get(source) == Position(100))


@pytest.mark.parametrize("error", [FencedError("moved on"), TransientError("no answer")])
async def test_a_commit_that_fails_is_made_up_for_by_the_next(error: Exception) -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    broker.failures["commit"] = [error]
    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(1))
    assert values(broker) == [b"x"]


@pytest.mark.parametrize("step", ["enter", "poll"])
async def test_a_member_that_kafka_fails_is_followed_by_a_new_one(step: str) -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    broker.failures[step] = [TransientError("no answer")]
    broker.append(b"x")
    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(1))


async def test_a_log_that_goes_back_halts_the_worker() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    broker.append(b"x", offset=9)
    broker.append(b"y", offset=3)
    broker.append(b"z", offset=10)
    task = asyncio.ensure_future(Worker(handler, surroundings(broker)).run(asyncio.Event()))
    await until(lambda: broker.committed.get(source) == Position(11))
    broker.members[0].seek(source, 3)
    broker.change()
    with pytest.raises(ConfigurationError, match="went back"):
        await asyncio.wait_for(task, 10)


async def test_a_defect_of_the_runtime_itself_ends_it_with_that_error() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    broker.failures["log_ends"] = [KeyError("a bug")]
    with pytest.raises(KeyError, match="a bug"):
        await asyncio.wait_for(Worker(handler, surroundings(broker)).run(asyncio.Event()), 10)


async def test_a_worker_is_ready_once_it_has_an_assignment() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    worker = Worker(handler, surroundings(broker))
    assert worker.why_not_ready() == "waits for partitions"
    assert worker.why_not_alive() is None
    async with running(worker):
        await until(lambda: worker.why_not_ready() is None)
        broker.ready = False
        assert worker.why_not_ready() == "waits for brokers that acknowledge"
        broker.ready = True
    assert worker.why_not_ready() == "waits for partitions"


async def test_retention_that_was_faster_moves_the_start() -> None:
    broker = MemoryBroker(source)
    broker.committed[source] = Position(3)
    broker.log_starts[source] = 10
    broker.append(b"ten", offset=10)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    async with running(Worker(handler, surroundings(broker))):
        await until(lambda: broker.committed[source] == Position(11))
    assert values(broker) == [b"ten"]


async def test_a_worker_that_is_stopped_before_it_has_an_assignment_ends_at_once() -> None:
    broker = MemoryBroker(source)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    broker.hold_rebalance = True
    async with running(Worker(handler, surroundings(broker, commit_interval_s=0.0001))):
        await until(lambda: bool(broker.members))
        await broker.changed(0.05)
    assert broker.members == []
    assert broker.commits == []
