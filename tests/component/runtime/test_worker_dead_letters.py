"""What goes to the dead letters, what must not, and when a worker stops instead."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from runtime.errors import (
    ConfigurationError,
    KeyRejectedError,
    RejectedError,
    TooManyDeadLettersError,
    TransientError,
)
from runtime.handlers.publication import Publication
from runtime.handlers.record_processor import RecordProcessor
from runtime.handlers.worker import Worker
from runtime.retries.retry_topics import RetryTopics
from runtime.sinks.worker import SinkWorker
from runtime.values import Delivery, Record
from runtime.worker.liveness import Liveness
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.support.fakes.sinks import RecordingSink
from tests.support.workers import (
    Rig,
    copied,
    other,
    running,
    runs_until_it_halts,
    sample,
    simulated,
    source,
    until,
)


def failure_of(letter: Delivery) -> tuple[str | None, str | None, str | None]:
    names = ("zcc-reason", "zcc-error", "zcc-attempts")
    reason, error, attempts = (text(letter.headers, name) for name in names)
    return reason, error, attempts


async def parks_poison(delivery: Delivery) -> Sequence[Record]:
    if delivery.value == b"poison":
        raise KeyRejectedError(DeadLetterReason.UNREADABLE, "broken")
    return copied(delivery)


@simulated
async def test_later_records_of_a_parked_key_follow_it_and_others_go_on() -> None:
    rig = Rig()
    rig.append(b"1", b"poison", b"2", b"3", key=b"parked")
    rig.append(b"4", key=b"free")
    rig.append(b"poison", b"5", key=None)
    async with running(Worker(parks_poison, rig.context())):
        await until(lambda: rig.position_of(source) == 7)
    assert sorted(rig.values()) == [b"1", b"4", b"5"]
    letters = {letter.value: failure_of(letter) for letter in rig.produced("dead") if letter.key}
    assert letters == {
        b"poison": ("unreadable", "broken", "1"),
        b"2": ("parked", "follows in/0/1", "0"),
        b"3": ("parked", "follows in/0/1", "0"),
    }


@simulated
async def test_a_record_that_was_only_rejected_parks_nothing() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "broken")
        return copied(delivery)

    rig.append(b"poison", b"next")
    async with running(Worker(handler, rig.context())):
        await until(lambda: rig.position_of(source) == 2)
    assert rig.values() == [b"next"]


@simulated
async def test_a_key_is_free_again_once_a_record_of_it_that_was_sent_again_succeeds() -> None:
    rig = Rig()
    again = (("zcc-replays", b"1"),)
    rig.append(b"poison", b"1")
    rig.append(b"poison", headers=again)
    rig.append(b"2")
    rig.append(b"mended", headers=again)
    rig.append(b"3")
    async with running(Worker(parks_poison, rig.context())):
        await until(lambda: rig.position_of(source) == 6)
    assert rig.values() == [b"mended", b"3"]
    assert rig.values("dead") == [b"poison", b"1", b"poison", b"2"]
    assert failure_of(rig.produced("dead")[3])[1] == "follows in/0/0"


@simulated
async def test_a_restart_forgets_which_keys_are_parked() -> None:
    rig = Rig()
    rig.append(b"poison", b"1")
    async with running(Worker(parks_poison, rig.context())):
        await until(lambda: rig.position_of(source) == 2)
    rig.append(b"2")
    async with running(Worker(parks_poison, rig.context())):
        await until(lambda: rig.position_of(source) == 3)
    assert rig.values("dead") == [b"poison", b"1"]
    assert rig.values() == [b"2"]


@simulated
async def test_more_blocked_keys_than_allowed_stop_the_worker_without_more_dead_letters() -> None:
    rig = Rig()
    for n in range(3):
        rig.append(b"poison", key=b"%d" % n)
    worker = Worker(parks_poison, rig.context(blocked_keys=2, concurrency=1))
    with pytest.raises(TooManyDeadLettersError, match="ZCC_WORKER_BLOCKED_KEYS"):
        await runs_until_it_halts(worker)
    assert len(rig.values("dead")) == 2
    assert rig.position_of(source) == 2


@simulated
async def test_poison_below_its_share_stops_nothing_however_long_it_comes() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "broken")
        return copied(delivery)

    bounds = {"guard_records": 20, "guard_rejected_share": 0.5}
    async with running(Worker(handler, rig.context(concurrency=1, **bounds))):
        for _ in range(200):
            rig.append(b"poison", b"good", b"good")
        await until(lambda: rig.position_of(source) == 600)
    assert len(rig.values("dead")) == 200
    assert len(rig.values()) == 400


@simulated
async def test_poison_above_its_share_pauses_its_partition_and_the_others_go_on() -> None:
    rig = Rig(partitions=2)

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "broken")
        return copied(delivery)

    for _ in range(100):
        rig.append(b"good")
    for _ in range(100):
        rig.append(b"poison")
    context = rig.context(
        concurrency=1, guard_records=20, guard_rejected_share=0.5, in_flight_records=30
    )
    worker = Worker(handler, context)
    async with running(worker):
        await until(lambda: rig.position_of(source) == 110)
        await until(lambda: sample("zcc_worker_paused_partitions") == 1)
        rig.append(*[b"good"] * 100, to=other)
        await until(lambda: rig.position_of(other) == 100)
        assert rig.member.paused == {source}
        assert worker.readiness_problem() is None
        assert "paused in/0: test would write too many dead letters" in (worker.remarks() or "")
        assert "ZCC_WORKER_GUARD_REJECTED_SHARE" in (worker.remarks() or "")
        await until(lambda: sample("zcc_worker_oldest_unfinished_seconds") >= 20, every_s=0.5)
    assert sample("zcc_worker_paused_partitions") == 0
    assert len(rig.values("dead")) == 10
    assert rig.position_of(source) == 110


@simulated
async def test_a_restart_adds_no_dead_letters_and_goes_on_once_its_records_no_longer_fail() -> None:
    rig, mended = Rig(), False

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"poison" and not mended:
            raise RejectedError(DeadLetterReason.UNREADABLE, "broken")
        return copied(delivery)

    for n in range(100):
        rig.append(b"poison", key=b"%d" % n)
    bounds = {"guard_records": 20, "guard_rejected_share": 0.5}
    for _ in range(3):
        worker = Worker(handler, rig.context(**bounds))
        async with running(worker):
            await until(lambda worker=worker: "paused" in (worker.readiness_problem() or ""))
        assert len(rig.values("dead")) == 10
    mended = True
    worker = Worker(handler, rig.context(**bounds))
    async with running(worker):
        await until(lambda: rig.position_of(source) == 100)
        assert worker.remarks() is None
    assert len(rig.values("dead")) == 10
    assert len(rig.values()) == 90


@simulated
async def test_dead_letters_that_cannot_be_read_are_reported_and_the_guard_begins_empty() -> None:
    rig = Rig()
    rig.failures["dead_letter_history"] = [
        TransientError("no answer"),
        ConfigurationError("no right"),
    ]
    rig.append(b"poison", b"1", key=None)
    with capture_logs() as logs:
        async with running(Worker(parks_poison, rig.context())):
            await until(lambda: rig.position_of(source) == 2)
    assert rig.values("dead") == [b"poison"]
    (warning,) = [entry for entry in logs if entry["event"] == "earlier dead letters not read"]
    assert warning["error"] == "no right"


@simulated
async def test_dead_letters_come_no_faster_than_their_rate() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise RejectedError(DeadLetterReason.UNREADABLE, "broken")

    context = rig.context(guard_rejected_share=1.0, guard_per_minute=5)
    worker = Worker(handler, context)
    async with running(worker):
        for _ in range(20):
            rig.append(b"poison")
            await asyncio.sleep(13)
        assert len(rig.values("dead")) == 20
        for _ in range(20):
            rig.append(b"poison")
        await until(lambda: "ZCC_WORKER_GUARD_PER_MINUTE" in (worker.readiness_problem() or ""))
    assert len(rig.values("dead")) < 25 + 1


@simulated
async def test_the_share_in_a_large_batch_of_a_sink_is_that_of_neighbouring_records() -> None:
    rig = Rig()
    for _ in range(100):
        rig.append(b"poison", b"good", b"good", b"good")
    context = rig.context(batch_records=400, guard_records=20, guard_rejected_share=0.5)
    sink = RecordingSink()
    sink.poison = {b"poison"}
    async with running(SinkWorker(sink, context)):
        await until(lambda: rig.position_of(source) == 400)
    assert len(rig.values("dead")) == 100


@simulated
async def test_batches_without_poison_count_for_the_share_too() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.poison = {b"poison"}
    context = rig.context(guard_records=20, guard_rejected_share=0.2)
    async with running(SinkWorker(sink, context)):
        for n in range(1, 11):
            rig.append(b"poison")
            await until(lambda end=n * 31 - 30: rig.position_of(source) == end)
            rig.append(*[b"good"] * 30)
            await until(lambda end=n * 31: rig.position_of(source) == end)
    assert len(rig.values("dead")) == 10


@simulated
async def test_an_outage_of_an_hour_makes_no_dead_letter_and_loses_nothing() -> None:
    rig = Rig()
    down = True

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if down:
            raise TransientError("down")
        return copied(delivery)

    for n in range(50):
        rig.append(b"%d" % n, key=b"%d" % (n % 7))
    async with running(Worker(handler, rig.context(defect_attempts=1))):
        await asyncio.sleep(3600)
        assert rig.values("dead") == rig.values() == []
        down = False
        await until(lambda: rig.position_of(source) == 50)
    assert rig.values("dead") == []
    assert len(rig.values()) == 50


@pytest.mark.parametrize(
    ("error", "waits"), [(TransientError("down"), True), (ZeroDivisionError(), False)]
)
@simulated
async def test_a_record_waits_for_an_outage_from_the_first_failure_to_its_end(
    error: Exception, *, waits: bool
) -> None:
    rig, errors = Rig(), [error]

    async def handler(delivery: Delivery) -> Sequence[Record]:
        assert list(settler.waiting) == ([delivery] if waits and not errors else [])
        if errors:
            raise errors.pop()
        return copied(delivery)

    settler = RecordProcessor(handler, rig.context(), Liveness(rig.clock), RetryTopics())
    outcomes: list[Publication] = []
    publication = await settler.process(Delivery("in", 0, 0, b"k", b"1", (), 0), outcomes.append)
    assert list(settler.waiting) == []
    assert publication is not None
    publication.error = error
    await settler.publish_again(publication)
    assert rig.values() == [b"1"]
    assert list(settler.waiting) == []


@simulated
async def test_a_key_that_waits_for_an_outage_leaves_room_for_the_other_partitions() -> None:
    rig = Rig(partitions=2)
    down = True

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if down and delivery.key == b"down":
            raise TransientError("down")
        return copied(delivery)

    for n in range(100):
        rig.append(b"%d" % n, key=b"down")
    async with running(Worker(handler, rig.context(in_flight_records=20))):
        await until(lambda: rig.member.paused == {source} if rig.entered else False)
        for n in range(100):
            rig.append(b"%d" % n, key=b"%d" % n, to=other)
        await until(lambda: rig.position_of(other) == 100)
        assert rig.member.paused == {source}
        down = False
        await until(lambda: rig.position_of(source) == 100)
        assert rig.member.paused == set()


@simulated
async def test_few_records_that_wait_for_an_outage_hold_up_their_keys_only() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.key == b"down":
            raise TransientError("down")
        return copied(delivery)

    rig.append(b"x", key=b"down")
    for n in range(100):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(handler, rig.context(in_flight_records=20))):
        await until(lambda: len(rig.values()) == 100)
        assert rig.member.paused == set()


@simulated
async def test_an_answer_that_is_none_is_a_defect_of_the_handler_and_stops_nothing() -> None:
    async def forgets(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"poison":
            return None  # type: ignore[return-value]  # as a handler without types might
        return copied(delivery)

    rig = Rig()
    rig.append(b"1", b"poison", b"2")
    async with running(Worker(forgets, rig.context())):
        await until(lambda: rig.position_of(source) == 3)
    assert sorted(rig.values()) == [b"1", b"2"]
    (letter,) = rig.produced("dead")
    assert letter.value == b"poison"
    assert failure_of(letter)[0] == "defect"
