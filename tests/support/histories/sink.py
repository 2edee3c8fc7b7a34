"""Histories of a SinkWorker: its store is slow, fails in the middle of a batch, rejects records.

Demanded of each step: a batch holds exactly the records of its spans without dead letters, and of
what the partition's position was at assignment, or later; nothing before a position that is not
stored or dead letters; a dead letter for those at fault and no other. Where the sink is planned, of
half of the seeds: a batch that was planned keeps its end whoever finishes it, nothing is written
that was not planned, and each record is in one object, which never changes.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from runtime.errors import FencedError, TransientError
from runtime.ports import Position
from runtime.sinks.batch_plans import pending
from runtime.sinks.worker import SinkWorker
from runtime.values import (
    Assignment,
    Batch,
    BatchLimits,
    Collected,
    Delivery,
    Rejection,
    Resume,
    Span,
    TopicPartition,
)
from runtime.worker.membership import WorkerContext
from schemas.headers import reason_header, text
from schemas.reasons import DeadLetterReason
from tests.support.fakes.sinks import RecordingSink, Rows, rejections
from tests.support.histories.history import History, Life, number_of


class SinkHistory(History):
    name = "sink"

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.planned = seed % 2 == 0
        self._dead: set[int] = set()
        self._ends: dict[tuple[TopicPartition, int], int] = {}
        self._objects: dict[tuple[TopicPartition, int], tuple[int, ...]] = {}
        self._object_of: dict[int, tuple[TopicPartition, int]] = {}

    def work(self, life: Life, context: WorkerContext) -> SinkWorker[Rows]:
        return SinkWorker(FlakySink(self, life, self.rng), context)

    def appended(self, delivery: Delivery) -> None:
        super().appended(delivery)
        if delivery.topic == "dead":
            number = number_of(delivery)
            self.demand(self.is_rejected(number), f"{number} became a dead letter without cause")
            self.count_dead_letter(number)
            reason = text(delivery.headers, reason_header)
            self.demand(
                reason == DeadLetterReason.STORE_REFUSED.value, f"became a dead letter as {reason}"
            )
            self._dead.add(number)
            self.settled.add(number)

    def committed(
        self, life: Life, source: TopicPartition, before: Position | None, position: Position
    ) -> None:
        super().committed(life, source, before, position)
        span = pending(position)
        if span is not None:
            end = self._ends.setdefault((source, span.start), span.end)
            if span.end < end and (source, span.start) not in self._objects and self.poisoned:
                self._ends[source, span.start] = end = span.end  # cut off before a refused record
            self.demand(end == span.end, f"a batch planned up to {end} now ends at {span.end}")

    def written(self, life: Life, batch: Batch, source: TopicPartition) -> None:
        """Look at the part of a batch that is about to be stored, and store it."""
        span = batch.spans[source]
        # What became a dead letter and is read again after it was mended may be stored as well.
        offsets = tuple(
            d.offset
            for d in batch.deliveries
            if d.source == source and number_of(d) not in self._dead
        )
        self.note("written", self.number_of(life), *source, span.start, span.end)
        due = tuple(
            delivery.offset
            for delivery in self.broker.log(source)
            if span.start <= delivery.offset < span.end and number_of(delivery) not in self._dead
        )
        self.demand(offsets == due, f"{span} of {source} holds {offsets} instead of {due}")
        assigned = life.assigned_positions.get(source) or Position(0)
        self.demand(span.start >= assigned.offset, f"{span} of {source} was committed before")
        if self.planned:
            self._create(source, span, offsets)
        for delivery in batch.deliveries:
            if delivery.source == source:
                self.settled.add(number_of(delivery))

    def _create(self, source: TopicPartition, span: Span, offsets: tuple[int, ...]) -> None:
        name = (source, span.start)
        self.demand(self._ends.get(name) == span.end, f"{span} of {source} was not planned")
        written = self._objects.setdefault(name, offsets)
        self.demand(written == offsets, f"the object of {span} would change")
        for delivery in self.broker.log(source):
            if delivery.offset in offsets:
                held_by = self._object_of.setdefault(number_of(delivery), name)
                self.demand(held_by == name, f"{delivery.offset} of {source} is in two objects")


@dataclass(frozen=True, slots=True)
class SomePartitions(BatchLimits):
    """Draws which partitions a batch holds; the rest stays open."""

    rng: Random = field(default_factory=Random)

    def chosen(
        self, collected: Mapping[TopicPartition, Collected], now_s: float
    ) -> Collection[TopicPartition]:
        some = sorted(collected)
        return self.rng.sample(some, self.rng.randint(1, len(some)))


def limits_of(history: SinkHistory) -> BatchLimits | None:
    """The worker's, or of every other pair of seeds the same with a choice."""
    if history.seed % 4 < 2:
        return None
    settings = history.settings
    return SomePartitions(
        settings.batch_records, settings.batch_bytes, settings.batch_age_s, Random(history.seed)
    )


class FlakySink(RecordingSink):
    """Stores partition by partition, and fails by chance."""

    def __init__(self, history: SinkHistory, life: Life, rng: Random) -> None:
        super().__init__(planned=history.planned, limits=limits_of(history))
        self.refuses = lambda delivery: history.rejects(number_of(delivery))
        self._history = history
        self._life = life
        self._chance = rng

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        await self._fail_at_times()
        return await super().assigned(assignment)

    async def _write(self, batch: Batch) -> Sequence[Rejection]:
        if rejected := rejections(batch, self.refuses):
            return rejected
        for source in batch.spans:
            await self._fail_at_times()
            self._history.written(self._life, batch, source)
        await self._fail_at_times()
        return ()

    async def _fail_at_times(self) -> None:
        await asyncio.sleep(self._chance.choice([0, 0.001, 0.05]))
        dice = self._chance.random()
        if dice < 0.05:
            raise TransientError("the store does not answer")
        if dice < 0.07:
            raise FencedError("another owner")
