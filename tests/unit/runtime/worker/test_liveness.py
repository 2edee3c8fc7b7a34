"""Liveness reports calls and turns that will never end, and nothing else."""

from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.retries.policy import FaultKind
from runtime.values import TopicPartition
from runtime.worker.failing_steps import FailingSteps
from runtime.worker.liveness import Liveness, stuck_after_s

source, other = TopicPartition("in", 0), TopicPartition("in", 1)


class StoppedClock(SystemClock):
    def __init__(self) -> None:
        self.at_s = 1000.0

    def monotonic_s(self) -> float:
        return self.at_s


def test_a_loop_that_stands_still_is_not_alive() -> None:
    clock = StoppedClock()
    liveness = Liveness(clock)
    assert liveness.liveness_problem() is None
    clock.at_s += stuck_after_s
    assert liveness.liveness_problem() == "the loop has stood still for 300 s"
    liveness.heartbeat()
    assert liveness.liveness_problem() is None


def test_a_call_that_does_not_return_is_not_alive_although_others_do() -> None:
    clock = StoppedClock()
    liveness = Liveness(clock)
    stuck = liveness.entered()
    clock.at_s += stuck_after_s
    liveness.heartbeat()
    liveness.left(liveness.entered())
    assert liveness.liveness_problem() == "a call has been running for 300 s"
    liveness.left(stuck)
    assert liveness.liveness_problem() is None


def test_a_worker_that_had_halted_is_mended_once_it_has_been_ready_for_a_while() -> None:
    clock = StoppedClock()
    liveness = Liveness(clock)
    liveness.halted("run zcc migrate")
    assert liveness.readiness_problem() == "halted, looks again: run zcc migrate"
    liveness.owns([source])
    assert liveness.is_halted
    clock.at_s += 4
    liveness.lost()
    clock.at_s += 4
    liveness.owns([source])
    assert liveness.is_halted
    clock.at_s += 5
    assert not liveness.is_halted
    assert liveness.readiness_problem() is None


def test_the_cause_of_its_waiting_is_reported() -> None:
    clock, steps = StoppedClock(), FailingSteps()
    liveness = Liveness(clock, steps)
    steps.failed("membership", FaultKind.TRANSIENT, TransientError("no answer"), now_s=clock.at_s)
    clock.at_s += 3
    expected = "waits for partitions: membership has failed for 3 s (transient): no answer"
    assert liveness.readiness_problem() == expected


def test_a_step_that_fails_for_long_makes_unready_and_a_waiting_handler_is_a_remark() -> None:
    clock, steps = StoppedClock(), FailingSteps()
    liveness = Liveness(clock, steps)
    liveness.owns([source])
    for stage in ("publish", "handle"):
        steps.failed(stage, FaultKind.TRANSIENT, TransientError("no answer"), now_s=clock.at_s)
    assert liveness.readiness_problem() is None
    clock.at_s += 10
    assert liveness.readiness_problem() == "publish has failed for 10 s (transient): no answer"
    assert liveness.remarks() == "handle has failed for 10 s (transient): no answer"


def test_a_worker_is_ready_while_one_partition_goes_on() -> None:
    liveness = Liveness(StoppedClock())
    liveness.owns([source, other])
    liveness.paused(source, "too many")
    assert liveness.readiness_problem() is None
    assert liveness.remarks() == "paused in/0: too many"
    liveness.paused(other, "too many")
    assert liveness.readiness_problem() == "all its partitions are paused: too many"
    liveness.owns([source])
    assert liveness.readiness_problem() is None
    assert liveness.remarks() is None
