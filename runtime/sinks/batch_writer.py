"""Stores one batch for a SinkWorker: commits the plan of a planned sink, writes, commits.

Where the guard refuses a dead letter, its partition is cut off there: earlier records are stored
with the rest of the batch, and the position stays before that record. The plan of the shorter span
is committed before anything is written. Nothing can have been written under the longer plan: a sink
writes nothing of a batch while it rejects records of it.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Generic, TypeVar

from runtime import metrics
from runtime.contracts import Prepared, Sink
from runtime.errors import PartitionPausedError
from runtime.ports import Consumer, Position
from runtime.retries.loop import retry_until_final
from runtime.retries.policy import DeadLetter
from runtime.sinks.batch_plans import planned
from runtime.values import Batch, Delivery, Rejection, Span, TopicPartition
from runtime.worker.dead_letter_writer import DeadLetterWriter
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext

_longest_delay_s: Final = 4.0
"""A sink retries one call at a time, so it may retry often: it continues soon after the
store is back."""

Result = TypeVar("Result")
Pause = Callable[[float], Awaitable[None]]
Paused = Callable[[TopicPartition, PartitionPausedError], None]


@dataclass(frozen=True, slots=True)
class PreparedBatch(Generic[Prepared]):
    """A batch, and what the sink has made of it."""

    batch: Batch
    prepared: Prepared


class BatchWriter(Generic[Prepared]):
    """Calls the sink; ``pause`` waits between attempts. To give a batch up, cancel the call."""

    def __init__(self, sink: Sink[Prepared], context: WorkerContext, liveness: Liveness) -> None:
        self.sink = sink
        self._context = context
        self._dead_letters = DeadLetterWriter(context)
        self._liveness = liveness

    def assigned(self, starts: Mapping[TopicPartition, int]) -> None:
        """Note from where partitions are read."""
        self._dead_letters.assigned(starts)

    async def retry_until_final(
        self, stage: str, call: Callable[[], Awaitable[Result]], pause: Pause
    ) -> Result:
        """Return what the call returns in the end; see `loop.retry_until_final`."""
        failed = partial(self._context.failed, stage)
        policy = replace(self._context.policy, limit_s=_longest_delay_s)
        result = await retry_until_final(call, policy=policy, pause=pause, failed=failed)
        self._context.worked(stage)
        return result

    async def prepare(self, batch: Batch, pause: Pause) -> PreparedBatch[Prepared]:
        """Have the sink prepare a batch.

        Raises:
            RetriesExhaustedError: for a defect of the sink.
        """
        call = partial(self.sink.prepare, batch)
        return PreparedBatch(batch, await self.retry_until_final("prepare", call, pause))

    async def store(
        self, ready: PreparedBatch[Prepared], consumer: Consumer, pause: Pause, paused: Paused
    ) -> Mapping[TopicPartition, int]:
        """Store a batch and commit its positions, which it returns; all that may be stored is.

        ``paused`` is called for each partition that is cut off, before anything is stored.

        Raises:
            ConfigurationError, RetriesExhaustedError, RuntimeError: nothing was skipped; halt.
            FencedError: another owner has the partitions.
        """
        await self._plan(ready.batch, consumer, pause)
        rest = ready
        while rest.batch.spans and (
            rejections := await self.retry_until_final("write", partial(self._write, rest), pause)
        ):
            remaining = await self._dead_letter_rejected(rest.batch, rejections, pause, paused)
            if remaining.spans != rest.batch.spans:
                await self._plan(remaining, consumer, pause)
            rest = await self.prepare(remaining, pause)
        spans = rest.batch.spans
        settled = sum(_is_within(delivery, spans) for delivery in ready.batch.deliveries)
        metrics.worker.records.labels(self._context.name).inc(settled)
        if rest is ready:
            self._dead_letters.done(settled)
        # Only now, and only of what the sink has stored: a commit must not pass anything else.
        ends = {source: span.end for source, span in spans.items()}
        if ends:
            positions = {source: Position(end) for source, end in ends.items()}
            await self.retry_until_final("commit", partial(consumer.commit, positions), pause)
        return ends

    async def _plan(self, batch: Batch, consumer: Consumer, pause: Pause) -> None:
        if self.sink.planned and batch.spans:
            sources = tuple(batch.spans)
            await self.retry_until_final(
                "commit", partial(consumer.refuse_recreated, sources), pause
            )
            plan = {source: planned(span) for source, span in batch.spans.items()}
            await self.retry_until_final("commit", partial(consumer.commit, plan), pause)

    async def _write(self, ready: PreparedBatch[Prepared]) -> Sequence[Rejection]:
        call = self._liveness.entered()
        try:
            with metrics.worker.batch_seconds.labels(self._context.name).time():
                return await self.sink.write(ready.batch, ready.prepared)
        finally:
            self._liveness.left(call)

    async def _dead_letter_rejected(
        self, batch: Batch, rejections: Sequence[Rejection], pause: Pause, paused: Paused
    ) -> Batch:
        """Send what was rejected to the dead letters; return the rest of the batch.

        Its spans are the same, but for partitions that are cut off before a record.
        """
        rejected = {(rejection.source, rejection.offset): rejection for rejection in rejections}
        if strange := rejected.keys() - {_record_id(delivery) for delivery in batch.deliveries}:
            raise RuntimeError(f"the sink rejected records that are not in its batch: {strange}")
        remaining = []
        cut_off: dict[TopicPartition, int] = {}
        for delivery in batch.deliveries:
            if delivery.source in cut_off:
                continue
            rejection = rejected.get(_record_id(delivery))
            self._dead_letters.done()  # in turn, so that the share is that of the records around it
            if rejection is None:
                remaining.append(delivery)
                continue
            verdict = DeadLetter(rejection.reason, rejection.detail)
            try:
                await self._dead_letters.put(delivery, verdict, attempts=1, pause=pause)
            except PartitionPausedError as refused:
                cut_off[delivery.source] = delivery.offset
                paused(delivery.source, refused)
        return Batch(tuple(remaining), dict(_cut(batch.spans, cut_off)))


def _cut(
    spans: Mapping[TopicPartition, Span], cut_off: Mapping[TopicPartition, int]
) -> Iterator[tuple[TopicPartition, Span]]:
    """Yield the spans up to where they are cut off, without those of which nothing is left."""
    for source, span in spans.items():
        end = cut_off.get(source, span.end)
        if end > span.start:
            yield source, Span(span.start, end)


def _is_within(delivery: Delivery, spans: Mapping[TopicPartition, Span]) -> bool:
    span = spans.get(delivery.source)
    return span is not None and delivery.offset < span.end


def _record_id(delivery: Delivery) -> tuple[TopicPartition, int]:
    return delivery.source, delivery.offset
