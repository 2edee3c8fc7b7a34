"""Runs a Poller as a member of its group: the owner of the only partition of watermarks is active.

A membership has two tasks: one polls the group and learns when to begin and when to end, the other
runs a `Tenure` in between, with tasks of its own. A rebalance waits until the tenure has ended. If
a member is frozen, the group continues without it, and its successor fences it
(`runtime.pollers.tenure`).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

import structlog

from runtime.contracts import Poller
from runtime.errors import ConfigurationError
from runtime.pollers.schedule import PageLimits, Schedule
from runtime.pollers.tenure import Tenure, WatermarkStore
from runtime.ports import Consumer
from runtime.values import Assignment, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import MembershipContext, keep_membership, task_group

_poll_s: Final = 0.25
"""Longest time until a stop is noticed."""
_poll_records: Final = 1000

log = structlog.get_logger()


class PollerWorker:
    """Runs one poller, one membership after the other.

    Which feeds fail, and until when each waits, outlives memberships.
    """

    def __init__(self, poller: Poller, store: WatermarkStore, context: MembershipContext) -> None:
        names = [feed.name for feed in poller.feeds]
        if not all(names) or len(set(names)) < len(names):
            raise ValueError(f"feeds need names of their own: {names}")
        settings = context.settings
        limits = PageLimits(settings.concurrency, settings.in_flight_records, poller.page_records)
        self._poller = poller
        self._store = store
        self._context = context
        self._liveness = Liveness(context.clock, context.steps)
        self._schedule = Schedule(names, limits)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: the loop or a fetch is stuck."""
        return self._liveness.liveness_problem()

    def readiness_problem(self) -> str | None:
        """Return what is missing; a standby that is a member of the group is ready."""
        return self._liveness.readiness_problem()

    def remarks(self) -> str | None:
        """Return what a person should know although it is ready: feeds that fail."""
        failing = [
            f"feed {feed} has failed {count} times in a row"
            for feed, count in sorted(self._schedule.failures.items())
        ]
        return "\n".join(filter(None, [self._liveness.remarks(), *failing])) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then publish what is fetched and leave.

        What only a person can mend halts the work, which looks again now and then.

        Raises:
            ConfigurationError: it had halted when it had to stop; nothing was skipped.
        """
        halted_by = await keep_membership(
            self._context, self._member, liveness=self._liveness, stopping=stopping
        )
        if halted_by is not None:
            raise halted_by

    def _member(self, stopping: asyncio.Event) -> "_Session":
        def tenure(assignment: Assignment) -> Tenure:
            return Tenure(
                self._poller,
                self._store,
                self._context,
                self._liveness,
                self._schedule,
                assignment,
            )

        return _Session(tenure, self._context, self._liveness, self._schedule, stopping)


class _Session:
    """One membership."""

    def __init__(
        self,
        new_tenure: Callable[[Assignment], Tenure],
        context: MembershipContext,
        liveness: Liveness,
        schedule: Schedule,
        stopping: asyncio.Event,
    ) -> None:
        self._new_tenure = new_tenure
        self._context = context
        self._liveness = liveness
        self._schedule = schedule
        self._stopping = stopping
        self._tenure: Tenure | None = None
        self._begun = asyncio.Event()
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        return {}

    @property
    def in_flight(self) -> int:
        return self._schedule.records

    @property
    def oldest_since_s(self) -> float | None:
        return None

    async def work(self, consumer: Consumer) -> None:
        async with task_group() as tasks:
            leading = tasks.create_task(self._lead(consumer))
            try:
                while not self._stopping.is_set():
                    self._liveness.heartbeat()
                    # The records are of no use here: a tenure reads them when it takes over.
                    await consumer.poll(max_records=_poll_records, timeout_s=_poll_s)
                    await asyncio.sleep(0)  # polling may never suspend while records are available
                await self._rest()
            finally:
                leading.cancel()

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        log.info("revoked", worker=self._context.name, partitions=len(partitions))
        await self._rest()
        self._liveness.lost()

    async def assigned(self, assignment: Assignment) -> None:
        log.info("assigned", worker=self._context.name, partitions=len(assignment.partitions))
        await self._rest()
        if any(source.partition for source in assignment.partitions):
            raise ConfigurationError(
                f"the topics of {self._context.name} need one partition each, so that one member "
                f"is active: {sorted(assignment.partitions)}"
            )
        self._liveness.owns(assignment.partitions)
        self._context.worked("membership")
        if assignment.partitions:
            self._liveness.waits_for = "its watermarks"
            self._tenure = self._new_tenure(assignment)
            self._at_rest.clear()
            self._begun.set()

    async def _rest(self) -> None:
        """Return once no tenure is under way."""
        if self._tenure is not None:
            self._tenure.end()
        await self._at_rest.wait()

    async def _lead(self, consumer: Consumer) -> None:
        """Run each tenure that has begun, for ever."""
        while True:
            await self._begun.wait()
            self._begun.clear()
            try:
                if self._tenure is not None:
                    await self._tenure.run(consumer)
            finally:
                self._tenure = None
                self._at_rest.set()
