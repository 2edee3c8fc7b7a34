"""SinkWorker prepares the next batch while one is written: never two writes, never out of order."""

from runtime.errors import TransientError
from runtime.ports import Position
from runtime.sinks.worker import SinkWorker
from tests.support.fakes.sinks import RecordingSink
from tests.support.workers import Rig, running, simulated, source, until


def gated() -> RecordingSink:
    """A sink whose writes wait until its gate is opened."""
    sink = RecordingSink()
    sink.gate.clear()
    return sink


def filled(count: int) -> Rig:
    rig = Rig()
    rig.append_numbers(count)
    return rig


@simulated
async def test_the_next_batch_is_prepared_while_one_is_written_and_no_more() -> None:
    rig, sink = filled(12), gated()
    async with running(SinkWorker(sink, rig.context(batch_records=3))):
        await until(lambda: len(sink.prepared) == 2)
        await rig.clock.sleep(1)
        assert (len(sink.prepared), len(sink.attempts)) == (2, 1)
        sink.gate.set()
        await until(lambda: rig.committed.get(source) == Position(12))
    assert sink.offsets == list(range(12))


@simulated
async def test_a_rebalance_waits_for_the_write_and_nothing_is_read_again() -> None:
    rig, sink = filled(6), gated()
    async with running(SinkWorker(sink, rig.context(batch_records=6))):
        await until(lambda: len(sink.attempts) == 1)
        rig.rebalance()
        await rig.clock.sleep(1)
        assert len(sink.assignments) == 1
        sink.gate.set()
        await until(lambda: len(sink.assignments) == 2)
        rig.append(b"6")
        await until(lambda: rig.committed.get(source) == Position(7))
    assert sink.offsets == list(range(7))


@simulated
async def test_a_batch_given_up_in_a_rebalance_takes_the_one_behind_it_along() -> None:
    rig, sink = filled(6), gated()
    sink.failures["write"] = [TransientError("down", retry_after_s=30)]
    async with running(SinkWorker(sink, rig.context(batch_records=3))):
        await until(lambda: len(sink.prepared) == 2)
        sink.gate.set()
        await until(lambda: not sink.failures["write"])
        rig.rebalance()
        await until(lambda: rig.committed.get(source) == Position(6))
    assert len(sink.assignments) == 2
    assert sink.offsets == list(range(6))


@simulated
async def test_a_stop_stores_what_is_written_and_what_is_collected() -> None:
    rig, sink = filled(5), gated()
    async with running(SinkWorker(sink, rig.context(batch_records=3))) as stopping:
        await until(lambda: len(sink.attempts) == 1)
        await until(lambda: rig.member.reading_at[source] == 5)
        stopping.set()
        await rig.clock.sleep(0.5)
        sink.gate.set()
    assert sink.offsets == list(range(5))
    assert rig.committed[source] == Position(5)


@simulated
async def test_a_defect_in_preparing_is_tried_again_as_one_in_writing_is() -> None:
    rig, sink = filled(3), gated()
    sink.gate.set()
    sink.failures["prepare"] = [ValueError("a defect")]
    async with running(SinkWorker(sink, rig.context(batch_records=3))):
        await until(lambda: rig.committed.get(source) == Position(3))
    assert sink.offsets == [0, 1, 2]


@simulated
async def test_partitions_given_anew_without_a_revocation_wait_for_the_write_at_hand() -> None:
    rig, sink = filled(6), gated()
    sink.failures["write"] = [TransientError("down", retry_after_s=30)]
    async with running(SinkWorker(sink, rig.context(batch_records=6))):
        await until(lambda: len(sink.attempts) == 1)
        await rig.assign_again()
        await rig.clock.sleep(1)
        assert len(sink.assignments) == 1
        sink.gate.set()
        await until(lambda: rig.committed.get(source) == Position(6))
    assert len(sink.assignments) == 2
    assert sink.offsets == list(range(6))
