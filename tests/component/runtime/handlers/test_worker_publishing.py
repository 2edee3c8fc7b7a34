"""Worker over a broker in memory: results on their way, and what waits for them."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from runtime.contracts import Settled
from runtime.errors import TransientError
from runtime.handlers.worker import Worker
from runtime.offsets.metadata import OffsetMap, to_commit
from runtime.ports import Position
from runtime.values import Delivery, Record
from schemas.headers import text
from tests.support.workers import (
    Rig,
    RigPublisher,
    copied,
    running,
    runs_until_it_halts,
    sample,
    simulated,
    source,
    until,
)


class HoldingPublisher(RigPublisher):
    """Stores records, and acknowledges them when it is told to."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig)
        self.held: list[Settled] = []
        rig.publisher = self

    def send(self, record: Record, settled: Settled) -> None:
        super().send(record, lambda _: self.held.append(settled))

    def answer(self, error: Exception | None = None) -> None:
        """Give all records the same outcome."""
        held, self.held = self.held, []
        for settled in held:
            settled(error)


async def copies(delivery: Delivery) -> Sequence[Record]:
    return copied(delivery)


async def twice(delivery: Delivery) -> Sequence[Record]:
    return [*copied(delivery), Record("out", delivery.key, b"and again")]


@simulated
async def test_what_waits_for_its_acknowledgement_occupies_no_runner() -> None:
    rig = Rig()
    publisher = HoldingPublisher(rig)
    for n in range(20):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(copies, rig.context(concurrency=1))):
        await until(lambda: len(publisher.held) == 20)
        assert source not in rig.committed
        publisher.answer()
        await until(lambda: rig.committed.get(source) == Position(20))


@simulated
async def test_no_more_records_wait_for_acknowledgements_than_may_be_in_flight() -> None:
    rig = Rig()
    publisher = HoldingPublisher(rig)
    for n in range(20):
        rig.append(b"%d" % n, key=b"%d" % n)
    async with running(Worker(copies, rig.context(in_flight_records=4))):
        await until(lambda: bool(rig.entered and rig.member.paused))
        assert len(publisher.held) == 4
        while rig.committed.get(source) != Position(20):
            publisher.answer()
            await asyncio.sleep(0.002)


@simulated
async def test_a_record_is_handled_only_after_the_results_of_the_earlier_one_are_acknowledged() -> (
    None
):
    rig = Rig()
    publisher = HoldingPublisher(rig)
    handled: list[bytes | None] = []

    async def handler(delivery: Delivery) -> Sequence[Record]:
        handled.append(delivery.value)
        return copied(delivery)

    rig.append(b"1", b"2")
    async with running(Worker(handler, rig.context())):
        await until(lambda: len(publisher.held) == 1)
        publisher.answer(TransientError("no answer"))
        await until(lambda: len(publisher.held) == 1)
        await asyncio.sleep(1)
        assert handled == [b"1"]
        publisher.answer()
        await until(lambda: len(publisher.held) == 1)
        assert handled == [b"1", b"2"]
        publisher.answer()
    assert rig.values() == [b"1", b"1", b"2"]


@simulated
async def test_a_result_is_sent_only_after_the_one_before_is_acknowledged() -> None:
    rig = Rig()
    publisher = HoldingPublisher(rig)
    before = sample("zcc_worker_produced_total")
    rig.append(b"1")
    async with running(Worker(twice, rig.context())):
        await until(lambda: len(publisher.held) == 1)
        publisher.answer(TransientError("no answer"))
        await until(lambda: len(publisher.held) == 1)
        assert rig.values() == [b"1", b"1"]
        publisher.answer()
        await until(lambda: len(publisher.held) == 1)
        assert source not in rig.committed
        publisher.answer(TransientError("no answer"))
        await until(lambda: len(publisher.held) == 1)
        publisher.answer()
        await until(lambda: rig.committed.get(source) == Position(1))
    assert rig.values() == [b"1", b"1", b"and again", b"and again"]
    assert sample("zcc_worker_produced_total") == before + 2


@simulated
async def test_nothing_more_is_sent_for_a_partition_that_was_taken_away() -> None:
    rig = Rig()
    publisher = HoldingPublisher(rig)
    rig.append(b"1")
    before = sample("zcc_worker_late_total")
    async with running(Worker(twice, rig.context())):
        await until(lambda: len(publisher.held) == 1)
        (late,) = publisher.held
        publisher.held.clear()
        rig.rebalance()
        await until(lambda: len(publisher.held) == 1)
        late(None)
        assert sample("zcc_worker_late_total") == before + 1
        assert rig.values() == [b"1", b"1"]
        late_failure = publisher.held.pop()
        rig.rebalance()
        await until(lambda: len(publisher.held) == 1)
        late_failure(TransientError("no answer"))
        await asyncio.sleep(1)
        assert rig.values() == [b"1", b"1", b"1"]
        publisher.answer()
        await until(lambda: len(publisher.held) == 1)
        publisher.answer()
        await until(lambda: rig.committed.get(source) == Position(1))


@simulated
async def test_a_handler_that_completes_after_its_partition_was_taken_away_publishes_nothing() -> (
    None
):
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
            return [Record("out", delivery.key, b"late")]
        return copied(delivery)

    rig.append(b"1")
    before = sample("zcc_worker_late_total")
    async with running(Worker(handler, rig.context())):
        await until(lambda: calls == 1)
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(1))
        release.set()
        await until(lambda: sample("zcc_worker_late_total") == before + 1)
    assert rig.values() == [b"1"]


@simulated
async def test_a_drain_waits_for_acknowledgements_within_its_bound() -> None:
    rig = Rig()
    publisher = HoldingPublisher(rig)
    rig.append(b"1", key=b"a")
    rig.append(b"2", key=b"b")
    async with running(Worker(copies, rig.context(drain_timeout_s=5))) as stopping:
        await until(lambda: len(publisher.held) == 2)
        stopping.set()
        await asyncio.sleep(1)
        one, other = publisher.held
        one(None)
    assert rig.broker.clock.monotonic_s() >= 5
    position = rig.committed[source]
    assert position in {Position(1), to_commit(OffsetMap((0,), 2))}
    other(None)  # after the end, where nobody waits for it
    assert rig.committed[source] == position


@simulated
async def test_a_result_that_is_no_record_is_a_defect_and_becomes_a_dead_letter() -> None:
    rig = Rig()

    async def handler(delivery: Delivery) -> Sequence[Record]:
        return [cast("Record", delivery.value)]

    rig.append(b"1")
    async with running(Worker(handler, rig.context(defect_attempts=2))):
        await until(lambda: rig.committed.get(source) == Position(1))
    (dead,) = rig.produced("dead")
    assert text(dead.headers, "zcc-reason") == "defect"
    assert text(dead.headers, "zcc-attempts") == "2"


@simulated
async def test_a_result_that_is_never_acknowledged_blocks_its_key_only() -> None:
    rig = Rig()

    class Fails(RigPublisher):
        def send(self, record: Record, settled: Settled) -> None:
            outcome = TransientError("no answer") if record.key == b"bad" else None
            super().send(record, lambda _: settled(outcome))

    rig.publisher = Fails(rig)
    rig.append(b"0", b"1", key=b"bad")
    for n in range(2, 10):
        rig.append(b"%d" % n, key=b"good")
    async with running(Worker(copies, rig.context(concurrency=2, drain_timeout_s=0.1))):
        await until(lambda: rig.values().count(b"9") == 1)
        await asyncio.sleep(60)
        assert b"1" not in rig.values()
        assert rig.position_of(source) == 0
    assert rig.values("dead") == []


@simulated
async def test_a_sender_that_settles_a_record_twice_ends_the_work() -> None:
    rig = Rig()

    class Twice(RigPublisher):
        def send(self, record: Record, settled: Settled) -> None:
            super().send(record, settled)
            super().send(record, settled)

    rig.publisher = Twice(rig)
    rig.append(b"1")
    with pytest.raises(ValueError, match="is not being handled"):
        await runs_until_it_halts(Worker(copies, rig.context()))
