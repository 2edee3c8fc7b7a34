"""Drives one membership of a sink: acts as `runtime.sinks.phase` decides, and reports to it.

One loop polls and prepares. A call into the sink, a take-over or the storing of a batch, runs in a
task of its own, so that the next batch is collected and prepared meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, assert_never

import structlog

from runtime import metrics
from runtime.contracts import Prepared
from runtime.errors import ConfigurationError, PartitionPausedError, TransientError
from runtime.ports import Consumer
from runtime.sinks import observations, phase
from runtime.sinks.batch_plans import pending
from runtime.sinks.batch_writer import BatchWriter, PreparedBatch
from runtime.sinks.batcher import Batcher
from runtime.sinks.observations import (
    Observation,
    PartitionsAssigned,
    PartitionsRevoked,
    PlannedSpan,
)
from runtime.sinks.phase import ReadingState, SinkPhase
from runtime.values import Assignment, Batch, BatchLimits, Delivery, Resume, Span, TopicPartition
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext

_poll_records: Final = 1000
_poll_s: Final = 0.25
"""Longest wait for records, and until a stop is noticed."""

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Owned(Generic[Prepared]):
    """What belongs to one assignment: the next one has its own, so no late result reaches it."""

    assignment: Assignment
    starts: Mapping[TopicPartition, int] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    batcher: Batcher | None = None
    reading: set[TopicPartition] = field(default_factory=set)
    paused: dict[TopicPartition, float] = field(default_factory=dict)
    """Partitions that the guard has paused, and since when a record of theirs is held."""
    unstored: list["_Taken[Prepared]"] = field(default_factory=list)
    """Batches that are taken and not stored: one that is written, and one that is ready."""

    @property
    def oldest_since_s(self) -> float | None:
        """Since when, by the clock's monotonic time, the oldest record is held."""
        collecting_s = self.batcher.oldest_since_s if self.batcher else None
        known_s = [collecting_s, *(each.since_s for each in self.unstored), *self.paused.values()]
        return min((each_s for each_s in known_s if each_s is not None), default=None)

    def log_start(self, source: TopicPartition) -> int:
        """Return where the log began at the assignment."""
        return self.assignment.partitions[source].log_start


@dataclass(frozen=True, slots=True, eq=False)
class _Taken(Generic[Prepared]):
    """A batch on its way to the sink, and since when its oldest record is held."""

    ready: PreparedBatch[Prepared]
    since_s: float | None


class SinkDriver(Generic[Prepared]):
    """Does what the phase decides, and reports to it what happened."""

    def __init__(
        self,
        writer: BatchWriter[Prepared],
        context: WorkerContext,
        liveness: Liveness,
        consumer: Consumer,
        tasks: asyncio.TaskGroup,
    ) -> None:
        settings = context.settings
        self.owned: Owned[Prepared] | None = None
        self._writer = writer
        self._context = context
        self._liveness = liveness
        self._consumer = consumer
        self._tasks = tasks
        self._limits = writer.sink.limits or BatchLimits(
            settings.batch_records, settings.batch_bytes, settings.batch_age_s
        )
        self._phase = SinkPhase()
        self._call: asyncio.Task[None] | None = None
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until ``stopping`` is set, then store the collected records, within a time limit."""
        while not stopping.is_set():
            await self._act()
        in_flight = len(self.owned.batcher) if self.owned and self.owned.batcher else 0
        log.info("draining", worker=self._context.name, in_flight=in_flight)
        self._see(observations.StopRequested())
        try:
            async with asyncio.timeout(self._context.settings.drain_timeout_s):
                while self._phase.action != phase.Leave():
                    await self._act()
        except TimeoutError:
            log.info("batch abandoned", worker=self._context.name)

    def close(self) -> None:
        """Forget the assignment. A running call is cancelled; its result is unknown.

        The client may report changes while the member leaves; they must not wait for that call.
        """
        self._forget()
        if self._call is not None:
            self._call.cancel()
        self._phase = SinkPhase(phase.SinkStage.LEFT)
        self._at_rest.set()

    async def revoked(self) -> None:
        """Wait until no call runs, then forget the assignment."""
        # The next owner reads from what is committed when this returns: a batch that is stored but
        # not committed would be read again. One whose try has failed might wait for minutes, so it
        # is given up.
        while not self._phase.at_rest:
            await self._at_rest.wait()
        await self._lose(observations.PartitionsRevoked())

    async def assigned(self, assignment: Assignment) -> None:
        """Own these partitions; nothing is read until the sink has said where to start."""
        await self._lose(observations.PartitionsAssigned())
        self.owned = Owned(assignment)
        self._consumer.pause(assignment.partitions)

    async def _lose(self, seen: PartitionsRevoked | PartitionsAssigned) -> None:
        self._forget()
        self._see(seen)
        if self._phase.action == phase.GiveUp():
            # Before the rebalance continues: a further try would write as the owner that it was.
            await self._give_up()

    def _forget(self) -> None:
        oldest_since_s = self.owned.oldest_since_s if self.owned else None
        self._liveness.unfinished.given_up(
            oldest_since_s, self.owned.positions if self.owned else {}
        )
        self._liveness.lost()
        self.owned = None

    def _see(self, seen: Observation) -> None:
        """Move to the next state; no await, so that both tasks may call it."""
        self._phase = self._phase.next(seen).phase
        if self._phase.at_rest:
            self._at_rest.set()
        else:
            self._at_rest.clear()
        self._read()

    async def _act(self) -> None:
        match self._phase.action:
            case phase.Poll():
                await self._poll()
            case phase.TakeOver():
                self._begin(self._take_over(self._held()))
            case phase.Collect(plan):
                self._collect(self._held(), plan)
            case phase.RefusePlan(plan):
                await self._refuse(plan)
            case phase.Prepare():
                await self._prepare(self._held())
            case phase.Write():
                owned = self._held()
                self._begin(self._store(owned, owned.unstored[0]))
            case phase.AwaitCall():
                await self._at_rest.wait()
            case phase.GiveUp():
                await self._give_up()
            case phase.Leave():  # pragma: no cover - `run` has ended by then
                raise RuntimeError("the member has left")
            case action:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(action)

    def _held(self) -> Owned[Prepared]:
        if self.owned is None:
            raise RuntimeError("nothing is assigned")
        return self.owned

    def _begin(self, call: Awaitable[Observation]) -> None:
        self._call = self._tasks.create_task(self._run(call))
        self._see(observations.CallBegan())

    async def _run(self, call: Awaitable[Observation]) -> None:
        self._see(await call)

    async def _between_tries(self, delay_s: float) -> None:
        """Wait until the call may try again; meanwhile the loop polls, and may give it up."""
        self._liveness.waits_for = "a step that fails, and tries again"
        self._see(observations.TryFailed())
        await self._context.clock.sleep(delay_s)
        if self._phase.call is phase.SinkCall.ABANDONED:
            await asyncio.get_running_loop().create_future()  # until it is cancelled
        self._see(observations.TryBegan())

    async def _give_up(self) -> None:
        """End a call between two tries: nothing of it is committed, its records are read again."""
        log.info("batch abandoned", worker=self._context.name)
        if self._call is not None:
            self._call.cancel()
            await asyncio.wait((self._call,))
        if self._phase.stage is phase.SinkStage.LEFT:
            self._forget()  # else the partitions belong to another assignment by now, or to none
        self._see(observations.GaveUp())

    async def _take_over(self, owned: Owned[Prepared]) -> Observation:
        """Let the sink say where to start; return what may be stored in part."""
        retry_until_final, sink = self._writer.retry_until_final, self._writer.sink
        pause = self._between_tries
        resumes = await retry_until_final("assign", partial(sink.assigned, owned.assignment), pause)
        starts = {source: resume.offset for source, resume in resumes.items()}
        owned.starts = starts
        # What retention has deleted is nothing to do.
        owned.positions = {s: max(start, owned.log_start(s)) for s, start in starts.items()}
        self._writer.assigned(starts)
        self._liveness.owns(starts)
        self._liveness.waits_for = "a planned batch"
        if not sink.planned:
            return observations.TookOver()
        ask = partial(self._consumer.committed, tuple(starts))
        committed = await retry_until_final("committed", ask, pause)
        spans = {s: pending(committed[s]) or _unfinished(resume) for s, resume in resumes.items()}
        plans = [PlannedSpan(s, span) for s, span in spans.items() if span is not None]
        owned.starts = starts | {plan.source: plan.span.end for plan in plans}
        return observations.TookOver(plans)

    def _collect(self, owned: Owned[Prepared], plan: PlannedSpan | None) -> None:
        now_s = self._context.clock.monotonic_s()
        if plan is None:
            for source, start in owned.starts.items():
                # What retention has deleted is a gap in the span.
                self._consumer.seek(source, max(start, owned.log_start(source)))
            owned.batcher = Batcher(self._limits, owned.starts)
            self._liveness.waits_for = None
            self._context.worked("membership")
            self._see(observations.CollectingBegan(now_s))
            return
        source, (start, end) = plan.source, (plan.span.start, plan.span.end)
        log_start = owned.log_start(source)
        owned.batcher = Batcher(self._limits, {source: start}, ends={source: end})
        if log_start < end:
            self._consumer.seek(source, max(start, log_start))
        self._see(observations.CollectingBegan(now_s, due=log_start >= end))

    async def _refuse(self, plan: PlannedSpan) -> None:
        source, end = plan.source, plan.span.end
        log_end = (await self._consumer.log_ends((source,)))[source]
        if log_end < end:
            raise ConfigurationError(
                f"a batch of {source.topic}/{source.partition} was planned up to offset "
                f"{end}, but the log ends at {log_end}: records were lost or the topic was "
                f"recreated; reset the group's offsets, then start again"
            )
        raise TransientError(f"a planned batch of {source} does not come to its end")

    async def _prepare(self, owned: Owned[Prepared]) -> None:
        batcher = owned.batcher
        if batcher is None:
            raise RuntimeError("nothing was collected")
        if self._phase.stage is phase.SinkStage.PLANNED:
            log.info("planned batch again", worker=self._context.name, records=len(batcher))
        since_s, now_s = batcher.oldest_since_s, self._context.clock.monotonic_s()
        # A stop stores everything; else the sink may leave some partitions open.
        draining = self._phase.stage is phase.SinkStage.DRAINING
        batch = batcher.take() if draining else batcher.take_due(now_s)
        # Not `_between_tries`: that is for the call, and the batch before this one may be there.
        ready = await self._writer.prepare(batch, self._context.clock.sleep)
        owned.unstored.append(_Taken(ready, since_s))
        self._see(observations.BatchPrepared(len(batcher)))

    async def _store(self, owned: Owned[Prepared], taken: _Taken[Prepared]) -> Observation:
        def pause(source: TopicPartition, why: PartitionPausedError) -> None:
            self._pause(owned, source, why, taken.since_s)

        ready, wait = taken.ready, self._between_tries
        rest = _without(ready.batch, owned.paused)
        if rest is not ready.batch:
            # It was prepared before the guard paused a partition of it.
            ready = await self._writer.prepare(rest, wait)
        owned.positions |= await self._writer.store(ready, self._consumer, wait, pause)
        owned.unstored.remove(taken)
        if self.owned is owned:  # else it is of no weight: the member waits for its new partitions
            self._liveness.waits_for = None
        return observations.Stored()

    def _pause(
        self,
        owned: Owned[Prepared],
        source: TopicPartition,
        why: PartitionPausedError,
        since_s: float | None,
    ) -> None:
        """Have the others continue without a partition."""
        log.error("paused", worker=self._context.name, **source._asdict(), why=str(why))
        owned.paused[source] = self._context.clock.monotonic_s() if since_s is None else since_s
        self._read()
        self._liveness.paused(source, str(why))
        metrics.worker.paused.labels(self._context.name).set(self._liveness.paused_count)

    def _read(self) -> None:
        """Fetch from what the phase reads, but for partitions that the guard has paused."""
        owned = self.owned
        if owned is None:
            return
        match self._phase.reads:
            case ReadingState.NOTHING:
                sources: set[TopicPartition] = set()
            case ReadingState.PLANNED_SPAN:
                sources = {self._phase.plans[0].source}
            case ReadingState.EVERYTHING:
                sources = set(owned.starts)
            case reads:  # pragma: no cover - unreachable, and mypy proves it
                assert_never(reads)
        sources -= owned.paused.keys()
        if sources != owned.reading:
            self._consumer.pause(owned.reading - sources)
            self._consumer.resume(sources - owned.reading)
            owned.reading = sources

    async def _poll(self) -> None:
        self._liveness.heartbeat()
        await asyncio.sleep(0)  # a poll with records at hand may not suspend: let the call continue
        max_records, timeout_s = self._room()
        deliveries = await self._consumer.poll(max_records=max_records, timeout_s=timeout_s)
        batcher = self.owned.batcher if self.owned else None
        if batcher is None:
            return  # read before the sink has said where to start: `_collect` seeks from there
        self._add(batcher, deliveries)
        now_s = self._context.clock.monotonic_s()
        self._see(observations.Polled(now_s, len(batcher), batcher.due(now_s)))

    def _room(self) -> tuple[int, float]:
        """Return how many records to poll, and how long to wait for them."""
        batcher = self.owned.batcher if self.owned else None
        if batcher is None or self._phase.reads is ReadingState.NOTHING:
            return 1, _poll_s
        due_in_s = batcher.due_in_s(self._context.clock.monotonic_s())
        room = min(batcher.room, _poll_records)
        return room, _poll_s if due_in_s is None else min(due_in_s, _poll_s)

    def _add(self, batcher: Batcher, deliveries: Collection[Delivery]) -> None:
        now_s, paused = self._context.clock.monotonic_s(), self._held().paused
        for delivery in deliveries:
            if delivery.source in paused:
                continue  # fetched before it was paused
            try:
                batcher.add(delivery, now_s)
            except ValueError as error:
                raise ConfigurationError(
                    f"{delivery.topic}/{delivery.partition} went back ({error}), as if the topic "
                    f"had been recreated: reset the group's offsets, then start again"
                ) from None


def _unfinished(resume: Resume) -> Span | None:
    return None if resume.planned_end is None else Span(resume.offset, resume.planned_end)


def _without(batch: Batch, sources: Collection[TopicPartition]) -> Batch:
    """Return a batch without some partitions; the same object if it has no records of them."""
    if not batch.spans.keys() & set(sources):
        return batch
    deliveries = tuple(each for each in batch.deliveries if each.source not in sources)
    spans = {source: span for source, span in batch.spans.items() if source not in sources}
    return Batch(deliveries, spans)
