"""SinkWorker prepares the next batch while one is written: never two writes, never out of order."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from runtime.errors import TransientError
from runtime.ports import Position
from runtime.sinks.worker import SinkWorker
from runtime.values import Assignment, Batch, Rejection, Resume, TopicPartition
from tests.component.worker_rig import Rig, running, simulated, source, until


class GatedSink:
    """Writes while its gate is open."""

    planned = False

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.prepared: list[Batch] = []
        self.begun: list[Batch] = []
        self.stored: list[Batch] = []
        self.assignments = 0
        self.failures: list[Exception] = []
        self.defects: list[Exception] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        assert len(self.begun) == len(self.stored), "a write is under way"
        self.assignments += 1
        return {
            found: Resume(state.committed or 0) for found, state in assignment.partitions.items()
        }

    async def prepare(self, batch: Batch) -> None:
        if self.defects:
            raise self.defects.pop()
        self.prepared.append(batch)

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        assert len(self.begun) == len(self.stored), "one write at a time"
        self.begun.append(batch)
        await self.gate.wait()
        if self.failures:
            self.begun.pop()
            raise self.failures.pop()
        self.stored.append(batch)
        return ()

    @property
    def offsets(self) -> list[int]:
        return [delivery.offset for batch in self.stored for delivery in batch.deliveries]


def filled(count: int) -> Rig:
    rig = Rig()
    rig.append(*(b"%d" % n for n in range(count)))
    return rig


@simulated
async def test_the_next_batch_is_prepared_while_one_is_written_and_no_more() -> None:
    rig, sink = filled(12), GatedSink()
    async with running(SinkWorker(sink, rig.surroundings(batch_records=3))):
        await until(lambda: len(sink.prepared) == 2)
        await rig.clock.sleep(1)
        assert (len(sink.prepared), len(sink.begun)) == (2, 1)
        sink.gate.set()
        await until(lambda: rig.committed.get(source) == Position(12))
    assert sink.offsets == list(range(12))


@simulated
async def test_a_rebalance_waits_for_the_write_and_nothing_is_read_again() -> None:
    rig, sink = filled(6), GatedSink()
    async with running(SinkWorker(sink, rig.surroundings(batch_records=6))):
        await until(lambda: len(sink.begun) == 1)
        rig.rebalance()
        await rig.clock.sleep(1)
        assert sink.assignments == 1
        sink.gate.set()
        await until(lambda: sink.assignments == 2)
        rig.append(b"6")
        await until(lambda: rig.committed.get(source) == Position(7))
    assert sink.offsets == list(range(7))


@simulated
async def test_a_batch_given_up_in_a_rebalance_takes_the_one_behind_it_along() -> None:
    rig, sink = filled(6), GatedSink()
    sink.failures = [TransientError("down", retry_after_s=30)]
    async with running(SinkWorker(sink, rig.surroundings(batch_records=3))):
        await until(lambda: len(sink.prepared) == 2)
        sink.gate.set()
        await until(lambda: not sink.failures)
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(6))
    assert sink.assignments == 2
    assert sink.offsets == list(range(6))


@simulated
async def test_a_stop_stores_what_is_written_and_what_is_collected() -> None:
    rig, sink = filled(5), GatedSink()
    async with running(SinkWorker(sink, rig.surroundings(batch_records=3))) as stopping:
        await until(lambda: len(sink.begun) == 1)
        await until(lambda: rig.member.reading_at[source] == 5)
        stopping.set()
        await rig.clock.sleep(0.5)
        sink.gate.set()
    assert sink.offsets == list(range(5))
    assert rig.committed[source] == Position(5)


@simulated
async def test_a_defect_in_preparing_is_tried_again_as_one_in_writing_is() -> None:
    rig, sink = filled(3), GatedSink()
    sink.gate.set()
    sink.defects = [ValueError("a defect")]
    async with running(SinkWorker(sink, rig.surroundings(batch_records=3))):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert sink.offsets == [0, 1, 2]
