"""Liveness tells of calls and turns that will never end, and of nothing else."""

from runtime.clock import SystemClock
from runtime.vitals import Vitals, stuck_after_s


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
