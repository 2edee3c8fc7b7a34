"""What each worker needs around its work: staying in the group, vital signs, figures.

A member of the group works until it is told to stop, or until Kafka fails it or throws it out;
then it is left behind with all its state and a new one enters. So nothing that completes late can
reach the state of a later assignment.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from runtime import telemetry
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import FencedError, TransientError
from runtime.lag import LagFigures
from runtime.ports import Consumer, RebalanceListener
from runtime.retry import Chance, Fault, RetryPolicy, described, fault_of
from runtime.settings import WorkerSettings
from runtime.values import TopicPartition

stuck_after_s: Final = 300.0
"""Longer than all time limits of clients: a call or a turn of this age will never end."""

_figures_interval_s: Final = 5.0
_assignment: Final = "partitions"
_good_while_s: Final = 60.0
"""After a membership that lasted longer, a failure is the first again."""

_wink_s: Final = 0.25
"""Longest sleep of a loop that has to notice a stop."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker is given to work with; all of it is shared by its memberships."""

    name: str
    connect: Callable[[RebalanceListener], Consumer]
    publisher: Publisher
    dead_letter_topic: str
    settings: WorkerSettings
    clock: Clock
    chance: Chance

    @property
    def policy(self) -> RetryPolicy:
        """How often and when failures are tried again."""
        return RetryPolicy(self.settings.defect_attempts, self.chance)

    def failed(self, stage: str, fault: Fault, error: Exception) -> None:
        """Count a failure."""
        telemetry.worker.errors.labels(self.name, stage, fault.value).inc()
        log.debug("failed", worker=self.name, stage=stage, kind=fault, error=described(error))


class Vitals:
    """From what liveness and readiness are told; ``waits_for`` nothing means ready.

    Kafka's health is no part of liveness: starting again would not mend it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turned_s = clock.monotonic_s()
        self._calls: dict[int, float] = {}
        self._entered_count = 0
        self.waits_for: str | None = _assignment

    def turned(self) -> None:
        """Note that the loop goes round."""
        self._turned_s = self._clock.monotonic_s()

    def entered(self) -> int:
        """Note that a call into a handler or a sink begins; hand the answer to `left`."""
        self._entered_count += 1
        self._calls[self._entered_count] = self._clock.monotonic_s()
        return self._entered_count

    def left(self, call: int) -> None:
        """Note that it ended."""
        del self._calls[call]

    def lost(self) -> None:
        """Note that nothing is owned any more."""
        self.waits_for = _assignment

    def why_not_alive(self) -> str | None:
        """Return why the process will never work again; None where the loop and calls go round."""
        now_s = self._clock.monotonic_s()
        if now_s - self._turned_s >= stuck_after_s:
            return f"the loop has stood still for {now_s - self._turned_s:.0f} s"
        oldest_s = min(self._calls.values(), default=now_s)
        if now_s - oldest_s >= stuck_after_s:
            return f"a call has been running for {now_s - oldest_s:.0f} s"
        return None

    def why_not_ready(self) -> str | None:
        """Return what keeps it from working now; None where nothing does."""
        return None if self.waits_for is None else f"waits for {self.waits_for}"


class Member(RebalanceListener, Protocol):
    """One membership: told of its assignments from within `work`."""

    async def work(self, consumer: Consumer) -> None:
        """Work until told to stop, and drain.

        Raises:
            TransientError: Kafka does not answer or threw the member out.
            FencedError: another owner has the partitions.
        """
        ...

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """How far each partition owned is done."""
        ...

    @property
    def in_flight(self) -> int:
        """How many records are held."""
        ...

    @property
    def oldest_since_s(self) -> float | None:
        """Since when, by the clock's monotonic time, the oldest of them is held."""
        ...


async def keep_membership(
    around: Surroundings,
    new_member: Callable[[asyncio.Event], Member],
    *,
    vitals: Vitals,
    stopping: asyncio.Event,
) -> None:
    """Be a member of the group, a new one after each failure of Kafka, until told to stop."""
    failures, clock = 0, around.clock
    while not stopping.is_set():
        member, entered_s = new_member(stopping), clock.monotonic_s()
        try:
            async with around.connect(member) as consumer:
                await member.work(consumer)
        except (TransientError, FencedError) as error:
            _count(around, error)
            failures = 1 if clock.monotonic_s() - entered_s > _good_while_s else failures + 1
            delay_s = around.policy.delay_s(failures)
            await _sleep_unless(stopping, delay_s, clock, vitals)
        finally:
            vitals.lost()


def _count(around: Surroundings, error: TransientError | FencedError) -> None:
    log.warning("left the group, enters again", worker=around.name, error=str(error))
    if isinstance(error, FencedError):
        telemetry.worker.fenced.labels(around.name).inc()
    else:
        around.failed("membership", fault_of(error), error)


async def _sleep_unless(
    stopping: asyncio.Event, delay_s: float, clock: Clock, vitals: Vitals
) -> None:
    until_s = clock.monotonic_s() + delay_s
    while not stopping.is_set() and (left_s := until_s - clock.monotonic_s()) > 0:
        vitals.turned()
        await clock.sleep(min(left_s, _wink_s))


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A TaskGroup that raises its first failure as it is, because its class decides what follows.

    A failure of ours goes before one of the world's that came with it.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as failures:
        first = _weightiest(failures)
        raise first from first.__cause__


def _weightiest(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    leaves = list(_leaves(failures))
    ours = [error for error in leaves if not isinstance(error, TransientError | FencedError)]
    return (ours or leaves)[0]


def _leaves(failures: BaseExceptionGroup[BaseException]) -> Collection[BaseException]:
    return [
        leaf
        for error in failures.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else (error,))
    ]


async def watch(member: Member, consumer: Consumer, around: Surroundings) -> None:
    """Keep the figures of a membership up to date until cancelled; then nothing is held."""
    gauges, name = telemetry.worker, around.name
    with LagFigures(name, consumer, around.clock) as lag:
        try:
            while True:
                now_s, since_s = around.clock.monotonic_s(), member.oldest_since_s
                gauges.oldest.labels(name).set(0 if since_s is None else now_s - since_s)
                gauges.in_flight.labels(name).set(member.in_flight)
                gauges.assigned.labels(name).set(len(member.positions))
                try:
                    await lag.look(member)
                except TransientError as error:
                    around.failed("lag", Fault.TRANSIENT, error)
                await around.clock.sleep(_figures_interval_s)
        finally:
            for gauge in (gauges.oldest, gauges.in_flight, gauges.assigned):
                gauge.labels(name).set(0)
