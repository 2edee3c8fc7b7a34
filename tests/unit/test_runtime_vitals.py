"""Liveness tells of calls and turns that will never end, and of nothing else."""

from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.retries.policy import Fault
from runtime.values import TopicPartition
from runtime.worker.failing_steps import Steps
from runtime.worker.liveness import Vitals, stuck_after_s

source, other = TopicPartition("in", 0), TopicPartition("in", 1)


class StoppedClock(SystemClock):
    def __init__(self) -> None:
        self.at_s = 1000.0

    def monotonic_s(self) -> float:
        return self.at_s


def test_a_loop_that_stands_still_is_not_alive() -> None:
    clock = StoppedClock()
    vitals = Vitals(clock)
    assert vitals.why_not_alive() is None
    clock.at_s += stuck_after_s
    assert vitals.why_not_alive() == "the loop has stood still for 300 s"
    vitals.turned()
    assert vitals.why_not_alive() is None


def test_a_call_that_does_not_return_is_not_alive_although_others_do() -> None:
    clock = StoppedClock()
    vitals = Vitals(clock)
    stuck = vitals.entered()
    clock.at_s += stuck_after_s
    vitals.turned()
    vitals.left(vitals.entered())
    assert vitals.why_not_alive() == "a call has been running for 300 s"
    vitals.left(stuck)
    assert vitals.why_not_alive() is None


def test_a_worker_that_had_halted_is_mended_once_it_has_been_ready_for_a_while() -> None:
    clock = StoppedClock()
    vitals = Vitals(clock)
    vitals.halted("run zcc migrate")
    assert vitals.why_not_ready() == "halted, looks again: run zcc migrate"
    vitals.owns([source])
    assert vitals.is_halted
    clock.at_s += 4
    vitals.lost()
    clock.at_s += 4
    vitals.owns([source])
    assert vitals.is_halted
    clock.at_s += 5
    assert not vitals.is_halted
    assert vitals.why_not_ready() is None


def test_what_it_waits_for_is_told_with_the_cause() -> None:
    clock, steps = StoppedClock(), Steps()
    vitals = Vitals(clock, steps)
    steps.failed("membership", Fault.TRANSIENT, TransientError("no answer"), now_s=clock.at_s)
    clock.at_s += 3
    said = "waits for partitions: membership has failed for 3 s (transient): no answer"
    assert vitals.why_not_ready() == said


def test_a_step_that_fails_for_long_makes_unready_and_a_handler_that_waits_is_told_of() -> None:
    clock, steps = StoppedClock(), Steps()
    vitals = Vitals(clock, steps)
    vitals.owns([source])
    for stage in ("publish", "handle"):
        steps.failed(stage, Fault.TRANSIENT, TransientError("no answer"), now_s=clock.at_s)
    assert vitals.why_not_ready() is None
    clock.at_s += 10
    assert vitals.why_not_ready() == "publish has failed for 10 s (transient): no answer"
    assert vitals.remarks() == "handle has failed for 10 s (transient): no answer"


def test_a_worker_is_ready_while_one_partition_goes_on() -> None:
    vitals = Vitals(StoppedClock())
    vitals.owns([source, other])
    vitals.paused(source, "too many")
    assert vitals.why_not_ready() is None
    assert vitals.remarks() == "paused in/0: too many"
    vitals.paused(other, "too many")
    assert vitals.why_not_ready() == "all its partitions are paused: too many"
    vitals.owns([source])
    assert vitals.why_not_ready() is None
    assert vitals.remarks() is None
