"""Worker over a broker in memory: what each kind of error does to a record."""

import asyncio
from collections.abc import Sequence

import pytest

from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.handlers.worker import Worker
from runtime.ports import Position
from runtime.values import Delivery, Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.support.workers import (
    Rig,
    copied,
    running,
    runs_until_it_halts,
    simulated,
    source,
    until,
)


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
async def test_a_transient_error_waits_in_its_lane_and_never_becomes_a_dead_letter() -> None:
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
async def test_a_defect_is_retried_as_often_as_allowed_and_then_becomes_a_dead_letter() -> None:
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
async def test_too_many_defects_pause_the_partition_without_more_dead_letters() -> None:
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
async def test_a_record_whose_product_the_broker_refuses_becomes_a_dead_letter() -> None:
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
async def test_a_handler_that_needs_the_operator_halts_the_worker() -> None:
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
