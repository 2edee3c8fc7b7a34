"""One membership of a Worker: polls, has records processed, and commits what is done.

One task polls, commits and owns the state of an assignment. The stages of a record:

1. Lane: it waits behind the earlier records of its key.
2. Runner: one of a fixed pool calls the handler. Here alone a record occupies a runner.
3. Publication: its results are sent, and the runner takes the next record. The lane stays occupied.
4. Done: the last acknowledgement frees the lane and marks the offset.

A result that is not acknowledged goes back to a runner, which retries it or writes the dead letter.

A record counts as done once all results of the handler, or its dead letter, are acknowledged. A
revocation commits what is done and closes the state: its runners are cancelled, nothing more is
sent, and a late completion is ignored.

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
from itertools import count
from typing import Final

import structlog

from runtime import metrics
from runtime.errors import FencedError, PartitionPausedError, TransientError
from runtime.handlers.assignment import AssignmentState
from runtime.handlers.publication import Publication
from runtime.handlers.record_processor import RecordProcessor
from runtime.ports import Consumer
from runtime.retries.policy import FaultKind
from runtime.values import Assignment, Delivery, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext, task_group, watch

_poll_s: Final = 0.25
"""Longest wait for records, and so the longest delay of a stop."""

_poll_records: Final = 500
_records_at_a_stretch: Final = 50
"""After so many records a runner lets the loop turn, which a handler that never waits would not."""

_full_s: Final = 0.5
"""Time at the bound before partitions are paused. A pause discards prefetched records."""

log = structlog.get_logger()


class Session:
    """One membership. All but `_run_lanes` and `_settle` runs in the polling task."""

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
        """The position of each owned partition."""
        return self._state.positions if self._state else {}

    @property
    def in_flight(self) -> int:
        """How many records are held, those that wait for acknowledgements included."""
        return len(self._state.lanes) if self._state else 0

    @property
    def oldest_since_s(self) -> float | None:
        """When the oldest of them was taken."""
        return self._state.oldest_since_s if self._state else None

    async def work(self, consumer: Consumer) -> None:
        """Work until the worker stops, and drain; see `runtime.worker.membership.Member`."""
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
        """Commit what is done, and forget the assignment."""
        log.info("revoked", worker=self._context.name, partitions=len(partitions))
        await self._commit()
        self._close()

    async def assigned(self, assignment: Assignment) -> None:
        """Start where the group's commits say, with new lanes and runners."""
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
        on_outcome = partial(self._settle, state)
        for number in count(1):
            if number % _records_at_a_stretch == 0:
                await asyncio.sleep(0)
            if state.closed:
                return
            ready, to_publish = await state.startable.get(), None
            delivery = ready.read if isinstance(ready, Publication) else ready
            try:
                if isinstance(ready, Publication):
                    await self._processor.publish_again(ready)
                elif state.refused and delivery.source in state.refused:
                    state.release(delivery)
                    continue
                else:
                    to_publish = await self._processor.process(delivery, on_outcome)
            except PartitionPausedError as paused:
                self._pause(state, delivery, paused)
            except Exception as error:  # noqa: BLE001 - an error that ends a runner has to end the work
                self._halted_by = self._halted_by or error
                return
            else:
                if to_publish is None or state.closed:
                    state.finish(delivery)
                else:
                    to_publish.send()

    def _settle(self, state: AssignmentState, publication: Publication) -> None:
        """Continue with a record after the outcome of one of its results: a callback."""
        try:
            if publication.error is not None:
                state.startable.put(publication)
            elif publication.is_acknowledged:
                self._processor.published(publication)
                state.finish(publication.read)
            elif state.closed:
                state.finish(publication.read)
            else:
                publication.send()
        except Exception as error:  # noqa: BLE001 - the sender must not be held up by a defect here
            self._halted_by = self._halted_by or error

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
