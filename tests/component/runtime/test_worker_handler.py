"""Worker over a broker in memory: order, nothing lost, retries, dead letters, drain."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from random import Random

import pytest

from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.handlers.worker import Worker
from runtime.ports import Position
from runtime.values import Assignment, Delivery, Record, TopicPartition
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.support.workers import (
    Rig,
    first_seen_in_order,
    other,
    running,
    runs_until_it_halts,
    sample,
    simulated,
    source,
    until,
)


def copied(delivery: Delivery) -> Sequence[Record]:
    return (Record("out", delivery.key, delivery.value),)


@simulated
async def test_keys_run_concurrently_and_each_key_in_order() -> None:
    rig = Rig()
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
        rig.append(b"%d" % n, key=b"key%d" % (n % 7))
    async with running(Worker(handler, rig.context())):
        await until(lambda: len(rig.produced()) == 300)
        await until(lambda: rig.committed.get(source) == Position(300))
    assert most_at_once > 1
    by_key = defaultdict(list)
    for record in rig.produced():
        by_key[record.key].append(int(record.value or b""))
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


@simulated
async def test_a_position_never_passes_a_record_that_is_not_done() -> None:
    rig = Rig()
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.offset == 2:
            await release.wait()
        return copied(delivery)

    for n in range(10):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.position_of(source) == 2)
        await until(lambda: len(rig.produced()) == 9)
        assert rig.position_of(source) == 2
        release.set()
        await until(lambda: rig.committed[source] == Position(10))


@simulated
async def test_gaps_in_the_log_are_no_obstacle() -> None:
    rig = Rig()
    for gap in (3, 3, 12):
        rig.broker.leave_gap(source, gap)
        rig.append(b"x")
    handled = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        handled.append(delivery.offset)
        return ()

    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(21))
    assert handled == [3, 7, 20]


@pytest.mark.parametrize("seed", range(5))
@simulated
async def test_nothing_is_lost_when_the_worker_dies_at_any_moment(seed: int) -> None:
    rig = Rig(partitions=2)
    for n in range(120):
        rig.append(b"%d" % n, key=b"key%d" % (n % 5), to=source if n % 5 < 3 else other)
    rng = Random(seed)
    deaths = 0
    life: asyncio.Future[None]

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal deaths
        if deaths < 5 and rng.random() < 0.05:
            deaths += 1
            life.cancel()
        for _ in range(rng.randrange(3)):
            await asyncio.sleep(0)
        return copied(delivery)

    context = rig.context(concurrency=3, commit_interval_s=0.0001, in_flight_records=10)
    while len(set(rig.values())) < 120:
        life = asyncio.ensure_future(Worker(handler, context).run(asyncio.Event()))
        await until(lambda ended=life.done: ended() or len(set(rig.values())) == 120)
        life.cancel()
        with pytest.raises(asyncio.CancelledError):
            await life
    assert deaths >= 2
    assert first_seen_in_order(rig.values(), key_of=lambda number: number % 5)


@simulated
async def test_a_rebalance_loses_nothing_and_keeps_the_order_of_each_key() -> None:
    rig = Rig(partitions=2)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(0.001)
        return copied(delivery)

    for n in range(200):
        rig.append(b"%d" % n, key=b"key%d" % (n % 4), to=source if n % 2 else other)
    context = rig.context(concurrency=4, in_flight_records=20)
    async with running(Worker(handler, context)):
        await until(lambda: len(rig.produced()) > 30)
        async with running(Worker(handler, context)):
            await until(lambda: len(rig.produced()) > 90)
        await until(lambda: len(set(rig.values())) == 200)
        await until(lambda: rig.committed == {source: Position(100), other: Position(100)})
    assert first_seen_in_order(rig.values(), key_of=lambda number: number % 4)
    assert len(rig.produced()) <= 200 + 3 * 20


@simulated
async def test_a_late_completion_of_a_lost_partition_is_ignored_and_counted() -> None:
    rig = Rig()
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

    rig.append(b"slow")
    before = sample("zcc_worker_late_total")
    async with running(Worker(handler, rig.context())):
        await until(lambda: calls == 1)
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(1))
        assert calls == 2
        rig.append(b"next")
        release.set()
        await until(lambda: sample("zcc_worker_late_total") == before + 1)
        await until(lambda: rig.committed[source] == Position(2))


@simulated
async def test_a_handler_that_swallows_its_cancellation_and_fails_is_not_called_again() -> None:
    rig = Rig()
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TransientError("the connection was cut") from None
        return ()

    rig.append(b"x")
    async with running(Worker(handler, rig.context(drain_timeout_s=0.01))) as stopping:
        await until(lambda: calls == 1)
        stopping.set()
    assert calls == 1


@simulated
async def test_the_worlds_fault_waits_in_its_lane_and_never_becomes_a_dead_letter() -> None:
    rig = Rig()
    tries = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal tries
        if delivery.key == b"down":
            tries += 1
            if tries <= 3:
                raise TransientError("the other side does not answer")
        return copied(delivery)

    rig.append(b"1", b"2", key=b"down")
    rig.append(b"3", key=b"up")
    async with running(Worker(handler, rig.context(defect_attempts=1))):
        await until(lambda: rig.values() == [b"3"])
        await until(lambda: len(rig.produced()) == 3)
    assert rig.values() == [b"3", b"1", b"2"]
    assert rig.values("dead") == []
    assert tries == 5


@simulated
async def test_a_rejected_record_becomes_a_dead_letter_byte_for_byte_and_stops_nothing() -> None:
    rig = Rig()
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        if delivery.value == b"\xff\x00poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "no JSON")
        return copied(delivery)

    headers = (("ce_id", b"a"), ("ce_id", b"\xfe"))
    rig.append(b"\xff\x00poison", headers=headers)
    rig.append(b"good")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(2))
    (dead,), (good,) = rig.produced("dead"), rig.produced()
    assert (dead.topic, dead.key, dead.value) == ("dead", b"k", b"\xff\x00poison")
    assert dead.headers[:2] == headers
    assert text(dead.headers, "zcc-reason") == "unreadable"
    assert text(dead.headers, "zcc-origin") == "in/0/0"
    assert good.value == b"good"
    assert calls == 2


@simulated
async def test_a_defect_is_tried_as_often_as_allowed_and_then_set_aside() -> None:
    rig = Rig()
    tries = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal tries
        tries += 1
        if tries == 2:
            raise TransientError("does not count as an attempt at the defect")
        raise ZeroDivisionError("secret")

    rig.append(b"x")
    async with running(Worker(handler, rig.context(defect_attempts=2))):
        await until(lambda: rig.committed.get(source) == Position(1))
    assert tries == 3
    (dead,) = rig.produced("dead")
    assert text(dead.headers, "zcc-reason") == "defect"
    assert text(dead.headers, "zcc-attempts") == "3"
    assert "ZeroDivisionError" in (text(dead.headers, "zcc-error") or "")
    assert b"secret" not in b"".join(value for _, value in dead.headers)


@simulated
async def test_too_many_defects_pause_the_partition_and_nothing_more_is_set_aside() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"good":
            return copied(delivery)
        raise ZeroDivisionError

    rig.append(b"good")
    for n in range(50):
        rig.append(b"bad", key=b"%d" % n)
    worker = Worker(handler, rig.context(defect_attempts=1))
    async with running(worker):
        await until(lambda: rig.position_of(source) == 11)
        await until(lambda: "too many" in (worker.readiness_problem() or ""))
        assert (worker.readiness_problem() or "").startswith("all its partitions are paused")
    assert len(rig.values("dead")) == 10
    assert rig.position_of(source) == 11
    assert rig.group.members == []


@simulated
async def test_what_was_handled_is_not_handled_again_because_the_broker_did_not_answer() -> None:
    rig = Rig()
    calls = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal calls
        calls += 1
        return [Record("out", b"k", b"1"), Record("out", b"k", b"2")]

    rig.failures["publish"] = [TransientError("no answer"), TransientError("no answer")]
    rig.append(b"x")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))
    assert calls == 1
    assert rig.values() == [b"1", b"2"]


@simulated
async def test_a_record_whose_product_the_broker_refuses_is_set_aside() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    rig.failures["publish"] = [RejectedError(DeadLetterReason.TOO_LARGE, "1.2 MB")]
    rig.append(b"x")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))
    (dead,) = rig.produced("dead")
    assert dead.topic == "dead"
    assert text(dead.headers, "zcc-reason") == "too_large"


@simulated
async def test_a_dead_letter_that_the_topic_does_not_take_halts_the_worker() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise RejectedError(DeadLetterReason.UNREADABLE, "")

    rig.failures["publish"] = [RejectedError(DeadLetterReason.TOO_LARGE, "1 MB")]
    rig.append(b"x")
    with pytest.raises(ConfigurationError, match=r"max\.message\.bytes"):
        await runs_until_it_halts(Worker(handler, rig.context()))
    assert source not in rig.committed


@simulated
async def test_a_handler_that_asks_for_the_operator_halts_the_worker() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise ConfigurationError("the credentials were withdrawn")

    rig.append(b"x")
    with pytest.raises(ConfigurationError, match="withdrawn"):
        await runs_until_it_halts(Worker(handler, rig.context()))
    assert rig.produced() + rig.produced("dead") == []


@simulated
async def test_a_cancellation_that_leaks_out_of_the_handler_counts_as_a_defect() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise asyncio.CancelledError

    rig.append(b"x")
    async with running(Worker(handler, rig.context(defect_attempts=1))):
        await until(lambda: rig.committed.get(source) == Position(1))
    assert len(rig.values("dead")) == 1


@simulated
async def test_draining_finishes_what_is_in_flight_and_commits_it() -> None:
    rig = Rig()
    started = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal started
        started += 1
        await asyncio.sleep(0.02)
        return copied(delivery)

    rig.append(b"1", b"2", b"3")
    async with running(Worker(handler, rig.context(commit_interval_s=60))) as stopping:
        await until(lambda: started == 1)
        stopping.set()
    assert rig.values() == [b"1", b"2", b"3"]
    assert rig.committed[source] == Position(3)
    assert rig.group.members == []


@simulated
async def test_draining_is_bounded_and_leaves_the_rest_to_the_next_owner() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await asyncio.Event().wait()
        return copied(delivery)

    rig.append(b"1", key=b"a")
    rig.append(b"2", key=b"stuck")
    rig.append(b"3", key=b"b")
    async with running(Worker(handler, rig.context(drain_timeout_s=0.05))):
        await until(lambda: len(rig.produced()) == 2)
    assert rig.position_of(source) == 1


@simulated
async def test_a_worker_that_is_full_pauses_and_stays_a_member() -> None:
    rig = Rig()
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    for n in range(10):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, rig.context(in_flight_records=4))):
        await until(lambda: bool(rig.entered and rig.member.paused))
        assert held == 4
        release.set()
        await until(lambda: len(rig.produced()) == 10)
        assert rig.member.paused == set()


@simulated
async def test_a_full_measure_of_bytes_stops_polling_too() -> None:
    rig = Rig()
    release = asyncio.Event()
    held = 0

    async def handler(delivery: Delivery) -> Sequence[Record]:
        nonlocal held
        held += 1
        await release.wait()
        return copied(delivery)

    rig.append(b"x" * 2000)
    async with running(Worker(handler, rig.context(in_flight_bytes=1024))):
        await until(lambda: held == 1)
        rig.append(b"y", key=b"second")
        await until(lambda: bool(rig.member.paused))
        assert held == 1
        release.set()
        await until(lambda: len(rig.produced()) == 2)


@simulated
async def test_a_partition_whose_position_stands_still_is_paused_before_too_much_is_beyond_it() -> (
    None
):
    rig = Rig(partitions=2)
    release = asyncio.Event()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"stuck":
            await release.wait()
        return copied(delivery)

    rig.append(b"0", key=b"stuck")
    for n in range(1, 100):
        rig.append(b"%d" % n, key=b"%d" % n)
        rig.append(b"%d" % n, key=b"%d" % n, to=other)
    async with running(Worker(handler, rig.context(in_flight_records=2))):
        await until(lambda: rig.committed.get(other) == Position(99))
        assert rig.member.paused == {source}
        assert sum(record.key != b"stuck" for record in rig.produced()) <= 99 + 20 + 2
        release.set()
        await until(lambda: rig.committed.get(source) == Position(100))


@pytest.mark.parametrize("error", [FencedError("moved on"), TransientError("no answer")])
@simulated
async def test_a_commit_that_fails_is_made_up_for_by_the_next(error: Exception) -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    rig.failures["commit"] = [error]
    rig.append(b"x")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))
    assert rig.values() == [b"x"]


@pytest.mark.parametrize("step", ["enter", "poll"])
@simulated
async def test_a_member_that_kafka_fails_is_followed_by_a_new_one(step: str) -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    rig.failures[step] = [TransientError("no answer")]
    rig.append(b"x")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))


@simulated
async def test_a_log_that_goes_back_halts_the_worker() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    rig.append(b"x", b"y")
    life = asyncio.ensure_future(runs_until_it_halts(Worker(handler, rig.context())))
    await until(lambda: rig.committed.get(source) == Position(2))
    rig.member.seek(source, 0)
    with pytest.raises(ConfigurationError, match="went back"):
        await life


@simulated
async def test_a_defect_of_the_runtime_itself_ends_it_with_that_error() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    rig.failures["poll"] = [KeyError("a bug")]
    with pytest.raises(KeyError, match="a bug"):
        await runs_until_it_halts(Worker(handler, rig.context()))


@simulated
async def test_a_worker_is_ready_once_it_has_an_assignment() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    worker = Worker(handler, rig.context())
    assert worker.readiness_problem() == "waits for partitions"
    assert worker.liveness_problem() is None
    async with running(worker):
        await until(lambda: worker.readiness_problem() is None)
        rig.broker.down = True
        assert worker.readiness_problem() == "waits for brokers that acknowledge"
        rig.broker.down = False
    assert worker.readiness_problem() == "waits for partitions"


@simulated
async def test_retention_that_was_faster_moves_the_start() -> None:
    rig = Rig()
    rig.committed[source] = Position(3)
    rig.broker.leave_gap(source, 10)
    rig.broker.delete_before(source, 10)
    rig.append(b"ten")

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return copied(delivery)

    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.committed[source] == Position(11))
    assert rig.values() == [b"ten"]


@simulated
async def test_a_worker_that_is_stopped_before_it_has_an_assignment_ends_at_once() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    async with rig.connect(Deaf()):  # never polls, so the group waits for it
        async with running(Worker(handler, rig.context(commit_interval_s=0.0001))):
            await until(lambda: len(rig.entered) == 2 and rig.member.polls > 3)
        assert len(rig.group.members) == 1
    assert rig.commits == []


class Deaf:
    async def revoked(self, partitions: Collection[TopicPartition]) -> None: ...

    async def assigned(self, assignment: Assignment) -> None: ...
