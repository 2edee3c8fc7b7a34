"""Runs a Sink: batches across partitions, stored whole, then committed.

`runtime.sinks.phase` decides the next step; its docstring has the stages and the invariants.
`runtime.sinks.driver` carries the steps out.

If the guard refuses a dead letter, its partition is paused until it is assigned again. Batches
leave out the later records of that partition; the other partitions continue.

A sink that is ``planned`` gets its boundaries committed before it writes. Steps to the race that
this closes: write a part of [10, 20), crash; the next owner reads [10, 25) and would write the same
records under other names. With ``plan:20`` committed at position 10 it reads [10, 20) first.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from typing import Generic

import structlog

from runtime.contracts import Prepared, Sink
from runtime.ports import Consumer
from runtime.sinks.batch_writer import BatchWriter
from runtime.sinks.driver import Owned, SinkDriver
from runtime.values import Assignment, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import (
    Member,
    WorkerContext,
    keep_membership,
    keep_trying,
    task_group,
    watch,
)

log = structlog.get_logger()


class SinkWorker(Generic[Prepared]):
    """Runs one sink as a member of its group, one membership after the other."""

    def __init__(self, sink: Sink[Prepared], context: WorkerContext) -> None:
        self._sink = sink
        self._context = context
        self._liveness = Liveness(context.clock, context.steps)
        self._writer = BatchWriter(sink, context, self._liveness)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: the loop or a call of the sink is stuck."""
        return self._liveness.liveness_problem()

    def readiness_problem(self) -> str | None:
        """Return what is missing: partitions, or a store that accepted the last batch."""
        return self._liveness.readiness_problem()

    def remarks(self) -> str | None:
        """Return what a person should know although it is ready: partitions that are paused."""
        return self._liveness.remarks()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then store the collected records, leave, close the sink.

        What only a person can mend halts the work, which looks again now and then.

        Raises:
            ConfigurationError: it had halted before it was stopped; nothing was skipped.
            RetriesExhaustedError: as well, for a defect of the sink.
            RestartNeededError: only a restart may continue; nothing was skipped.
        """
        async with AsyncExitStack() as opened:

            async def opening() -> None:
                await opened.enter_async_context(self._sink)

            context, liveness = self._context, self._liveness
            halted_by = await keep_trying(
                "open", opening, context, liveness=liveness, stopping=stopping
            )
            if not stopping.is_set():
                halted_by = await keep_membership(
                    context, self._member, liveness=liveness, stopping=stopping
                )
        if halted_by is not None:
            raise halted_by

    def _member(self, stopping: asyncio.Event) -> Member:
        return _Membership(self._writer, self._context, self._liveness, stopping)


class _Membership(Generic[Prepared]):
    """One membership; its driver begins with the consumer that it is given."""

    def __init__(
        self,
        writer: BatchWriter[Prepared],
        context: WorkerContext,
        liveness: Liveness,
        stopping: asyncio.Event,
    ) -> None:
        self._writer = writer
        self._context = context
        self._liveness = liveness
        self._stopping = stopping
        self._driver: SinkDriver[Prepared] | None = None

    @property
    def _owned(self) -> Owned[Prepared] | None:
        return self._driver.owned if self._driver else None

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        return self._owned.positions if self._owned else {}

    @property
    def in_flight(self) -> int:
        return len(self._owned.batcher) if self._owned and self._owned.batcher else 0

    @property
    def oldest_since_s(self) -> float | None:
        return self._owned.oldest_since_s if self._owned else None

    async def work(self, consumer: Consumer) -> None:
        async with task_group() as tasks:
            self._driver = SinkDriver(self._writer, self._context, self._liveness, consumer, tasks)
            figures = tasks.create_task(watch(self, consumer, self._context))
            try:
                await self._driver.run(self._stopping)
            finally:
                self._driver.close()
                figures.cancel()

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        log.info("revoked", worker=self._context.name, partitions=len(partitions))
        if self._driver is not None:
            await self._driver.revoked()

    async def assigned(self, assignment: Assignment) -> None:
        log.info("assigned", worker=self._context.name, partitions=len(assignment.partitions))
        if self._driver is not None:
            await self._driver.assigned(assignment)
