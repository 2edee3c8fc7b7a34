"""Pure: what the member of a sink's group does next. `SinkWorker` decides nothing itself.

Theory of operation: an observation changes the state, and the next action follows from the state
alone (`SinkPhase.action`), so that no decision depends on the history. The driver carries out the
action and reports observations. Two things run at the same time: the driver's loop, which polls,
and at most one call (a take-over or the storing of a batch) in its own task. A call retries until
it is done or cancelled.

Stages: UNASSIGNED -> TAKING_OVER -> PLANNED (one planned span after the other) -> RUNNING. An
assignment leads to TAKING_OVER from each of them, a revocation to UNASSIGNED, a stop to DRAINING,
and from there to LEFT.

Invariants, each with what would happen without it; tests/property/runtime/sinks/test_phase.py:

 1. One call at a time. A sink would have two writers.
 2. Nothing is read before the sink has named the start. Reading would start elsewhere.
 3. Planned spans are stored one by one before anything else is read. A batch that was written in
    part would get other boundaries.
 4. After a failed try nothing is read, and polling continues. Memory would fill; the group would
    expel the member.
 5. Batches are stored in the order in which they were read; after an abandoned batch no other one
    of its assignment is stored. A commit would pass records that are not stored.
 6. At most one batch is ready while another one is stored. Memory would fill.
 7. The driver waits for a call of an earlier assignment, and ignores its result. A late result
    would count for partitions that another member owns.
 8. A stop stores the collected records, but nothing after a failure and no part of a planned span.
    An outage would outlast the drain; a planned span would end early.
 9. The loop waits without polling only while a try is under way. The group would expel the member.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, NamedTuple, assert_never

from runtime.sinks.observations import (
    BatchPrepared,
    CallBegan,
    CallEvent,
    CollectingBegan,
    CollectingEvent,
    GaveUp,
    Observation,
    PartitionsAssigned,
    PartitionsRevoked,
    PlannedSpan,
    Polled,
    StopRequested,
    Stored,
    TookOver,
    TryBegan,
    TryFailed,
)

plan_timeout_s: Final = 30.0
"""Longest wait for the next record of a planned span; then join again, to learn the log's start."""


class SinkStage(Enum):
    """How far the member is with its assignment."""

    UNASSIGNED = auto()
    TAKING_OVER = auto()
    PLANNED = auto()
    RUNNING = auto()
    DRAINING = auto()
    LEFT = auto()


class SinkCall(Enum):
    """The state of the call into the sink."""

    NONE = auto()
    TRYING = auto()
    FAILED = auto()
    """A try has failed; the next one comes after a delay."""
    OUTDATED = auto()
    """A try for an earlier assignment is under way."""
    ABANDONED = auto()
    """It has failed and must not try again."""


class ReadingState(Enum):
    """From which partitions records are fetched."""

    NOTHING = auto()
    PLANNED_SPAN = auto()
    EVERYTHING = auto()


@dataclass(frozen=True, slots=True)
class Poll:
    """Poll, for records of `SinkPhase.reads` and to stay in the group."""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Begin the call that returns where to start."""


@dataclass(frozen=True, slots=True)
class Collect:
    """Begin to collect a planned span, or with None from all partitions."""

    plan: PlannedSpan | None


@dataclass(frozen=True, slots=True)
class RefusePlan:
    """Find out why the rest of a planned span does not come, and leave."""

    plan: PlannedSpan


@dataclass(frozen=True, slots=True)
class Prepare:
    """Take the collected records, and prepare them."""


@dataclass(frozen=True, slots=True)
class Write:
    """Begin the call that stores the batch that is ready."""


@dataclass(frozen=True, slots=True)
class AwaitCall:
    """Wait until the try under way has ended or failed."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End the abandoned call; it is between two tries."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing more."""


Action = Poll | TakeOver | Collect | RefusePlan | Prepare | Write | AwaitCall | GiveUp | Leave


class SinkStep(NamedTuple):
    """The state after an observation, and what to do in it."""

    phase: "SinkPhase"
    action: Action


@dataclass(frozen=True, slots=True)
class SinkPhase:
    """The state of one membership.

    ``plans`` are the planned spans that are not stored, ``collecting`` says that polled records
    have a place, ``records`` counts them, ``due`` says to take them now, ``ready`` that a prepared
    batch waits. ``grown_s`` is when records of a planned span last came.
    """

    stage: SinkStage = SinkStage.UNASSIGNED
    call: SinkCall = SinkCall.NONE
    plans: tuple[PlannedSpan, ...] = ()
    collecting: bool = False
    records: int = 0
    due: bool = False
    ready: bool = False
    grown_s: float = 0.0
    overdue: bool = False

    def next(self, seen: Observation) -> SinkStep:
        """Return the state after an observation, and what to do in it."""
        phase = self._after(seen)
        return SinkStep(phase, phase.action)

    @property
    def at_rest(self) -> bool:
        """Whether a rebalance may continue: the sink is not in the middle of a try."""
        return self.call not in (SinkCall.TRYING, SinkCall.OUTDATED)

    @property
    def reads(self) -> ReadingState:
        """From which partitions records are fetched now (invariants 2, 3, 4)."""
        if not self.collecting or self.call not in (SinkCall.NONE, SinkCall.TRYING):
            return ReadingState.NOTHING
        return (
            ReadingState.PLANNED_SPAN
            if self.stage is SinkStage.PLANNED
            else ReadingState.EVERYTHING
        )

    @property
    def action(self) -> Action:
        """What to do in this state."""
        match self.call:
            case SinkCall.ABANDONED:
                return GiveUp()
            case SinkCall.OUTDATED:
                return AwaitCall()  # one call at a time (1)
            case SinkCall.FAILED:
                return Poll()  # of nothing (4)
            case SinkCall.NONE | SinkCall.TRYING:
                return self._action_in_stage()
            case _:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(self.call)

    def _action_in_stage(self) -> Action:
        match self.stage:
            case SinkStage.UNASSIGNED:
                return Poll()  # to join the group
            case SinkStage.TAKING_OVER:
                return TakeOver() if self.call is SinkCall.NONE else AwaitCall()
            case SinkStage.PLANNED | SinkStage.RUNNING:
                return self._action_at_work()
            case SinkStage.DRAINING:
                return self._action_in_drain()
            case SinkStage.LEFT:
                return Leave()
            case _:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(self.stage)

    def _action_at_work(self) -> Action:
        plan = self.plans[0] if self.plans else None
        if self.ready:  # the batch before it goes first (5), and a second one may not wait (6)
            return Write() if self.call is SinkCall.NONE else AwaitCall()
        if self.due:
            return Prepare()
        if self.overdue and plan is not None:
            return RefusePlan(plan)
        if self.collecting:
            return Poll()
        if self.call is SinkCall.TRYING:  # a planned span is stored, and nothing else is read (3)
            return AwaitCall()
        return Collect(plan)

    def _action_in_drain(self) -> Action:
        if self.call is SinkCall.TRYING:
            return AwaitCall()
        if self.ready:
            return Write()
        return Prepare() if self.records else Leave()

    def _after(self, seen: Observation) -> "SinkPhase":
        match seen:
            case PartitionsAssigned():
                return self._owning(SinkStage.TAKING_OVER)
            case PartitionsRevoked():
                return self._owning(SinkStage.UNASSIGNED)
            case StopRequested():
                return self._stopping()
            case CollectingBegan() | Polled() | BatchPrepared():
                return self._after_collecting(seen)
            case _:
                return self._after_call(seen)

    def _after_call(self, seen: CallEvent) -> "SinkPhase":
        match seen:
            case CallBegan():
                if self.call is not SinkCall.NONE:
                    raise RuntimeError(f"a second call began while one was {self.call.name}")
                return replace(self, call=SinkCall.TRYING, ready=False)
            case TryFailed():
                return self._failed()
            case TryBegan():
                return replace(self, call=SinkCall.TRYING)
            case TookOver(plans):
                return self._taken_over(tuple(plans))
            case Stored():
                return self._stored()
            case GaveUp():
                return replace(self, call=SinkCall.NONE)
            case _:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(seen)

    def _after_collecting(self, seen: CollectingEvent) -> "SinkPhase":
        match seen:
            case CollectingBegan(now_s, due):
                return replace(self, collecting=True, due=due, grown_s=now_s)
            case Polled():
                return self._polled(seen)
            case BatchPrepared(records):
                # Behind a planned span nothing is collected until it is stored (3).
                goes_on = self.stage is SinkStage.RUNNING
                return replace(self, collecting=goes_on, records=records, due=False, ready=True)
            case _:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(seen)

    def _owning(self, stage: SinkStage) -> "SinkPhase":
        """Start again: the read records belong to the next owner, which reads them again (5)."""
        if self.stage in (SinkStage.DRAINING, SinkStage.LEFT):
            stage = SinkStage.LEFT  # while the member leaves, the client may still report changes
        match self.call:
            case SinkCall.TRYING | SinkCall.OUTDATED:
                call = SinkCall.OUTDATED  # it cannot be stopped in the middle of a try (7)
            case SinkCall.FAILED | SinkCall.ABANDONED:
                call = SinkCall.ABANDONED
            case SinkCall.NONE:
                call = SinkCall.NONE
            case _:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(self.call)
        return SinkPhase(stage, call)

    def _stopping(self) -> "SinkPhase":
        if self.call in (
            SinkCall.FAILED,
            SinkCall.ABANDONED,
        ):  # later batches may not be stored (5)
            return SinkPhase(SinkStage.LEFT, SinkCall.ABANDONED)
        in_part = (
            self.stage is SinkStage.PLANNED and not self.due
        )  # of a planned span: not stored (8)
        records = 0 if in_part else self.records
        return SinkPhase(SinkStage.DRAINING, self.call, records=records, ready=self.ready)

    def _failed(self) -> "SinkPhase":
        if self.stage is SinkStage.DRAINING:  # an outage would outlast the drain (8)
            return SinkPhase(SinkStage.LEFT, SinkCall.ABANDONED)
        outdated = self.call is SinkCall.OUTDATED
        return replace(self, call=SinkCall.ABANDONED if outdated else SinkCall.FAILED)

    def _taken_over(self, plans: tuple[PlannedSpan, ...]) -> "SinkPhase":
        if self.call is SinkCall.OUTDATED or self.stage is SinkStage.DRAINING:
            return replace(self, call=SinkCall.NONE)
        return SinkPhase(SinkStage.PLANNED if plans else SinkStage.RUNNING, plans=plans)

    def _stored(self) -> "SinkPhase":
        if self.call is SinkCall.TRYING and self.stage is SinkStage.PLANNED:
            rest = self.plans[1:]
            return SinkPhase(SinkStage.PLANNED if rest else SinkStage.RUNNING, plans=rest)
        return replace(self, call=SinkCall.NONE)

    def _polled(self, polled: Polled) -> "SinkPhase":
        if not self.collecting:
            return self
        grown = polled.records > self.records
        grown_s = polled.now_s if grown else self.grown_s
        overdue = self.stage is SinkStage.PLANNED and polled.now_s - grown_s > plan_timeout_s
        return replace(
            self, records=polled.records, due=polled.due, grown_s=grown_s, overdue=overdue
        )
