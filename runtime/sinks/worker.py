"""Runs a Sink: batches across partitions, stored whole, then committed.

While a batch is written the next one is collected and prepared, in a second task: `_write`, one at
a time. All else is done by one task. A rebalance waits until the sink is at rest: the batch is
stored, or a try has failed. Whoever waits for the store polls meanwhile, with all partitions
paused, so that the membership outlives an outage of the store; a rebalance in that time gives up
the batch at hand, whose records the next owner reads again.

A partition of which the guard refuses a dead letter is paused until it is assigned again; what was
read of it behind that record is left out of batches, and the other partitions go on.

A sink that is ``planned`` gets its boundaries committed before it writes. Steps to the race that
this closes: write a part of [10, 20), crash; the next owner reads [10, 25) and would write the same
records under other names. With ``plan:20`` committed beside position 10 it reads [10, 20) first.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import structlog

from runtime import metrics
from runtime.contracts import Sink
from runtime.errors import ConfigurationError, PartitionPausedError, TransientError
from runtime.ports import Consumer
from runtime.sinks.batch_plans import pending
from runtime.sinks.batch_writer import BatchWriter
from runtime.sinks.batcher import Batcher, BatchLimits
from runtime.values import Assignment, Batch, Resume, Span, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import (
    Member,
    WorkerContext,
    keep_membership,
    keep_trying,
    task_group,
    watch,
)

_poll_records: Final = 1000
_poll_s: Final = 0.25
"""Longest wait for records: a stop is noticed as late as this."""
_plan_patience_s: Final = 30.0
"""So long without the rest of a planned span: enter anew, to learn where the log starts now."""

log = structlog.get_logger()


class _AbandonedError(Exception):
    """The batch at hand is given up, nothing of it is committed: stopping, or not the owner."""


class SinkWorker:
    """Runs one sink as a member of its group, one membership after the other."""

    def __init__(self, sink: Sink, context: WorkerContext) -> None:
        self._sink = sink
        self._around = context
        self._vitals = Liveness(context.clock, context.steps)
        self._storer = BatchWriter(sink, context, self._vitals)

    def liveness_problem(self) -> str | None:
        """Return why the process should be killed: the loop or a call of the sink is stuck."""
        return self._vitals.liveness_problem()

    def readiness_problem(self) -> str | None:
        """Return what is missing: partitions, or a store that took the last batch."""
        return self._vitals.readiness_problem()

    def remarks(self) -> str | None:
        """Return what a person should know although it is ready: partitions that are paused."""
        return self._vitals.remarks()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then store what is collected, leave, close the sink.

        What only a person can mend halts the work, which looks again now and then.

        Raises:
            ConfigurationError: it had halted when it was told to stop; nothing was skipped.
            GivenUpError: as well, for a defect of the sink.
            RestartNeededError: it must not go on by itself; nothing was skipped.
        """
        async with AsyncExitStack() as opened:

            async def opening() -> None:
                await opened.enter_async_context(self._sink)

            context, liveness = self._around, self._vitals
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
        return _Session(self._storer, self._around, self._vitals, stopping)


class _Session:
    """One membership; all of it runs in one task but `_write`, and `watch`, which only reads."""

    def __init__(
        self,
        storer: BatchWriter,
        context: WorkerContext,
        liveness: Liveness,
        stopping: asyncio.Event,
    ) -> None:
        settings = context.settings
        self._storer = storer
        self._around = context
        self._vitals = liveness
        self._stopping = stopping
        self._limits = BatchLimits(
            settings.batch_records, settings.batch_bytes, settings.batch_age_s
        )
        self._assignment: Assignment | None = None
        self._batcher: Batcher | None = None
        self._reading: set[TopicPartition] = set()
        self._positions: dict[TopicPartition, int] = {}
        self._held_since_s: dict[int, float] = {}
        """Of each batch that is not stored, by identity, since when its oldest record is held."""
        self._paused: dict[TopicPartition, float] = {}
        """Partitions that the guard has paused, and since when a record of theirs is held."""
        self._polling = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        return self._positions

    @property
    def in_flight(self) -> int:
        return len(self._batcher) if self._batcher else 0

    @property
    def oldest_since_s(self) -> float | None:
        collecting_s = self._batcher.oldest_since_s if self._batcher else None
        known = [*self._held_since_s.values(), *self._paused.values()]
        return min(known if collecting_s is None else [*known, collecting_s], default=None)

    async def work(self, consumer: Consumer) -> None:
        self._consumer = consumer
        async with task_group() as self._tasks:
            figures = self._tasks.create_task(watch(self, consumer, self._around))
            try:
                while not self._stopping.is_set():
                    try:
                        await self._poll_once()
                    except _AbandonedError:
                        log.info("batch given up", worker=self._around.name)
                await self._drain()
            finally:
                self._forget()
                figures.cancel()
                if self._writing is not None:
                    self._writing.cancel()

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        log.info("revoked", worker=self._around.name, partitions=len(partitions))
        await self._at_rest.wait()
        self._forget()

    async def assigned(self, assignment: Assignment) -> None:
        log.info("assigned", worker=self._around.name, partitions=len(assignment.partitions))
        self._forget()
        self._assignment = assignment
        self._consumer.pause(assignment.partitions)  # until the sink says where to start

    def _forget(self) -> None:
        self._vitals.unfinished.given_up(self.oldest_since_s, self._positions)
        self._vitals.lost()
        self._assignment, self._batcher, self._positions, self._reading = None, None, {}, set()
        self._held_since_s, self._paused = {}, {}

    async def _poll_once(self) -> None:
        if self._assignment is not None and self._batcher is None:
            await self._written()
            if self._assignment is not None:
                await self._take_over(self._assignment)
        await self._poll()
        if self._batcher is not None and self._batcher.due(self._around.clock.monotonic_s()):
            await self._hand_over(self._take(self._batcher))

    async def _drain(self) -> None:
        """Polling has stopped: store what is collected within the bound; the caller leaves."""
        log.info("draining", worker=self._around.name, in_flight=self.in_flight)
        try:
            async with asyncio.timeout(self._around.settings.drain_timeout_s):
                await self._written()
                if self._batcher is not None and len(self._batcher):
                    await self._store(self._take(self._batcher))
        except (_AbandonedError, TimeoutError):
            log.info("batch given up", worker=self._around.name)

    async def _take_over(self, assignment: Assignment) -> None:
        """Let the sink say where to start, and first finish what may be written in part."""
        retry_until_final, sink = self._storer.retry_until_final, self._storer.sink
        resumes = await retry_until_final("assign", partial(sink.assigned, assignment), self._hold)
        starts = {source: resume.offset for source, resume in resumes.items()}
        self._positions = {  # what retention has deleted is nothing to do
            source: max(start, assignment.partitions[source].log_start)
            for source, start in starts.items()
        }
        self._storer.assigned(starts)
        self._vitals.owns(starts)
        self._vitals.waits_for = "a planned batch"
        if sink.planned:
            ask = partial(self._consumer.committed, tuple(starts))
            committed = await retry_until_final("committed", ask, self._hold)
            for source, resume in resumes.items():
                span = pending(committed[source]) or _unfinished(resume)
                if span is not None:
                    await self._finish(source, span, assignment.partitions[source].log_start)
                    starts[source] = span.end
        for source, start in starts.items():  # what retention has deleted is a gap in the span
            self._consumer.seek(source, max(start, assignment.partitions[source].log_start))
        self._batcher = Batcher(self._limits, starts)
        self._read(set(starts))
        self._vitals.waits_for = None
        self._around.worked("membership")

    async def _finish(self, source: TopicPartition, span: Span, log_start: int) -> None:
        """Store a planned span of one partition, while the others wait."""
        self._batcher = batcher = Batcher(
            self._limits, {source: span.start}, ends={source: span.end}
        )
        if log_start < span.end:  # else nothing of it exists any more
            self._consumer.seek(source, max(span.start, log_start))
            self._read({source})
            await self._collect_plan(batcher, source, span.end)
            self._read(set())
        log.info("planned batch again", worker=self._around.name, records=len(batcher))
        await self._store(self._take(batcher))

    async def _collect_plan(self, batcher: Batcher, source: TopicPartition, end: int) -> None:
        assignment, clock = self._assignment, self._around.clock
        collected, since_s = 0, clock.monotonic_s()
        while not batcher.due(clock.monotonic_s()):
            await self._poll()
            self._go_on_with(assignment)
            if len(batcher) > collected:
                collected, since_s = len(batcher), clock.monotonic_s()
            if clock.monotonic_s() - since_s > _plan_patience_s:
                log_end = (await self._consumer.log_ends((source,)))[source]
                if log_end < end:
                    raise ConfigurationError(
                        f"a batch of {source.topic}/{source.partition} was planned up to offset "
                        f"{end}, but the log ends at {log_end}: records were lost or the topic was "
                        f"made anew; reset the group's offsets, then start again"
                    )
                raise TransientError(f"a planned batch of {source} does not come to its end")

    def _read(self, sources: set[TopicPartition]) -> None:
        """Fetch from these, but for those that the guard has paused, and no others."""
        sources = sources - self._paused.keys()
        self._consumer.pause(self._reading - sources)
        self._consumer.resume(sources - self._reading)
        self._reading = sources

    def _take(self, batcher: Batcher) -> Batch:
        since_s, batch = batcher.oldest_since_s, batcher.take()
        if since_s is not None:
            self._held_since_s[id(batch)] = since_s
        return batch

    async def _hand_over(self, batch: Batch) -> None:
        """Have a batch written, once the one before it is."""
        assignment, sink = self._assignment, self._storer.sink
        pause = self._around.clock.sleep  # not `_hold`: the batch before this one may be using it
        await self._storer.retry_until_final("prepare", partial(sink.prepare, batch), pause)
        await self._written()
        if self._assignment is not assignment:
            raise _AbandonedError
        self._writing = self._tasks.create_task(self._write(batch))

    async def _written(self) -> None:
        """Wait until no batch is being written any more."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))
            self._writing = None

    async def _write(self, batch: Batch) -> None:
        try:
            await self._store(batch)
        except _AbandonedError:
            log.info("batch given up", worker=self._around.name)

    async def _store(self, batch: Batch) -> None:
        positions, held_since_s = self._positions, self._held_since_s
        since_s = held_since_s.get(id(batch))

        def pause(source: TopicPartition, why: PartitionPausedError) -> None:
            self._pause(source, why, since_s)

        self._at_rest.clear()
        try:
            ends = await self._storer.store(
                _without(batch, self._paused), self._consumer, self._hold, pause
            )
        finally:
            self._at_rest.set()
        positions.update(ends)
        held_since_s.pop(id(batch), None)
        self._vitals.waits_for = None

    def _pause(
        self, source: TopicPartition, why: PartitionPausedError, since_s: float | None
    ) -> None:
        """Have the others go on without a partition."""
        log.error("paused", worker=self._around.name, **source._asdict(), why=str(why))
        self._paused[source] = self._around.clock.monotonic_s() if since_s is None else since_s
        self._read(set(self._reading))
        self._vitals.paused(source, str(why))
        metrics.worker.paused.labels(self._around.name).set(self._vitals.paused_count)

    async def _poll(self) -> None:
        batcher = self._batcher
        if batcher is None:
            await self._receive(max_records=1, timeout_s=_poll_s)
            return
        due_in_s = batcher.due_in_s(self._around.clock.monotonic_s())
        await self._receive(
            max_records=min(batcher.room, _poll_records),
            timeout_s=_poll_s if due_in_s is None else min(due_in_s, _poll_s),
        )

    async def _receive(self, *, max_records: int, timeout_s: float) -> None:
        """Poll, and collect what comes."""
        self._vitals.heartbeat()
        await asyncio.sleep(0)  # polling may never suspend while records are at hand
        async with self._polling:
            deliveries = await self._consumer.poll(max_records=max_records, timeout_s=timeout_s)
        if self._batcher is None:
            return  # nobody has said yet where to start: it is sought from there
        now_s = self._around.clock.monotonic_s()
        for delivery in deliveries:
            if delivery.source in self._paused:
                continue  # fetched before it was paused
            try:
                self._batcher.add(delivery, now_s)
            except ValueError as error:
                raise ConfigurationError(
                    f"{delivery.topic}/{delivery.partition} went back ({error}), as if the topic "
                    f"had been made anew: reset the group's offsets, then start again"
                ) from None

    async def _hold(self, delay_s: float) -> None:
        """Wait as a member of the group that reads nothing.

        Raises:
            _AbandonedError: stopping, or the assignment is another now.
        """
        self._vitals.waits_for = "a step that fails, and tries again"
        assignment, reading, clock = self._assignment, self._reading, self._around.clock
        at_rest = self._at_rest.is_set()
        self._at_rest.set()
        self._read(set())
        until_s = clock.monotonic_s() + delay_s
        while (left_s := until_s - clock.monotonic_s()) > 0:
            self._go_on_with(assignment)
            await self._receive(max_records=1, timeout_s=min(left_s, _poll_s))
        self._go_on_with(assignment)
        self._read(reading)
        if not at_rest:
            self._at_rest.clear()

    def _go_on_with(self, assignment: Assignment | None) -> None:
        """Raise where the batch at hand has to be given up."""
        if self._stopping.is_set():
            self._forget()  # what was read after that batch must not be stored without it
        if self._assignment is not assignment:
            raise _AbandonedError


def _unfinished(resume: Resume) -> Span | None:
    return None if resume.planned_end is None else Span(resume.offset, resume.planned_end)


def _without(batch: Batch, sources: Collection[TopicPartition]) -> Batch:
    """Return a batch without some partitions, the same one where it has none of them."""
    if not batch.spans.keys() & set(sources):
        return batch
    deliveries = tuple(each for each in batch.deliveries if each.source not in sources)
    spans = {source: span for source, span in batch.spans.items() if source not in sources}
    return Batch(deliveries, spans)
