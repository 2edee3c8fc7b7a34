"""SinkWorker over a broker and a store in memory: nothing lost, nothing skipped, plans kept."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Self

import pytest

from runtime import telemetry
from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.insistence import GivenUpError
from runtime.ports import Position
from runtime.sink_worker import SinkWorker
from runtime.values import Assignment, Batch, Delivery, Rejection, Span, TopicPartition
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from tests.component.worker_rig import (
    MemoryBroker,
    SteppedClock,
    other,
    running,
    source,
    surroundings,
    until,
)


class MemorySink:
    """Keeps batches; ``failures`` are raised by the next calls, poison is rejected."""

    def __init__(self, *, planned: bool = False) -> None:
        self.planned = planned
        self.batches: list[Batch] = []
        self.attempts: list[Batch] = []
        self.assignments: list[Assignment] = []
        self.failures: dict[str, list[Exception]] = {"assigned": [], "write": []}
        self.starts: dict[TopicPartition, int] = {}
        self.poison: set[bytes] = set()
        self.closed = False
        self.before_write: Callable[[], object] = lambda: None
        self.after_store: Callable[[], object] = lambda: None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True

    def _fail(self, step: str) -> None:
        if self.failures[step]:
            raise self.failures[step].pop(0)

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, int]:
        self._fail("assigned")
        self.assignments.append(assignment)
        return {
            partition: self.starts.get(
                partition, state.log_start if state.committed is None else state.committed
            )
            for partition, state in assignment.partitions.items()
        }

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        self.before_write()
        self.attempts.append(batch)
        await asyncio.sleep(0)
        self._fail("write")
        rejections = [
            Rejection(d.source, d.offset, DeadLetterReason.STORE_REFUSED, "bad row")
            for d in batch.deliveries
            if d.value in self.poison
        ]
        if not rejections:
            self.batches.append(batch)
            self.after_store()
        return rejections

    @property
    def stored(self) -> list[Delivery]:
        return [delivery for batch in self.batches for delivery in batch.deliveries]


def offsets(batch: Batch, partition: TopicPartition = source) -> list[int]:
    return [d.offset for d in batch.deliveries if d.source == partition]


def fill(broker: MemoryBroker, count: int, to: TopicPartition = source) -> None:
    broker.append(*(b"%d" % n for n in range(count)), to=to)


async def test_batches_hold_all_partitions_and_are_committed_after_they_are_stored() -> None:
    broker, sink = MemoryBroker(source, other), MemorySink()
    fill(broker, 5)
    fill(broker, 3, to=other)
    work = SinkWorker(sink, surroundings(broker, batch_records=4))
    assert work.why_not_ready() == "waits for partitions"
    async with running(work):
        await until(lambda: broker.committed == {source: Position(5), other: Position(3)})
        await until(lambda: work.why_not_ready() is None)
        assert work.why_not_alive() is None
    assert len(sink.stored) == 8
    assert all(len(batch.deliveries) <= 4 for batch in sink.batches)
    for partition in (source, other):
        spans = [batch.spans[partition] for batch in sink.batches if partition in batch.spans]
        assert spans[0].start == 0
        assert all(a.end == b.start for a, b in pairwise(spans))
    assert sink.closed


async def test_reading_starts_where_the_sink_says() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    fill(broker, 10)
    broker.committed[source] = Position(2)
    sink.starts[source] = 7
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed[source] == Position(10))
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [7, 8, 9]
    assert sink.assignments[0].partitions[source].committed == 2


async def test_a_store_that_does_not_answer_gets_the_same_batch_again_and_nothing_else() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["write"] = [TransientError("down"), TransientError("down")]
    fill(broker, 5)
    async with running(SinkWorker(sink, surroundings(broker, batch_records=3))):
        await until(lambda: len(sink.attempts) == 1)
        await until(lambda: broker.members[0].paused == {source})
        await until(lambda: broker.committed.get(source) == Position(5))
        assert broker.members[0].paused == set()
    assert sink.attempts[0] == sink.attempts[1] == sink.attempts[2] == sink.batches[0]
    assert broker.produced == []
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [0, 1, 2, 3, 4]


async def test_an_outage_of_the_store_keeps_the_membership_by_polling() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["write"] = [TransientError("down", retry_after_s=0.4)]
    fill(broker, 3)
    work = SinkWorker(sink, surroundings(broker))
    async with running(work):
        await until(lambda: work.why_not_ready() == "waits for an answer, then tries again")
        generation, polls = broker.generation, broker.members[0].polls
        await until(lambda: broker.members[0].polls > polls + 3)
        assert len(sink.attempts) == 1
        await until(lambda: broker.committed.get(source) == Position(3))
        await until(lambda: work.why_not_ready() is None)
    assert broker.generation == generation
    assert len(sink.assignments) == 1


async def test_a_store_that_is_down_at_the_takeover_is_asked_again() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["assigned"] = [TransientError("down")]
    fill(broker, 3)
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(3))
    assert len(sink.assignments) == 1


async def test_a_rebalance_during_an_outage_gives_up_the_batch_and_reads_it_again() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["write"] = [TransientError("down", retry_after_s=5)]
    fill(broker, 3)
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: len(sink.attempts) == 1)
        broker.rebalance()
        await until(lambda: broker.committed.get(source) == Position(3))
    assert len(sink.assignments) == 2
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [0, 1, 2]


async def test_rejected_records_are_set_aside_and_the_rest_is_stored_with_the_same_spans() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.poison = {b"1", b"4"}
    fill(broker, 5)
    broker.failures["publish"] = [TransientError("no answer")]
    async with running(SinkWorker(sink, surroundings(broker, batch_records=5))):
        await until(lambda: broker.committed.get(source) == Position(5))
    (batch,) = sink.batches
    assert offsets(batch) == [0, 2, 3]
    assert batch.spans == {source: Span(0, 5)}
    assert [record.value for record in broker.produced] == [b"1", b"4"]
    assert text(broker.produced[0].headers, "zcc-reason") == "store_refused"
    assert text(broker.produced[1].headers, "zcc-origin") == "in/0/4"


async def test_a_batch_of_nothing_but_poison_still_settles_its_span() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.poison = {b"0"}
    fill(broker, 1)
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(1))
    assert sink.batches == [Batch((), {source: Span(0, 1)})]


async def test_a_rejection_of_what_is_not_in_the_batch_halts() -> None:
    broker, sink = MemoryBroker(source), MemorySink()

    async def strange(batch: Batch) -> Sequence[Rejection]:
        return [Rejection(source, 99, DeadLetterReason.STORE_REFUSED, "")]

    sink.write = strange
    fill(broker, 1)
    with pytest.raises(RuntimeError, match="not in its batch"):
        await asyncio.wait_for(SinkWorker(sink, surroundings(broker)).run(asyncio.Event()), 10)
    assert broker.committed == {}


async def test_a_store_that_refuses_most_rows_halts_before_the_topic_is_drained() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    fill(broker, 1000)
    sink.poison = {b"%d" % n for n in range(1000)}
    with pytest.raises(ConfigurationError, match="too many"):
        await asyncio.wait_for(
            SinkWorker(sink, surroundings(broker, batch_records=100)).run(asyncio.Event()), 10
        )
    assert len(broker.produced) == 500
    assert broker.committed == {source: Position(500)}


@pytest.mark.parametrize("stage", ["assigned", "write"])
async def test_a_fenced_sink_is_counted_and_enters_anew(stage: str) -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures[stage] = [FencedError("another owner")]
    fill(broker, 3)
    before = telemetry.total(telemetry.exposition(), "zcc_worker_fenced_total")
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(3))
    assert telemetry.total(telemetry.exposition(), "zcc_worker_fenced_total") == before + 1
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [0, 1, 2]


async def test_a_commit_of_an_older_generation_makes_it_enter_anew() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    broker.failures["commit"] = [FencedError("moved on")]
    fill(broker, 3)
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(3))
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [0, 1, 2] * 2


async def test_a_commit_without_answer_is_tried_again() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    broker.failures["commit"] = [TransientError("no answer")]
    fill(broker, 3)
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(3))
    assert len(sink.batches) == 1


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a bug"), RejectedError(DeadLetterReason.DEFECT, "not from a sink")]
)
async def test_a_defect_halts_after_its_attempts_and_skips_nothing(error: Exception) -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["write"] = [error] * 2
    fill(broker, 3)
    work = SinkWorker(sink, surroundings(broker, defect_attempts=2))
    with pytest.raises(GivenUpError) as caught:
        await asyncio.wait_for(work.run(asyncio.Event()), 10)
    assert caught.value.__cause__ is error
    assert work.why_not_ready() == "waits for partitions"
    assert sink.closed
    assert broker.committed == {}
    assert broker.produced == []


@pytest.mark.parametrize("stage", ["assigned", "write"])
async def test_a_store_that_is_not_set_up_halts_at_once(stage: str) -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures[stage] = [ConfigurationError("run zcc migrate")]
    fill(broker, 3)
    with pytest.raises(ConfigurationError, match="zcc migrate"):
        await asyncio.wait_for(SinkWorker(sink, surroundings(broker)).run(asyncio.Event()), 10)
    assert len(sink.attempts) == (stage == "write")


async def test_draining_stores_what_was_collected() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    fill(broker, 3)
    work = SinkWorker(sink, surroundings(broker, batch_age_s=60))
    async with running(work):
        await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 3)
    assert broker.committed == {source: Position(3)}
    assert broker.members == []
    assert sink.closed


async def test_draining_gives_up_a_store_that_is_down_and_commits_nothing() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    sink.failures["write"] = [TransientError("down", retry_after_s=60)] * 9
    fill(broker, 3)
    async with running(SinkWorker(sink, surroundings(broker))) as stopping:
        await until(lambda: len(sink.attempts) == 1)
        broker.append(b"later")
        stopping.set()
    assert len(sink.attempts) == 1
    assert broker.committed == {}


async def test_draining_is_bounded() -> None:
    broker, sink = MemoryBroker(source), MemorySink()

    async def hangs(batch: Batch) -> Sequence[Rejection]:
        await asyncio.Event().wait()
        return ()

    sink.write = hangs
    fill(broker, 3)
    around = surroundings(broker, batch_age_s=60, drain_timeout_s=0.05)
    async with running(SinkWorker(sink, around)):
        await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 3)
    assert broker.committed == {}


async def test_a_plan_is_committed_before_a_planned_sink_writes_and_its_end_after() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    fill(broker, 3)
    seen: list[Position | None] = []
    sink.before_write = lambda: seen.append(broker.committed.get(source))
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed.get(source) == Position(3))
    assert seen == [Position(0, "plan:3")]


@pytest.mark.parametrize("died", ["before_write", "after_store"])
async def test_a_planned_batch_keeps_its_boundaries_across_a_crash(died: str) -> None:
    broker, sink = MemoryBroker(source, other), MemorySink(planned=True)
    fill(broker, 4)
    around = surroundings(broker, batch_records=100)
    life = asyncio.ensure_future(SinkWorker(sink, around).run(asyncio.Event()))
    setattr(sink, died, life.cancel)
    with pytest.raises(asyncio.CancelledError):
        await life
    assert broker.committed[source] == Position(0, "plan:4")
    assert len(sink.batches) == (died == "after_store")

    fill(broker, 5)  # more has come: without the plan, the batch would be longer
    fill(broker, 2, to=other)
    reborn = MemorySink(planned=True)
    async with running(SinkWorker(reborn, around)):
        await until(lambda: broker.committed.get(source) == Position(9))
        await until(lambda: broker.committed.get(other) == Position(2))
    assert reborn.attempts[0].spans == sink.attempts[0].spans == {source: Span(0, 4)}
    assert offsets(reborn.attempts[0]) == [0, 1, 2, 3]
    assert [o for batch in reborn.batches for o in offsets(batch)] == list(range(9))
    assert [o for batch in reborn.batches for o in offsets(batch, other)] == [0, 1]


async def test_several_planned_partitions_are_finished_one_by_one_before_anything_else() -> None:
    broker, sink = MemoryBroker(source, other), MemorySink(planned=True)
    fill(broker, 6)
    fill(broker, 6, to=other)
    broker.committed = {source: Position(1, "plan:3"), other: Position(2, "plan:5")}
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed == {source: Position(6), other: Position(6)})
    assert [batch.spans for batch in sink.batches[:2]] == [
        {source: Span(1, 3)},
        {other: Span(2, 5)},
    ]
    assert [o for batch in sink.batches for o in offsets(batch)] == [1, 2, 3, 4, 5]
    assert [o for batch in sink.batches for o in offsets(batch, other)] == [2, 3, 4, 5]


async def test_offsets_of_a_plan_that_are_gone_do_not_hang_it() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    for offset in (10, 12, 30):
        broker.append(b"%d" % offset, offset=offset)
    broker.committed = {source: Position(10, "plan:20")}
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed[source] == Position(31))
    assert offsets(sink.batches[0]) == [10, 12]
    assert sink.batches[0].spans == {source: Span(10, 20)}
    assert offsets(sink.batches[1]) == [30]


async def test_a_plan_of_which_retention_left_nothing_is_closed_at_once() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    broker.log_starts[source] = 25
    broker.append(b"x", offset=25)
    broker.committed = {source: Position(10, "plan:20")}
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: broker.committed[source] == Position(26))
    assert sink.batches[0] == Batch((), {source: Span(10, 20)})
    assert [offset for batch in sink.batches for offset in offsets(batch)] == [25]


async def test_a_rebalance_while_a_plan_is_being_finished_starts_it_again() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    fill(broker, 2)
    broker.committed = {source: Position(0, "plan:4")}
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: len(sink.assignments) == 1)
        await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 2)
        broker.rebalance()
        await until(lambda: len(sink.assignments) == 2)
        assert sink.attempts == []
        broker.append(b"2", b"3", b"4")
        await until(lambda: broker.committed[source] == Position(5))
    assert offsets(sink.batches[0]) == [0, 1, 2, 3]
    assert offsets(sink.batches[1]) == [4]


async def test_stopping_while_a_plan_is_being_finished_leaves_it_to_the_next_owner() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    fill(broker, 2)
    broker.committed = {source: Position(0, "plan:4")}
    async with running(SinkWorker(sink, surroundings(broker))):
        await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 2)
    assert sink.attempts == []
    assert broker.committed == {source: Position(0, "plan:4")}


async def test_metadata_that_is_no_plan_of_ours_halts() -> None:
    broker, sink = MemoryBroker(source), MemorySink(planned=True)
    broker.committed = {source: Position(5, "plan:soon")}
    with pytest.raises(ConfigurationError, match="expected plan:<end>"):
        await asyncio.wait_for(SinkWorker(sink, surroundings(broker)).run(asyncio.Event()), 10)


async def test_a_plan_whose_rest_does_not_come_makes_it_enter_anew() -> None:
    broker, sink, clock = MemoryBroker(source), MemorySink(planned=True), SteppedClock()
    broker.append(b"0", offset=0)
    broker.append(b"9", offset=9)
    broker.log_starts[source] = 0
    broker.committed = {source: Position(0, "plan:4")}
    hidden = broker.logs[source].pop()
    async with running(SinkWorker(sink, surroundings(broker, clock=clock))):
        await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 1)
        first = broker.members[0]
        broker.log_ends[source] = 10  # what lies between is not readable, and not there yet
        clock.ahead_s += 31
        await until(lambda: bool(broker.members) and broker.members[0] is not first)
        broker.logs[source].append(hidden)
        broker.change()
        await until(lambda: broker.committed[source] == Position(10))
    assert sink.batches[0].spans == {source: Span(0, 4)}
    assert offsets(sink.batches[0]) == [0]


async def test_a_plan_that_ends_beyond_the_log_halts() -> None:
    broker, sink, clock = MemoryBroker(source), MemorySink(planned=True), SteppedClock()
    fill(broker, 2)
    broker.committed = {source: Position(0, "plan:4")}
    work = SinkWorker(sink, surroundings(broker, clock=clock))
    life = asyncio.ensure_future(work.run(asyncio.Event()))
    await until(lambda: bool(broker.members) and broker.members[0].owned.get(source) == 2)
    clock.ahead_s += 31
    with pytest.raises(ConfigurationError, match="the log ends at 2"):
        await asyncio.wait_for(life, 10)
    assert sink.attempts == []


async def test_a_log_that_goes_back_halts_the_sink() -> None:
    broker, sink = MemoryBroker(source), MemorySink()
    fill(broker, 3)
    life = asyncio.ensure_future(SinkWorker(sink, surroundings(broker)).run(asyncio.Event()))
    await until(lambda: broker.committed.get(source) == Position(3))
    broker.members[0].seek(source, 1)
    broker.change()
    with pytest.raises(ConfigurationError, match="went back"):
        await asyncio.wait_for(life, 10)
