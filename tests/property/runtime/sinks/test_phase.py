"""SinkPhase against a model of its environment: what its docstring says holds in each history.

The model is the driver, the group and the sink: it does what the phase says, lets calls fail and
end, and takes partitions away, in any order. Records have numbers within an assignment. The figures
in the assertions' messages are those of the list of invariants.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from runtime.sinks import observations as o
from runtime.sinks import phase as p
from runtime.sinks.observations import PlannedSpan
from runtime.sinks.phase import ReadingState, SinkCall, SinkPhase, SinkStage
from runtime.values import Span, TopicPartition

STEPS_OF_A_DRAIN = 12


def planned(number: int) -> PlannedSpan:
    return PlannedSpan(TopicPartition("in", number), Span(0, 3))


@dataclass(eq=False)
class Owned:
    """One assignment: what was read, taken and stored of it."""

    plans: list[PlannedSpan] = field(default_factory=list)
    started: bool = False
    collecting: PlannedSpan | None = None
    collected: list[int] = field(default_factory=list)
    taken: list[list[int]] = field(default_factory=list)
    read: int = 0
    stored: int = 0
    gave_up: bool = False
    grown_s: float = 0.0


@dataclass(eq=False)
class ModelCall:
    """A call into the sink; ``batch`` None is a take-over."""

    owned: Owned
    batch: list[int] | None
    failed: bool = False


class SinkPhaseMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.phase = SinkPhase()
        self.owned: Owned | None = None
        self.call: ModelCall | None = None
        self.now_s = 0.0
        self.stopped = False
        self.leaves = 0
        self.failed_since_stop = False

    def see(self, seen: o.Observation) -> None:
        step = self.phase.next(seen)
        assert step.action == step.phase.action
        self.phase = step.phase

    # What the driver does.

    @precondition(lambda self: not isinstance(self.phase.action, p.Poll | p.AwaitCall))
    @rule(leaves=st.integers(0, 2))
    def act(self, leaves: int) -> None:
        self.leaves = leaves
        self.act_once()

    def act_once(self) -> None:
        match self.phase.action:
            case p.TakeOver():
                assert self.owned is not None
                self.begin(None)
            case p.Collect(plan):
                self.collect(plan)
            case p.Prepare():
                self.prepare()
            case p.Write():
                assert self.owned is not None
                self.begin(self.owned.taken[0])
            case p.GiveUp():
                self.give_up()
            case p.RefusePlan(plan):
                owned = self.owned
                assert owned is not None
                assert plan == owned.plans[0] == owned.collecting
                assert self.now_s - owned.grown_s > p.plan_timeout_s
                self.enter_again()
            case p.Leave():
                assert self.stopped

    def begin(self, batch: list[int] | None) -> None:
        assert self.call is None, "1: two calls at once"
        assert self.owned is not None, "7: a call for nobody"
        assert not self.owned.gave_up, "5: something is stored behind what was given up"
        self.call = ModelCall(self.owned, batch)
        self.see(o.CallBegan())

    def collect(self, plan: PlannedSpan | None) -> None:
        owned = self.owned
        assert owned is not None
        assert owned.started, "2: read before the sink has said where to start"
        assert plan == (owned.plans[0] if owned.plans else None), "3: not the next planned span"
        owned.collecting, owned.grown_s = plan, self.now_s
        self.see(o.CollectingBegan(self.now_s))

    def prepare(self) -> None:
        owned = self.owned
        assert owned is not None
        waiting = [each for each in owned.taken if not self.call or each is not self.call.batch]
        assert not waiting, "6: two batches are ready"
        if owned.collecting is not None:
            assert len(owned.collected) == 3, "8: a planned span in part"
        # The sink may leave some open, but for a planned span and in a drain.
        whole = owned.collecting is not None or self.stopped
        count = len(owned.collected) if whole else max(1, len(owned.collected) - self.leaves)
        owned.taken.append(owned.collected[:count])
        owned.collected = owned.collected[count:]
        self.see(o.BatchPrepared(len(owned.collected)))

    def give_up(self) -> None:
        assert self.call is not None
        assert self.call.failed, "a call is given up in the middle of a try"
        self.call.owned.gave_up = True
        self.call = None
        if self.stopped:
            self.owned = None
        self.see(o.GaveUp())

    def enter_again(self) -> None:
        """The membership has failed: the next one begins."""
        self.phase, self.owned, self.call = SinkPhase(), None, None

    @rule(steps=st.integers(1, 12))
    def go_on(self, steps: int) -> None:
        """Nothing else happens for a while, so that histories get far."""
        for _ in range(steps):
            match self.phase.action:
                case p.Poll() if self.phase.call is SinkCall.FAILED:
                    self.try_again()
                case p.Poll() if self.phase.collecting:
                    self.poll_once(2, wants=True)
                case p.Poll() | p.Leave():
                    return
                case p.AwaitCall():
                    self.end_call()
                case p.RefusePlan():
                    self.enter_again()
                case _:
                    self.act_once()

    # What the driver sees while it polls.

    @precondition(lambda self: isinstance(self.phase.action, p.Poll))
    @rule(count=st.integers(0, 3), wants=st.booleans())
    def poll(self, count: int, *, wants: bool) -> None:
        self.poll_once(count, wants=wants)

    def poll_once(self, count: int, *, wants: bool) -> None:
        owned = self.owned
        match self.phase.reads:
            case ReadingState.NOTHING:
                polled = 0
            case ReadingState.PLANNED_SPAN:
                assert owned is not None
                assert owned.plans[0] == owned.collecting, "3: another span is read"
                polled = min(count, 3 - len(owned.collected))
            case ReadingState.EVERYTHING:
                assert owned is not None
                assert not owned.plans, "3: read before the planned spans are stored"
                polled = count
        if polled:
            assert owned is not None
            assert owned.started, "2: read before the sink has said where to start"
            assert not (self.call and self.call.failed), "4: read while a try has failed"
            owned.collected += range(owned.read, owned.read + polled)
            owned.read += polled
            owned.grown_s = self.now_s
        collected = len(owned.collected) if owned else 0
        in_plan = owned is not None and owned.collecting is not None
        due = collected == 3 if in_plan else collected > 0 and wants
        self.see(o.Polled(self.now_s, collected, due))

    @precondition(lambda self: isinstance(self.phase.action, p.Poll) and self.phase.at_rest)
    @rule()
    def revoke(self) -> None:
        self.owned = None
        self.see(o.PartitionsRevoked())
        assert isinstance(self.phase.action, p.GiveUp) is (self.call is not None)
        if self.call is not None:
            self.give_up()

    @precondition(lambda self: isinstance(self.phase.action, p.Poll))
    @rule(plans=st.integers(0, 2))
    def assign(self, plans: int) -> None:
        self.owned = Owned([planned(number) for number in range(plans)])
        self.see(o.PartitionsAssigned())
        if isinstance(self.phase.action, p.GiveUp):
            self.give_up()

    @precondition(lambda self: not self.stopped)
    @rule(chance=st.integers(0, 5))
    def stop_now(self, chance: int) -> None:
        if chance == 0:  # rarely, so that histories get far
            self.stop()

    def stop(self) -> None:
        self.stopped = True
        self.see(o.StopRequested())

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    # What becomes of the call meanwhile.

    @precondition(lambda self: self.call and not self.call.failed)
    @rule()
    def fail(self) -> None:
        assert self.call is not None
        self.call.failed = True
        self.failed_since_stop = self.stopped
        self.see(o.TryFailed())

    @precondition(lambda self: self.phase.call is SinkCall.FAILED)
    @rule()
    def delay_is_over(self) -> None:
        self.try_again()

    def try_again(self) -> None:
        assert self.call is not None
        self.call.failed = False
        self.see(o.TryBegan())

    @precondition(lambda self: self.call and not self.call.failed)
    @rule()
    def end(self) -> None:
        self.end_call()

    def end_call(self) -> None:
        call, before = self.call, self.phase
        assert call is not None
        self.call = None
        if call.batch is None:
            self.see(o.TookOver(tuple(call.owned.plans)))
        else:
            self.see(o.Stored())
        if call.owned is not self.owned:
            changed = {name for name in before.__slots__ if name != "call"}
            assert all(getattr(before, each) == getattr(self.phase, each) for each in changed), "7"
        elif call.batch is None:
            call.owned.started = True
        else:
            assert call.batch[:1] in ([], [call.owned.stored]), "5: out of order, or with a hole"
            call.owned.stored += len(call.batch)
            call.owned.taken.remove(call.batch)
            if call.owned.plans:
                call.owned.plans.pop(0)

    @invariant()
    def what_waits_is_waited_for(self) -> None:
        trying = self.call is not None and not self.call.failed
        assert (self.phase.call is SinkCall.NONE) is (self.call is None), "1"
        assert self.phase.at_rest is not trying
        if isinstance(self.phase.action, p.AwaitCall):
            assert trying, "9: it waits for nothing, without polling"
        if isinstance(self.phase.action, p.Leave):
            assert self.call is None, "1: it leaves while a call is under way"
        if self.stopped:
            assert not isinstance(self.phase.action, p.Poll), "8: it polls after the stop"

    @invariant()
    def nothing_is_written_after_a_failure_in_the_drain(self) -> None:
        if self.stopped and self.failed_since_stop:
            assert isinstance(self.phase.action, p.GiveUp | p.Leave), "8"

    def teardown(self) -> None:
        """A stop comes to its end, with all that was collected stored, once calls succeed."""
        if not self.stopped:
            self.stop()
        owned = self.owned if self.phase.stage is SinkStage.DRAINING else None
        to_store = 0
        if owned is not None:
            to_store = sum(map(len, owned.taken)) + (
                len(owned.collected) if owned.collecting is None or len(owned.collected) == 3 else 0
            )
        stored = owned.stored if owned else 0
        for _ in range(STEPS_OF_A_DRAIN):
            match self.phase.action:
                case p.AwaitCall():
                    self.end_call()
                case p.Leave():
                    break
                case _:
                    self.act_once()
        assert self.phase.action == p.Leave()
        assert self.call is None, "1: it leaves while a call is under way"
        if owned is not None:
            assert owned.stored == stored + to_store, "8: something collected was not stored"


TestSinkPhase = SinkPhaseMachine.TestCase
TestSinkPhase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def after(*seen: o.Observation) -> SinkPhase:
    phase = SinkPhase()
    for each in seen:
        phase = phase.next(each).phase
    return phase


def test_the_usual_way_leads_from_the_group_to_a_batch_that_is_stored() -> None:
    story: list[tuple[o.Observation, p.Action]] = [
        (o.PartitionsAssigned(), p.TakeOver()),
        (o.CallBegan(), p.AwaitCall()),
        (o.TookOver(), p.Collect(None)),
        (o.CollectingBegan(0.0), p.Poll()),
        (o.Polled(0.0, 4, due=False), p.Poll()),
        (o.Polled(0.1, 5, due=True), p.Prepare()),
        (o.BatchPrepared(), p.Write()),
        (o.CallBegan(), p.Poll()),
        (o.Polled(0.2, 5, due=True), p.Prepare()),
        (o.BatchPrepared(), p.AwaitCall()),
        (o.Stored(), p.Write()),
        (o.CallBegan(), p.Poll()),
        (o.StopRequested(), p.AwaitCall()),
        (o.Stored(), p.Leave()),
    ]
    phase = SinkPhase()
    assert phase.action == p.Poll()
    for seen, action in story:
        phase, next_action = phase.next(seen)
        assert next_action == action


def test_a_planned_span_of_which_nothing_exists_is_stored_at_once() -> None:
    phase = after(
        o.PartitionsAssigned(),
        o.CallBegan(),
        o.TookOver((planned(0),)),
    )
    assert phase.action == p.Collect(planned(0))
    assert phase.next(o.CollectingBegan(0.0, due=True)).action == p.Prepare()


def test_a_planned_span_that_does_not_grow_is_looked_into() -> None:
    phase = after(
        o.PartitionsAssigned(),
        o.CallBegan(),
        o.TookOver((planned(0),)),
        o.CollectingBegan(0.0),
    )
    phase = phase.next(o.Polled(29.0, 1, due=False)).phase
    assert phase.next(o.Polled(58.0, 1, due=False)).action == p.Poll()
    assert phase.next(o.Polled(60.0, 1, due=False)).action == p.RefusePlan(planned(0))
    assert phase.next(o.Polled(60.0, 2, due=False)).action == p.Poll()


def test_a_call_for_an_earlier_assignment_is_waited_for_and_its_result_is_of_no_weight() -> None:
    phase = after(
        o.PartitionsAssigned(),
        o.CallBegan(),
        o.PartitionsAssigned(),
    )
    assert phase.action == p.AwaitCall()
    assert phase.next(o.TookOver((planned(0),))).action == p.TakeOver()
    assert phase.next(o.TryFailed()).action == p.GiveUp()
    assert phase.next(o.TryFailed()).phase.next(o.GaveUp()).action == p.TakeOver()
    assert phase.next(o.PartitionsRevoked()).action == p.AwaitCall()
    stopping, action = phase.next(o.StopRequested())
    assert action == p.AwaitCall()
    assert stopping.next(o.TookOver()).action == p.Leave()


def test_a_second_call_is_a_defect() -> None:
    phase = after(o.PartitionsAssigned(), o.CallBegan())
    with pytest.raises(RuntimeError, match="a second call began while one was TRYING"):
        phase.next(o.CallBegan())


def test_changes_that_the_client_reports_while_the_member_leaves_begin_nothing() -> None:
    phase = after(o.StopRequested())
    assert phase.action == p.Leave()
    for seen in (o.PartitionsRevoked(), o.PartitionsAssigned()):
        assert phase.next(seen).action == p.Leave()
