"""The spill of a process in a folder: what is produced when the broker is back, in which order."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.errors import TransientError
from runtime.values import Record
from tests.support.spill import (
    Broker,
    HurriedClock,
    Outcomes,
    contents,
    figure,
    put_segment,
    record,
    running,
    running_with_failing_store,
    segments,
    too_large,
    until,
)


async def test_the_broker_gets_everything_in_order_when_it_is_back_and_the_files_go(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        outcomes = Outcomes(spill)
        for number in range(40):  # more segments than are read at once
            outcomes.store(record(str(number)), record(str(number), key=None))
            await outcomes.all_settled(2 * (number + 1))
        assert len(segments(tmp_path)) == 40
        await until(lambda: figure("zcc_spill_waiting_events") == 80)
        assert figure("zcc_spill_waiting_segments") == 40
        assert figure("zcc_spill_oldest_seconds") > 0
        assert figure("zcc_spill_waiting_bytes") == sum(
            path.stat().st_size for path in segments(tmp_path)
        )
        broker.ready = True
        await until(lambda: not segments(tmp_path))
        keyed = [produced for produced in broker.records if produced.key is not None]
        assert keyed == [record(str(number)) for number in range(40)]
        assert len(broker.records) == 80
        await until(lambda: figure("zcc_spill_waiting_segments") == 0)
        assert figure("zcc_spill_waiting_events") == figure("zcc_spill_waiting_bytes") == 0
        assert figure("zcc_spill_oldest_seconds") == 0


async def test_a_broker_that_fails_in_between_gets_the_rest_later_and_nothing_twice(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(
            *(record(f"{key}{n}", key=key.encode()) for n in range(5) for key in ("a", "b", "c"))
        )
        await outcomes.all_settled(15)
        failures = [TransientError("not acknowledged")] * 3
        broker.fails = lambda produced: (
            failures.pop() if produced.value == b"b2" and failures else None
        )
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == sorted(
        (f"{key}{n}".encode() for key in "abc" for n in range(5)), key=repr
    )
    for key in (b"a", b"b", b"c"):
        values = [value for value in broker.values if value and value.startswith(key)]
        assert values == [key + str(n).encode() for n in range(5)]


class BatchingBroker(Broker):
    """Sends what it has at the same time as one batch; no batch with poison in it is taken."""

    def __init__(self) -> None:
        super().__init__(ready=False)
        self._under_way: set[bytes | None] = set()

    async def publish(self, record: Record) -> None:
        self._under_way.add(record.value)
        await asyncio.sleep(0.01)
        is_alone, is_poisoned = len(self._under_way) == 1, b"poison" in self._under_way
        await asyncio.sleep(0.01)
        self._under_way.discard(record.value)
        if is_poisoned:
            raise too_large() if is_alone else TransientError("the batch has failed")
        self.records.append(record)


async def test_what_fails_together_is_published_one_by_one_the_next_time(tmp_path: Path) -> None:
    broker = BatchingBroker()
    async with running(tmp_path, broker) as spill:
        outcomes = Outcomes(spill)
        values = ("a", "b", "poison", "c", "d")
        outcomes.store(*(record(value, key=value.encode()) for value in values))
        await outcomes.all_settled(5)
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == [b"a", b"b", b"c", b"d"]


async def test_own_records_that_are_held_up_are_not_repeated_while_others_go(
    tmp_path: Path,
) -> None:
    clock, broker = HurriedClock(), Broker()
    mended = False
    broker.fails = lambda produced: (
        TransientError("no such topic") if produced.value == b"stuck" and not mended else None
    )
    await put_segment(tmp_path, [record("own", key=b"o"), record("stuck")], at=clock.now())
    at = clock.now() - timedelta(hours=1)
    await put_segment(tmp_path, [record("left")], instance="gone", at=at)
    async with running(tmp_path, broker, clock=clock):
        await until(lambda: len(segments(tmp_path)) == 1)
        mended = True
        await until(lambda: not segments(tmp_path))
    assert sorted(broker.values, key=repr) == [b"left", b"own", b"stuck"]


@pytest.mark.long
async def test_a_publish_that_the_broker_does_not_answer_is_retried(tmp_path: Path) -> None:
    never, reached = asyncio.Event(), asyncio.Event()

    class Hanging(Broker):
        async def publish(self, record: Record) -> None:
            if not reached.is_set():
                reached.set()
                await never.wait()
            await super().publish(record)

    broker = Hanging()
    await put_segment(tmp_path, [record("1")], at=HurriedClock().now())
    async with running(tmp_path, broker):
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1"]


async def test_what_was_produced_but_could_not_be_deleted_is_not_produced_again(
    tmp_path: Path,
) -> None:
    broker = Broker(ready=False)
    async with running_with_failing_store(tmp_path, broker) as (spill, store):
        outcomes = Outcomes(spill)
        outcomes.store(record("1"), record("2"))
        await outcomes.all_settled(2)
        store.error = TransientError("no answer")
        broker.ready = True
        await until(lambda: len(broker.records) == 2)
        listings = store.listings
        await until(lambda: store.listings > listings)
        store.error = None
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1", b"2"]


async def test_a_defect_while_draining_ends_nothing(tmp_path: Path) -> None:
    broker = Broker(ready=False)
    async with running(tmp_path, broker) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(record("1"))
        await outcomes.all_settled(1)
        failures: list[Exception] = [RuntimeError("a defect")]
        broker.fails = lambda _: failures.pop() if failures else None
        broker.ready = True
        await until(lambda: not segments(tmp_path))
    assert broker.values == [b"1"]


async def test_a_process_that_begins_anew_produces_what_it_had_kept_before(tmp_path: Path) -> None:
    async with running(tmp_path, Broker(ready=False)) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(record("before"))
        await outcomes.all_settled(1)
    broker = Broker()
    async with running(tmp_path, broker):
        await until(lambda: broker.records)
    assert broker.records == [record("before")]


async def test_what_another_process_has_left_is_produced_after_a_quarter_of_an_hour(
    tmp_path: Path,
) -> None:
    clock, broker = HurriedClock(), Broker()
    now = clock.now()
    await put_segment(tmp_path, [record("old")], instance="gone", at=now - timedelta(minutes=16))
    young = await put_segment(tmp_path, [record("young")], instance="lives", at=now)
    async with running(tmp_path, broker, clock=clock):
        await until(lambda: broker.values == [b"old"])
        await until(lambda: [path.name for path in segments(tmp_path)] == [young])
        clock.later = timedelta(minutes=16)
        await until(lambda: broker.values == [b"old", b"young"])
        await until(lambda: not segments(tmp_path))


async def test_what_others_have_left_waits_for_the_broker_and_shows_its_age(tmp_path: Path) -> None:
    at = HurriedClock().now() - timedelta(hours=1)
    path = tmp_path / "waiting" / await put_segment(tmp_path, [record("1")], instance="gone", at=at)
    broker = Broker(ready=False)
    async with running(tmp_path, broker):
        await until(lambda: figure("zcc_spill_oldest_seconds") >= 3600)
        assert figure("zcc_spill_waiting_events") == 0  # its own
        path.unlink()  # whose it is lives, and has produced it
        broker.ready = True
        await until(lambda: figure("zcc_spill_oldest_seconds") == 0)
    assert broker.records == []


async def test_what_the_broker_never_takes_is_moved_to_refused_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_quarantined_total")
    broker = Broker(ready=False)
    broker.fails = lambda produced: too_large() if produced.value == b"too large" else None
    async with running(tmp_path, broker) as spill:
        outcomes = Outcomes(spill)
        outcomes.store(record("1"), record("too large"), record("2"))
        await outcomes.all_settled(3)
        broker.ready = True
        await until(lambda: not segments(tmp_path))
        assert broker.values == [b"1", b"2"]
        (aside,) = segments(tmp_path, "refused")
        assert contents(aside) == [record("too large")]
    assert figure("zcc_spill_quarantined_total") == before + 1


async def test_what_is_torn_or_foreign_is_reported_once_stays_and_holds_nothing_up(
    tmp_path: Path,
) -> None:
    before = figure("zcc_spill_quarantined_total")
    at = HurriedClock().now()
    torn = await put_segment(tmp_path, [record("torn")], at=at)
    path = tmp_path / "waiting" / torn
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "waiting" / "notes.txt").write_text("of somebody")
    await put_segment(tmp_path, [record("whole")], at=at + timedelta(seconds=1))
    broker = Broker()
    async with running_with_failing_store(tmp_path, broker) as (spill, store):
        await until(lambda: broker.values == [b"whole"])
        await until(lambda: store.listings > 1)
        outcomes = Outcomes(spill)
        outcomes.store(record("more"))
        await until(lambda: broker.values == [b"whole", b"more"])
        await until(lambda: {p.name for p in segments(tmp_path)} == {torn, "notes.txt"})
    assert figure("zcc_spill_quarantined_total") == before + 2
