"""SinkWorker over a broker and a store in memory: nothing lost, nothing skipped."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from runtime.errors import ConfigurationError, FencedError, RejectedError, TransientError
from runtime.ports import Position
from runtime.retries.loop import RetriesExhaustedError
from runtime.sinks.worker import SinkWorker
from runtime.values import Batch, Rejection, Span
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from sinks.object_storage.rotation import Rotation
from tests.support.fakes.sinks import RecordingSink, Rows
from tests.support.workers import (
    Rig,
    offsets_of,
    other,
    running,
    runs_until_it_halts,
    sample,
    simulated,
    source,
    until,
)


@simulated
async def test_batches_hold_all_partitions_and_are_committed_after_they_are_stored() -> None:
    rig, sink = Rig(partitions=2), RecordingSink()
    rig.append_numbers(5)
    rig.append_numbers(3, to=other)
    work = SinkWorker(sink, rig.context(batch_records=4))
    assert work.readiness_problem() == "waits for partitions"
    async with running(work):
        await until(lambda: rig.committed == {source: Position(5), other: Position(3)})
        await until(lambda: work.readiness_problem() is None)
        assert work.liveness_problem() is None
    assert len(sink.stored) == 8
    assert all(len(batch.deliveries) <= 4 for batch in sink.batches)
    for partition in (source, other):
        spans = [batch.spans[partition] for batch in sink.batches if partition in batch.spans]
        assert spans[0].start == 0
        assert all(a.end == b.start for a, b in pairwise(spans))
    assert sink.closed


@simulated
async def test_reading_starts_where_the_sink_says() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.append_numbers(10)
    rig.committed[source] = Position(2)
    sink.starts[source] = 7
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed[source] == Position(10))
    assert sink.offsets == [7, 8, 9]
    assert sink.assignments[0].partitions[source].committed == 2


@simulated
async def test_a_store_that_does_not_answer_gets_the_same_batch_again_and_nothing_else() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [TransientError("down"), TransientError("down")]
    rig.append_numbers(5)
    async with running(SinkWorker(sink, rig.context(batch_records=3))):
        await until(lambda: len(sink.attempts) == 1)
        await until(lambda: rig.member.paused == {source})
        await until(lambda: rig.committed.get(source) == Position(5))
        assert rig.member.paused == set()
    assert sink.attempts[0] == sink.attempts[1] == sink.attempts[2] == sink.batches[0]
    assert rig.produced("dead") == []
    assert sink.offsets == [0, 1, 2, 3, 4]


@simulated
async def test_an_outage_of_the_store_keeps_the_membership_by_polling() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [TransientError("down", retry_after_s=40)]
    rig.append_numbers(3)
    work = SinkWorker(sink, rig.context())
    async with running(work):
        await until(lambda: "write has failed" in (work.readiness_problem() or ""))
        assert "(transient): down" in (work.readiness_problem() or "")
        generation, polls = rig.group.generation, rig.member.polls
        await until(lambda: rig.member.polls > polls + 100)
        assert len(sink.attempts) == 1
        await until(lambda: rig.committed.get(source) == Position(3))
        await until(lambda: work.readiness_problem() is None)
        assert rig.group.generation == generation
    assert len(sink.assignments) == 1


@simulated
async def test_after_an_outage_of_a_minute_the_batch_is_written_within_5_s() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [TransientError("down")] * 1000
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: len(sink.attempts) == 1)
        await rig.clock.sleep(60)
        sink.failures["write"].clear()
        back_s = rig.clock.monotonic_s()
        await until(lambda: rig.committed.get(source) == Position(3))
        assert rig.clock.monotonic_s() - back_s <= 5
    assert rig.produced("dead") == []


@simulated
async def test_a_store_that_is_down_at_the_takeover_is_called_again() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["assigned"] = [TransientError("down")]
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert len(sink.assignments) == 1


@simulated
async def test_a_rebalance_during_an_outage_gives_up_the_batch_and_reads_it_again() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [TransientError("down", retry_after_s=5)]
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: len(sink.attempts) == 1)
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(3))
    assert len(sink.assignments) == 2
    assert sink.offsets == [0, 1, 2]


@simulated
async def test_rejected_records_become_dead_letters_and_the_rest_keeps_its_spans() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.poison = {b"1", b"4"}
    rig.append_numbers(5)
    rig.failures["publish"] = [TransientError("no answer")]
    async with running(SinkWorker(sink, rig.context(batch_records=5))):
        await until(lambda: rig.committed.get(source) == Position(5))
    (batch,) = sink.batches
    assert offsets_of(batch) == [0, 2, 3]
    assert batch.spans == {source: Span(0, 5)}
    assert [record.value for record in rig.produced("dead")] == [b"1", b"4"]
    assert text(rig.produced("dead")[0].headers, "zcc-reason") == "store_refused"
    assert text(rig.produced("dead")[1].headers, "zcc-origin") == "in/0/4"


@simulated
async def test_a_batch_of_nothing_but_poison_still_settles_its_span() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.poison = {b"0"}
    rig.append_numbers(1)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(1))
    assert sink.batches == [Batch((), {source: Span(0, 1)})]


@simulated
async def test_a_rejection_of_what_is_not_in_the_batch_halts() -> None:
    rig, sink = Rig(), RecordingSink()

    async def strange(batch: Batch, prepared: Rows) -> Sequence[Rejection]:
        return [Rejection(source, 99, DeadLetterReason.STORE_REFUSED, "")]

    sink.write = strange
    rig.append_numbers(1)
    with pytest.raises(RuntimeError, match="not in its batch"):
        await runs_until_it_halts(SinkWorker(sink, rig.context()))
    assert rig.committed == {}


@simulated
async def test_a_store_that_refuses_most_rows_pauses_the_partition_before_it_is_drained() -> None:
    rig, sink = Rig(partitions=2), RecordingSink()
    rig.append_numbers(1000)
    sink.poison = {b"%d" % n for n in range(1000)}
    work = SinkWorker(sink, rig.context(batch_records=100))
    async with running(work):
        await until(lambda: sample("zcc_worker_paused_partitions") == 1, every_s=0.1)
        rig.append(*[b"good"] * 5, to=other)
        await until(lambda: rig.position_of(other) == 5)
        assert rig.member.paused == {source}
        assert work.readiness_problem() is None
        assert "paused in/0: test would write too many dead letters" in (work.remarks() or "")
        await until(lambda: sample("zcc_worker_oldest_unfinished_seconds") >= 20, every_s=0.5)
    assert len(rig.produced("dead")) == 500
    assert rig.position_of(source) == 500


@pytest.mark.parametrize("stage", ["assigned", "write"])
@simulated
async def test_a_fenced_sink_is_counted_and_rejoins(stage: str) -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures[stage] = [FencedError("another owner")]
    rig.append_numbers(3)
    before = sample("zcc_worker_fenced_total")
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert sample("zcc_worker_fenced_total") == before + 1
    assert sink.offsets == [0, 1, 2]


@simulated
async def test_a_commit_of_an_older_generation_makes_it_rejoin() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.failures["commit"] = [FencedError("moved on")]
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert sink.offsets == [0, 1, 2] * 2


@simulated
async def test_a_commit_without_answer_is_tried_again() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.failures["commit"] = [TransientError("no answer")]
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert len(sink.batches) == 1


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("a bug"), RejectedError(DeadLetterReason.DEFECT, "not from a sink")]
)
@simulated
async def test_a_defect_halts_after_its_attempts_and_skips_nothing(error: Exception) -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [error] * 2
    rig.append_numbers(3)
    work = SinkWorker(sink, rig.context(defect_attempts=2))
    with pytest.raises(RetriesExhaustedError) as caught:
        await runs_until_it_halts(work)
    assert caught.value.__cause__ is error
    assert (work.readiness_problem() or "").startswith("halted, looks again: defect after ")
    assert sink.closed
    assert rig.committed == {}
    assert rig.produced("dead") == []


@pytest.mark.parametrize("stage", ["assigned", "write"])
@simulated
async def test_a_store_that_is_not_set_up_halts_at_once(stage: str) -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures[stage] = [ConfigurationError("run zcc migrate")]
    rig.append_numbers(3)
    with pytest.raises(ConfigurationError, match="zcc migrate"):
        await runs_until_it_halts(SinkWorker(sink, rig.context()))
    assert len(sink.attempts) == (stage == "write")


@simulated
async def test_draining_stores_what_was_collected() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.append_numbers(3)
    work = SinkWorker(sink, rig.context(batch_age_s=60))
    async with running(work):
        await until(lambda: bool(rig.entered) and rig.member.reading_at.get(source) == 3)
    assert rig.committed == {source: Position(3)}
    assert rig.group.members == []
    assert sink.closed


@simulated
async def test_draining_gives_up_a_store_that_is_down_and_commits_nothing() -> None:
    rig, sink = Rig(), RecordingSink()
    sink.failures["write"] = [TransientError("down", retry_after_s=60)] * 9
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())) as stopping:
        await until(lambda: len(sink.attempts) == 1)
        rig.append(b"later")
        stopping.set()
    assert len(sink.attempts) == 1
    assert rig.committed == {}


@simulated
async def test_draining_is_bounded() -> None:
    rig, sink = Rig(), RecordingSink()

    async def hangs(batch: Batch, prepared: Rows) -> Sequence[Rejection]:
        await asyncio.Event().wait()
        return ()

    sink.write = hangs
    rig.append_numbers(3)
    context = rig.context(batch_age_s=60, drain_timeout_s=0.05)
    async with running(SinkWorker(sink, context)):
        await until(lambda: bool(rig.entered) and rig.member.reading_at.get(source) == 3)
    assert rig.committed == {}


@simulated
async def test_a_log_that_goes_back_halts_the_sink() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.append_numbers(3)
    life = asyncio.ensure_future(runs_until_it_halts(SinkWorker(sink, rig.context())))
    await until(lambda: rig.committed.get(source) == Position(3))
    rig.member.seek(source, 1)
    with pytest.raises(ConfigurationError, match="went back"):
        await life


@simulated
async def test_retention_that_was_faster_leaves_a_gap_in_the_first_span() -> None:
    rig, sink = Rig(), RecordingSink()
    rig.broker.leave_gap(source, 25)
    rig.broker.delete_before(source, 25)
    rig.append(b"x")
    rig.committed[source] = Position(10)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: rig.committed[source] == Position(26))
    assert offsets_of(sink.batches[0]) == [25]
    assert sink.batches[0].spans == {source: Span(10, 26)}


@simulated
async def test_only_what_the_sink_wants_to_store_is_written_and_committed() -> None:
    rig = Rig(partitions=2)
    sink = RecordingSink(planned=True, limits=Rotation(100, 10_000, age_s=60.0))
    rig.append_numbers(3)
    async with running(SinkWorker(sink, rig.context())):
        await until(lambda: bool(rig.entered) and rig.member.reading_at.get(source) == 3)
        await rig.clock.sleep(50)
        rig.append_numbers(2, to=other)
        await until(lambda: bool(sink.batches), every_s=0.1)
        assert [batch.spans for batch in sink.batches] == [{source: Span(0, 3)}]
        await until(lambda: rig.committed == {source: Position(3)})
        await until(lambda: len(sink.batches) == 2, every_s=0.1)
        rig.append_numbers(1)
        await until(lambda: rig.member.reading_at.get(source) == 4)
    assert [batch.spans for batch in sink.batches[1:]] == [
        {other: Span(0, 2)},
        {source: Span(3, 4)},
    ]
    assert rig.committed == {source: Position(4), other: Position(2)}
