"""Keeps a worker in its group, with its metrics, across failures.

A member works until the worker stops, or until Kafka fails or expels it. Then the member is dropped
with all its state and a new one enters, so that no late completion can reach the state of a later
assignment. An error that only an operator can repair halts the work: the process stays up and names
the reason, and a new member joins at intervals to check for the repair.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import structlog

from runtime import metrics
from runtime.clock import Clock
from runtime.contracts import Sender
from runtime.errors import (
    ConfigurationError,
    FencedError,
    RestartNeededError,
    TransientError,
)
from runtime.ports import Consumer, RebalanceListener
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.retries.loop import RetriesExhaustedError
from runtime.retries.policy import FaultKind, RandomSource, RetryPolicy, fault_of
from runtime.settings import WorkerSettings
from runtime.values import TopicPartition
from runtime.worker.failing_steps import FailingSteps
from runtime.worker.lag import LagFigures
from runtime.worker.liveness import Liveness

_figures_interval_s: Final = 5.0
_good_while_s: Final = 60.0
"""After a longer membership, the next failure counts as the first."""

_max_halt_s: Final = 30.0
"""Longest interval between attempts of a halted worker."""

_stop_check_interval_s: Final = 0.25
"""Longest sleep of a loop that has to notice a stop."""

log = structlog.get_logger()


async def _nothing_to_check() -> None: ...


async def _no_letters() -> DeadLetterHistory:
    return DeadLetterHistory()


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipContext:
    """What every worker is given to work with; all of it is shared by its memberships.

    ``check`` is called before each membership and raises ConfigurationError where something that
    the work needs is missing.
    """

    name: str
    connect: Callable[[RebalanceListener], Consumer]
    settings: WorkerSettings
    clock: Clock
    rng: RandomSource
    check: Callable[[], Awaitable[None]] = _nothing_to_check
    steps: FailingSteps = field(default_factory=FailingSteps)

    @property
    def policy(self) -> RetryPolicy:
        """The number and delays of retries."""
        return RetryPolicy(self.settings.defect_attempts, self.rng)

    def failed(self, stage: str, fault: FaultKind, error: Exception) -> None:
        """Count a failure of a step, and log it."""
        metrics.worker.errors.labels(self.name, stage, fault.value).inc()
        now_s = self.clock.monotonic_s()
        failing = self.steps.failed(stage, fault, error, now_s=now_s)
        if failing is not None:
            log.warning(
                "a step fails, tries again",
                worker=self.name,
                stage=stage,
                kind=fault,
                error=failing.cause,
                failing_s=round(now_s - failing.since_s, 1),
            )

    def worked(self, stage: str) -> None:
        """Note that a step succeeded."""
        self.steps.worked(stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerContext(MembershipContext):
    """What a handler or a sink is given as well; ``dead_letter_history`` reads its dead letters."""

    publisher: Sender
    dead_letter_topic: str
    dead_letter_history: Callable[[], Awaitable[DeadLetterHistory]] = _no_letters


class Member(RebalanceListener, Protocol):
    """One membership. It receives its assignments within `work`."""

    async def work(self, consumer: Consumer) -> None:
        """Work until the worker stops, and drain.

        Raises:
            TransientError: Kafka does not answer or threw the member out.
            FencedError: another owner has the partitions.
        """
        ...

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The position of each owned partition."""
        ...

    @property
    def in_flight(self) -> int:
        """How many records are held."""
        ...

    @property
    def oldest_since_s(self) -> float | None:
        """When the oldest of them was taken, by the clock's monotonic time."""
        ...


async def keep_membership(
    context: MembershipContext,
    new_member: Callable[[asyncio.Event], Member],
    *,
    liveness: Liveness,
    stopping: asyncio.Event,
) -> Exception | None:
    """Stay a member of the group, with a new membership after each failure, until stopped.

    Returns the error that had halted the work when it was stopped, None where it was working.

    Raises:
        RestartNeededError: an operator has to act before anything else.
    """
    async with task_group() as tasks:
        memberships = _Memberships(context, new_member, liveness)
        telling = tasks.create_task(memberships.update_figures())
        try:
            enter = partial(memberships.serve, stopping)
            return await keep_trying(
                "membership", enter, context, liveness=liveness, stopping=stopping
            )
        finally:
            telling.cancel()


async def keep_trying(
    stage: str,
    attempt: Callable[[], Awaitable[None]],
    context: MembershipContext,
    *,
    liveness: Liveness,
    stopping: asyncio.Event,
) -> Exception | None:
    """Call until it succeeds or the worker stops. An error for an operator halts the work.

    Returns the error of the last call, None where it succeeded.

    Raises:
        RestartNeededError: at once, unchanged.
    """
    failures, clock, last = 0, context.clock, None
    while not stopping.is_set():
        began_s = clock.monotonic_s()
        try:
            await attempt()
        except RestartNeededError:
            raise
        except (TransientError, FencedError) as error:
            _count(context, stage, error)
            last, limit_s = None, context.policy.limit_s
        except (ConfigurationError, RetriesExhaustedError) as error:
            _halt(context, liveness, error)
            last, limit_s = error, _max_halt_s
        else:
            context.worked(stage)
            return None
        failures = 1 if clock.monotonic_s() - began_s > _good_while_s else failures + 1
        delay_s = replace(context.policy, limit_s=limit_s).delay_s(failures)
        await _sleep_unless(stopping, delay_s, clock, liveness)
    return last


class _Memberships:
    """The memberships of a worker in one group, one after the other."""

    def __init__(
        self,
        context: MembershipContext,
        new_member: Callable[[asyncio.Event], Member],
        liveness: Liveness,
    ) -> None:
        self._context = context
        self._new_member = new_member
        self._liveness = liveness
        self._member: Member | None = None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Be a member until stopped.

        Raises:
            TransientError, FencedError, ConfigurationError, RetriesExhaustedError: the membership
                ended, or was not entered.
        """
        self._member = member = self._new_member(stopping)
        try:
            await self._context.check()
            async with self._context.connect(member) as consumer:
                await member.work(consumer)
        finally:
            self._liveness.lost()

    async def update_figures(self) -> None:
        """Update the metrics that outlive a membership, until cancelled."""
        gauges, name, clock = metrics.worker, self._context.name, self._context.clock
        try:
            while True:
                gauges.oldest.labels(name).set(self._oldest_s(clock.monotonic_s()))
                gauges.halted.labels(name).set(self._liveness.is_halted)
                gauges.paused.labels(name).set(self._liveness.paused_count)
                await clock.sleep(_figures_interval_s)
        finally:
            gauges.oldest.labels(name).set(0)
            gauges.paused.labels(name).set(0)

    def _oldest_s(self, now_s: float) -> float:
        held, member = None, self._member
        positions: Mapping[TopicPartition, int] = {}
        if member is not None:
            held, positions = member.oldest_since_s, member.positions
        since_s = self._liveness.unfinished.since_s(held, positions)
        return 0.0 if since_s is None else now_s - since_s


def _halt(
    context: MembershipContext,
    liveness: Liveness,
    error: ConfigurationError | RetriesExhaustedError,
) -> None:
    log.error("halted, checks again", worker=context.name, reason=str(error))
    liveness.halted(str(error))
    metrics.worker.halted.labels(context.name).set(1)


def _count(context: MembershipContext, stage: str, error: TransientError | FencedError) -> None:
    if stage == "membership":
        log.warning("left the group, joins again", worker=context.name, error=str(error))
    if isinstance(error, FencedError):
        metrics.worker.fenced.labels(context.name).inc()
    else:
        context.failed(stage, fault_of(error), error)


async def _sleep_unless(
    stopping: asyncio.Event, delay_s: float, clock: Clock, liveness: Liveness
) -> None:
    until_s = clock.monotonic_s() + delay_s
    while not stopping.is_set() and (left_s := until_s - clock.monotonic_s()) > 0:
        liveness.heartbeat()
        await clock.sleep(min(left_s, _stop_check_interval_s))


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A TaskGroup that raises its first failure unwrapped, because its class decides what follows.

    A defect takes precedence over a transient failure of the same group.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as failures:
        first = _weightiest(failures)
        raise first from first.__cause__


def _weightiest(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    leaves = list(_leaves(failures))
    defects = [error for error in leaves if not isinstance(error, TransientError | FencedError)]
    return (defects or leaves)[0]


def _leaves(failures: BaseExceptionGroup[BaseException]) -> Collection[BaseException]:
    return [
        leaf
        for error in failures.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else (error,))
    ]


async def watch(member: Member, consumer: Consumer, context: MembershipContext) -> None:
    """Update the metrics of a membership until cancelled; then no records are held.

    A failure of a metric is counted, and never ends the work.
    """
    gauges, name = metrics.worker, context.name
    with LagFigures(name, consumer, context.clock) as lag:
        try:
            while True:
                try:
                    gauges.in_flight.labels(name).set(member.in_flight)
                    gauges.assigned.labels(name).set(len(member.positions))
                    await lag.update(member)
                except Exception as error:  # noqa: BLE001 - no figure may end the work
                    context.failed("lag", fault_of(error), error)
                else:
                    context.worked("lag")
                await context.clock.sleep(_figures_interval_s)
        finally:
            for gauge in (gauges.in_flight, gauges.assigned):
                gauge.labels(name).set(0)
