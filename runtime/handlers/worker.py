"""Runs a Handler: in order within a key, concurrently across keys, each record at least once.

One task polls, commits and owns the state of an assignment; a fixed pool of runners takes records
from the lanes. A record counts as done once all results of the handler, or its dead letter, are
acknowledged. A revocation commits what is done and closes the state: its runners are cancelled, and
a late completion is ignored.

Back-pressure: while the bound of records or bytes is reached, nothing is polled. When that lasts,
all partitions are paused and polling continues, so that the membership survives. A partition whose
position is stuck (a key in retry) is paused once too many records beyond it are done, because a
crash would repeat all of them. When keys in retry hold half of the bound, their partitions are
paused, so that the other partitions have the other half.

When the guard refuses a dead letter, its partition is paused until it is assigned again: its
position stays before that record, and the other partitions continue.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from runtime import metrics
from runtime.contracts import Handler
from runtime.errors import FencedError, PartitionPausedError, TransientError
from runtime.handlers.assignment import AssignmentState
from runtime.handlers.delayed_consumer import Delayed
from runtime.handlers.record_processor import RecordProcessor
from runtime.ports import Consumer
from runtime.retries.policy import FaultKind
from runtime.retries.retry_topics import RetryTopics
from runtime.values import Assignment, Delivery, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext, keep_membership, task_group, watch

_poll_s: Final = 0.25
"""Longest wait for records, and so the longest delay of a stop."""

_poll_records: Final = 500
_full_s: Final = 0.5
"""Time at the bound before partitions are paused. A pause discards prefetched records."""

log = structlog.get_logger()


class Worker:
    """Runs one handler as a member of its group, one membership after the other.

    With retry topics it is a member of a second group, which reads those ``delayed``.
    """

    def __init__(
        self, handler: Handler, context: WorkerContext, delayed: Delayed | None = None
    ) -> None:
        self._context = context
        self._contexts = [context] if delayed is None else [context, delayed.context]
        self._livenesses = [Liveness(each.clock, each.steps) for each in self._contexts]
        delays = RetryTopics() if delayed is None else delayed.delays
        self._processor = RecordProcessor(handler, context, self._livenesses[0], delays)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: a loop or a call of the handler is stuck."""
        return next(
            filter(None, (liveness.liveness_problem() for liveness in self._livenesses)), None
        )

    def readiness_problem(self) -> str | None:
        """Return what is missing: partitions, or brokers that acknowledge."""
        if not self._context.publisher.ready:
            return "waits for brokers that acknowledge"
        return next(
            filter(None, (liveness.readiness_problem() for liveness in self._livenesses)), None
        )

    def remarks(self) -> str | None:
        """Return what an operator should know of a ready worker: its paused partitions."""
        lines = [remarks for liveness in self._livenesses if (remarks := liveness.remarks())]
        return "\n".join(lines) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then drain.

        An error that only an operator can repair halts the work; the worker tries again at
        intervals.

        Raises:
            ConfigurationError: the worker had halted when it was stopped.
            RestartNeededError: only a restart may continue; undone records stay uncommitted.
        """
        async with task_group() as tasks:
            ends = [
                tasks.create_task(
                    keep_membership(
                        context,
                        partial(_Session, self._processor, context, liveness),
                        liveness=liveness,
                        stopping=stopping,
                    )
                )
                for context, liveness in zip(self._contexts, self._livenesses, strict=True)
            ]
        for halted_by in [end.result() for end in ends]:
            if halted_by is not None:
                raise halted_by


class _Session:
    """One membership. Everything but `_run_lanes` runs in the polling task."""

    def __init__(
        self,
        processor: RecordProcessor,
        context: WorkerContext,
        liveness: Liveness,
        stopping: asyncio.Event,
    ) -> None:
        self._processor = processor
        self._context = context
        self._liveness = liveness
        self._stopping = stopping
        self._state: AssignmentState | None = None
        self._halted_by: Exception | None = None
        self._committed_s = context.clock.monotonic_s()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        return self._state.positions if self._state else {}

    @property
    def in_flight(self) -> int:
        return len(self._state.lanes) if self._state else 0

    @property
    def oldest_since_s(self) -> float | None:
        return self._state.oldest_since_s if self._state else None

    async def work(self, consumer: Consumer) -> None:
        self._consumer = consumer
        async with task_group() as tasks:
            self._tasks = tasks
            figures = tasks.create_task(watch(self, consumer, self._context))
            try:
                while not self._stopping.is_set() and self._halted_by is None:
                    await self._poll_once()
                await self._drain()
            finally:
                self._close()
                figures.cancel()
        if self._halted_by is not None:
            raise self._halted_by

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        log.info("revoked", worker=self._context.name, partitions=len(partitions))
        await self._commit()
        self._close()

    async def assigned(self, assignment: Assignment) -> None:
        log.info("assigned", worker=self._context.name, partitions=len(assignment.partitions))
        self._close()
        committed = await self._consumer.committed(tuple(assignment.partitions))
        state = AssignmentState(assignment, committed, self._context)
        for source, start in state.starts.items():
            self._consumer.seek(source, start)
        for _ in range(self._context.settings.concurrency):
            state.runners.append(self._tasks.create_task(self._run_lanes(state)))
        self._state = state
        self._processor.assigned(self._context, state.starts)
        self._liveness.owns(state.starts)
        self._context.worked("membership")

    def _close(self) -> None:
        self._liveness.unfinished.given_up(self.oldest_since_s, self.positions)
        self._liveness.lost()
        if self._state is not None:
            self._state.close()
            self._state = None

    async def _poll_once(self) -> None:
        """Poll once and commit when it is time."""
        self._liveness.heartbeat()
        await asyncio.sleep(0)  # polling may never suspend while records are available
        capacity = await self._capacity()
        deliveries = await self._consumer.poll(
            max_records=max(1, min(capacity, _poll_records)), timeout_s=_poll_s if capacity else 0.0
        )
        if deliveries and self._state is not None:
            self._state.take(deliveries)
        now_s = self._context.clock.monotonic_s()
        if self._commit_is_due(now_s):
            self._committed_s = now_s
            await self._commit()

    def _commit_is_due(self, now_s: float) -> bool:
        settings = self._context.settings
        if now_s - self._committed_s >= settings.commit_interval_s:
            return True
        return self._state is not None and self._state.finished_count >= settings.commit_records

    async def _capacity(self) -> int:
        """Return how many records may be polled, after a short wait for room."""
        state = self._state
        if state is None:
            return self._context.settings.in_flight_records
        if state.lanes.room == 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(_full_s):
                    await state.until(lambda: state.lanes.room > 0)
        if state.lanes.room:
            pause = (
                state.crowded
                | state.blocked_partitions(self._processor.waiting)
                | state.refused.keys()
            )
        else:
            pause = set(state.starts)
        if pause != state.paused:
            self._consumer.pause(pause - state.paused)
            self._consumer.resume(state.paused - pause)
            state.paused = pause
        return state.lanes.room

    async def _commit(self) -> None:
        """Commit what is done. The next commit makes up for a failed one, or its records repeat."""
        if self._state is None:
            return
        state, name = self._state, self._context.name
        metrics.worker.records.labels(name).inc(state.finished_count)
        state.finished_count = 0
        positions = state.uncommitted()
        if not positions:
            return
        try:
            await self._consumer.commit(positions)
        except FencedError:
            metrics.worker.fenced.labels(name).inc()
        except TransientError as error:
            self._context.failed("commit", FaultKind.TRANSIENT, error)
        else:
            self._context.worked("commit")
            state.committed(positions)

    async def _drain(self) -> None:
        """Let lanes finish within the time limit, and commit; the caller leaves the group.

        Polling has stopped. Nothing needs a flush: a record that is done has been acknowledged.
        """
        state = self._state
        if state is None:
            return
        self._liveness.waits_for = "its end"
        log.info("draining", worker=self._context.name, in_flight=len(state.lanes))
        if self._halted_by is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._context.settings.drain_timeout_s):
                    await state.until(lambda: len(state.lanes) == 0)
        await self._commit()
        log.info("drained", worker=self._context.name, given_up=len(state.lanes))

    async def _run_lanes(self, state: AssignmentState) -> None:
        """Process one record after the other: the body of a runner."""
        while not state.closed:
            delivery = await state.startable.get()
            if delivery.source in state.refused:
                state.release(delivery)
                continue
            try:
                await self._processor.process(delivery)
            except PartitionPausedError as paused:
                self._pause(state, delivery, paused)
                continue
            except Exception as error:  # noqa: BLE001 - an error that ends a runner has to end the work
                self._halted_by = self._halted_by or error
                return
            state.finish(delivery)

    def _pause(
        self, state: AssignmentState, delivery: Delivery, paused: PartitionPausedError
    ) -> None:
        """Pause the partition of this record; the others continue."""
        if not state.closed and delivery.source not in state.refused:
            log.error(
                "paused", worker=self._context.name, **delivery.source._asdict(), why=str(paused)
            )
            self._liveness.paused(delivery.source, str(paused))
            metrics.worker.paused.labels(self._context.name).set(self._liveness.paused_count)
        state.refuse(delivery)
