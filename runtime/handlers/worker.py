"""Runs a Handler: in order within a key, concurrently across keys, nothing done before it is kept.

One task polls, commits and owns the state of an assignment; a fixed pool of runners takes records
from the lanes. A record counts as done once all that the handler returned for it, or its dead
letter, is acknowledged. On revocation what is done is committed and the state is closed: its
runners are cancelled, and one that completes all the same is ignored.

Back-pressure: while the bound of records or bytes is reached nothing is polled; when that lasts,
all partitions are paused and polling goes on, so that the membership is kept. A partition whose
position stands still (a key that waits for the world) is paused once too much beyond it is done,
because all of that would be read again after a crash. Where keys that wait for the world hold up
half of the bound, their partitions are paused, so that the other half is left to the rest.

A partition of which the guard refuses a dead letter is paused until it is assigned again: its
position stays before that record, and the other partitions go on.
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
"""Longest wait for records: a stop is noticed as late as this."""

_poll_records: Final = 500
_full_s: Final = 0.5
"""So long without room before partitions are paused; pausing throws away what was fetched ahead."""

log = structlog.get_logger()


class Worker:
    """Runs one handler as a member of its group, one membership after the other.

    Where it puts records off, it is a member of a second group, which reads those ``delayed``.
    """

    def __init__(
        self, handler: Handler, context: WorkerContext, delayed: Delayed | None = None
    ) -> None:
        self._around = context
        self._surroundings = [context] if delayed is None else [context, delayed.context]
        self._vitals = [Liveness(each.clock, each.steps) for each in self._surroundings]
        delays = RetryTopics() if delayed is None else delayed.delays
        self._settler = RecordProcessor(handler, context, self._vitals[0], delays)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: a loop or a call of the handler is stuck."""
        return next(filter(None, (liveness.liveness_problem() for liveness in self._vitals)), None)

    def readiness_problem(self) -> str | None:
        """Return what is missing: partitions, or brokers that acknowledge."""
        if not self._around.publisher.ready:
            return "waits for brokers that acknowledge"
        return next(filter(None, (liveness.readiness_problem() for liveness in self._vitals)), None)

    def remarks(self) -> str | None:
        """Return what a person should know although it is ready: partitions that are paused."""
        found = [remarks for liveness in self._vitals if (remarks := liveness.remarks())]
        return "\n".join(found) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then drain.

        What only a person can mend halts the work, which looks again now and then.

        Raises:
            ConfigurationError: it had halted when it was told to stop.
            RestartNeededError: it must not go on by itself; records not done stay uncommitted.
        """
        async with task_group() as tasks:
            ends = [
                tasks.create_task(
                    keep_membership(
                        context,
                        partial(_Session, self._settler, context, liveness),
                        liveness=liveness,
                        stopping=stopping,
                    )
                )
                for context, liveness in zip(self._surroundings, self._vitals, strict=True)
            ]
        for halted_by in [end.result() for end in ends]:
            if halted_by is not None:
                raise halted_by


class _Session:
    """One membership. Everything but `_run_lanes` runs in the polling task."""

    def __init__(
        self,
        settler: RecordProcessor,
        context: WorkerContext,
        liveness: Liveness,
        stopping: asyncio.Event,
    ) -> None:
        self._settler = settler
        self._around = context
        self._vitals = liveness
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
            figures = tasks.create_task(watch(self, consumer, self._around))
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
        log.info("revoked", worker=self._around.name, partitions=len(partitions))
        await self._commit()
        self._close()

    async def assigned(self, assignment: Assignment) -> None:
        log.info("assigned", worker=self._around.name, partitions=len(assignment.partitions))
        self._close()
        committed = await self._consumer.committed(tuple(assignment.partitions))
        state = AssignmentState(assignment, committed, self._around)
        for source, start in state.starts.items():
            self._consumer.seek(source, start)
        for _ in range(self._around.settings.concurrency):
            state.runners.append(self._tasks.create_task(self._run_lanes(state)))
        self._state = state
        self._settler.assigned(self._around, state.starts)
        self._vitals.owns(state.starts)
        self._around.worked("membership")

    def _close(self) -> None:
        self._vitals.unfinished.given_up(self.oldest_since_s, self.positions)
        self._vitals.lost()
        if self._state is not None:
            self._state.close()
            self._state = None

    async def _poll_once(self) -> None:
        """Poll once and commit when it is time."""
        self._vitals.heartbeat()
        await asyncio.sleep(0)  # polling may never suspend while records are at hand
        room = await self._capacity()
        deliveries = await self._consumer.poll(
            max_records=max(1, min(room, _poll_records)), timeout_s=_poll_s if room else 0.0
        )
        if deliveries and self._state is not None:
            self._state.take(deliveries)
        now_s = self._around.clock.monotonic_s()
        if self._commit_is_due(now_s):
            self._committed_s = now_s
            await self._commit()

    def _commit_is_due(self, now_s: float) -> bool:
        settings = self._around.settings
        if now_s - self._committed_s >= settings.commit_interval_s:
            return True
        return self._state is not None and self._state.finished_count >= settings.commit_records

    async def _capacity(self) -> int:
        """Return how many records may be polled, after a while of waiting for some room."""
        state = self._state
        if state is None:
            return self._around.settings.in_flight_records
        if state.lanes.room == 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(_full_s):
                    await state.until(lambda: state.lanes.room > 0)
        if state.lanes.room:
            pause = state.crowded | state.held_up(self._settler.waiting) | state.refused.keys()
        else:
            pause = set(state.starts)
        if pause != state.paused:
            self._consumer.pause(pause - state.paused)
            self._consumer.resume(state.paused - pause)
            state.paused = pause
        return state.lanes.room

    async def _commit(self) -> None:
        """Commit what is done; where that fails, the next time does, or it is repeated."""
        if self._state is None:
            return
        state, name = self._state, self._around.name
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
            self._around.failed("commit", FaultKind.TRANSIENT, error)
        else:
            self._around.worked("commit")
            state.committed(positions)

    async def _drain(self) -> None:
        """Polling has stopped: let lanes finish within the bound, commit; the caller leaves.

        Nothing is left to flush: what is done has been acknowledged.
        """
        state = self._state
        if state is None:
            return
        self._vitals.waits_for = "its end"
        log.info("draining", worker=self._around.name, in_flight=len(state.lanes))
        if self._halted_by is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._around.settings.drain_timeout_s):
                    await state.until(lambda: len(state.lanes) == 0)
        await self._commit()
        log.info("drained", worker=self._around.name, given_up=len(state.lanes))

    async def _run_lanes(self, state: AssignmentState) -> None:
        """Settle records of one lane after the other: the body of a runner."""
        while not state.closed:
            delivery = await state.startable.get()
            if delivery.source in state.refused:
                state.let_go(delivery)
                continue
            try:
                await self._settler.process(delivery)
            except PartitionPausedError as paused:
                self._pause(state, delivery, paused)
                continue
            except Exception as error:  # noqa: BLE001 - whatever ends a runner has to end the work
                self._halted_by = self._halted_by or error
                return
            state.finish(delivery)

    def _pause(
        self, state: AssignmentState, delivery: Delivery, paused: PartitionPausedError
    ) -> None:
        """Have the others go on without the partition of this record."""
        if not state.closed and delivery.source not in state.refused:
            log.error(
                "paused", worker=self._around.name, **delivery.source._asdict(), why=str(paused)
            )
            self._vitals.paused(delivery.source, str(paused))
            metrics.worker.paused.labels(self._around.name).set(self._vitals.paused_count)
        state.refuse(delivery)
