"""SinkWorker with a planned sink: a batch keeps its boundaries across crashes and rebalances."""

import asyncio

import pytest

from runtime.errors import ConfigurationError
from runtime.ports import Position
from runtime.sinks.worker import SinkWorker
from runtime.values import Batch, Span
from tests.support.fakes.sinks import RecordingSink
from tests.support.workers import (
    Rig,
    offsets_of,
    other,
    running,
    runs_until_it_halts,
    simulated,
    source,
    until,
)


@simulated
async def test_a_plan_is_committed_before_a_planned_sink_writes_and_its_end_after() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.append_numbers(3)
    seen: list[Position | None] = []
    sink.before_write = lambda: seen.append(rig.committed.get(source))
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert seen == [Position(0, "plan:3")]


@pytest.mark.parametrize("died", ["before_write", "after_store"])
@simulated
async def test_a_planned_batch_keeps_its_boundaries_across_a_crash(died: str) -> None:
    rig, sink = Rig(partitions=2), RecordingSink(planned=True)
    rig.append_numbers(4)
    context = rig.context(batch_records=100)
    life = asyncio.ensure_future(SinkWorker(sink, context).run(asyncio.Event()))
    setattr(sink, died, life.cancel)
    with pytest.raises(asyncio.CancelledError):
        await life
    assert rig.committed[source] == Position(0, "plan:4")
    assert len(sink.batches) == (died == "after_store")

    rig.append_numbers(5)  # more has come: without the plan, the batch would be longer
    rig.append_numbers(2, to=other)
    reborn = RecordingSink(planned=True)
    async with running(SinkWorker(reborn, context)):
        await until(lambda: rig.committed.get(source) == Position(9))
        await until(lambda: rig.committed.get(other) == Position(2))
    assert reborn.attempts[0].spans == sink.attempts[0].spans == {source: Span(0, 4)}
    assert offsets_of(reborn.attempts[0]) == [0, 1, 2, 3]
    assert [o for batch in reborn.batches for o in offsets_of(batch)] == list(range(9))
    assert [o for batch in reborn.batches for o in offsets_of(batch, other)] == [0, 1]


@simulated
async def test_several_planned_partitions_are_finished_one_by_one_before_anything_else() -> None:
    rig, sink = Rig(partitions=2), RecordingSink(planned=True)
    rig.append_numbers(6)
    rig.append_numbers(6, to=other)
    rig.committed.update({source: Position(1, "plan:3"), other: Position(2, "plan:5")})
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed == {source: Position(6), other: Position(6)})
    assert [batch.spans for batch in sink.batches[:2]] == [
        {source: Span(1, 3)},
        {other: Span(2, 5)},
    ]
    assert [o for batch in sink.batches for o in offsets_of(batch)] == [1, 2, 3, 4, 5]
    assert [o for batch in sink.batches for o in offsets_of(batch, other)] == [2, 3, 4, 5]


@simulated
async def test_offsets_of_a_plan_that_are_gone_do_not_hang_it() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    for gap in (10, 1, 17):
        rig.broker.leave_gap(source, gap)
        rig.append(b"x")
    rig.committed.update({source: Position(10, "plan:20")})
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed[source] == Position(31))
    assert offsets_of(sink.batches[0]) == [10, 12]
    assert sink.batches[0].spans == {source: Span(10, 20)}
    assert offsets_of(sink.batches[1]) == [30]


@simulated
async def test_a_plan_of_which_retention_left_nothing_is_closed_at_once() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.broker.leave_gap(source, 25)
    rig.broker.delete_before(source, 25)
    rig.append(b"x")
    rig.committed.update({source: Position(10, "plan:20")})
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed[source] == Position(26))
    assert sink.batches[0] == Batch((), {source: Span(10, 20)})
    assert sink.offsets == [25]


@simulated
async def test_a_rebalance_while_a_plan_is_being_finished_starts_it_again() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.append_numbers(2)
    rig.committed.update({source: Position(0, "plan:4")})
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: len(sink.assignments) == 1)
        await until(lambda: bool(rig.entered) and rig.member.reading_at.get(source) == 2)
        rig.rebalance()
        await until(lambda: len(sink.assignments) == 2)
        assert sink.attempts == []
        rig.append(b"2", b"3", b"4")
        await until(lambda: rig.committed[source] == Position(5))
    assert offsets_of(sink.batches[0]) == [0, 1, 2, 3]
    assert offsets_of(sink.batches[1]) == [4]


@simulated
async def test_stopping_while_a_plan_is_being_finished_leaves_it_to_the_next_owner() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.append_numbers(2)
    rig.committed.update({source: Position(0, "plan:4")})
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: bool(rig.entered) and rig.member.reading_at.get(source) == 2)
    assert sink.attempts == []
    assert rig.committed == {source: Position(0, "plan:4")}


@simulated
async def test_metadata_that_is_no_plan_of_ours_halts() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.committed.update({source: Position(5, "plan:soon")})
    with pytest.raises(ConfigurationError, match="expected plan:<end>"):
        await runs_until_it_halts(SinkWorker(sink, rig.context()))


@simulated
async def test_a_plan_whose_rest_does_not_come_makes_it_rejoin() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.append(b"0")
    rig.broker.leave_gap(source, 9)
    rig.committed[source] = Position(0, "plan:4")
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: len(rig.entered) == 2)
        assert sink.attempts == []
        rig.append(b"10")
        await until(lambda: rig.committed[source] == Position(11))
    assert offsets_of(sink.batches[0]) == [0]
    assert sink.batches[0].spans == {source: Span(0, 4)}


@simulated
async def test_a_plan_that_ends_beyond_the_log_halts() -> None:
    rig, sink = Rig(), RecordingSink(planned=True)
    rig.append_numbers(2)
    rig.committed[source] = Position(0, "plan:4")
    with pytest.raises(ConfigurationError, match="the log ends at 2"):
        await runs_until_it_halts(SinkWorker(sink, rig.context()))
    assert sink.attempts == []
