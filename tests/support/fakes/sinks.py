"""A sink in memory that remembers what it was given, and what it does on request."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from runtime.contracts import Prepared, Sink
from runtime.values import (
    Assignment,
    Batch,
    BatchLimits,
    Delivery,
    Rejection,
    Resume,
    TopicPartition,
)
from schemas.reasons import DeadLetterReason


async def store(sink: Sink[Prepared], batch: Batch) -> Sequence[Rejection]:
    """Prepare a batch and write it, as the runtime does."""
    return await sink.write(batch, await sink.prepare(batch))


@dataclass(frozen=True, slots=True)
class Rows:
    """What `RecordingSink` makes of a batch: the very batch, so that a mix-up shows."""

    batch: Batch


class RecordingSink:
    """Stores batches in memory. Each test says what else happens.

    ``failures`` are raised by the next calls, the first one first; values in ``poison`` are
    rejected, as are records for which ``refuses`` is true; ``gate`` holds up each write while it is
    clear; ``before_write`` and ``after_store`` are called at those points.
    """

    def __init__(self, *, planned: bool = False, limits: BatchLimits | None = None) -> None:
        self.planned = planned
        self.limits = limits
        self.assignments: list[Assignment] = []
        self.prepared: list[Batch] = []
        self.attempts: list[Batch] = []
        self.batches: list[Batch] = []
        self.failures: dict[str, list[Exception]] = {"assigned": [], "prepare": [], "write": []}
        self.starts: dict[TopicPartition, int] = {}
        self.poison: set[bytes] = set()
        self.refuses: Callable[[Delivery], bool] = lambda _: False
        self.gate = asyncio.Event()
        self.gate.set()
        self.before_write: Callable[[], object] = lambda: None
        self.after_store: Callable[[], object] = lambda: None
        self.closed = False
        self._is_writing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, Resume]:
        assert not self._is_writing, "a write is under way"
        self._fail("assigned")
        self.assignments.append(assignment)
        return resumes(assignment, self.starts)

    async def prepare(self, batch: Batch) -> Rows:
        self._fail("prepare")
        self.prepared.append(batch)
        return Rows(batch)

    async def write(self, batch: Batch, prepared: Rows) -> Sequence[Rejection]:
        assert prepared.batch is batch, "what was prepared belongs to another batch"
        assert not self._is_writing, "one write at a time"
        self._is_writing = True
        try:
            return await self._write(batch)
        finally:
            self._is_writing = False

    async def _write(self, batch: Batch) -> Sequence[Rejection]:
        self.attempts.append(batch)
        self.before_write()
        await asyncio.sleep(0)
        await self.gate.wait()
        self._fail("write")
        rejected = rejections(
            batch, lambda each: (each.value or b"") in self.poison or self.refuses(each)
        )
        if not rejected:
            self.batches.append(batch)
            self.after_store()
        return rejected

    def _fail(self, step: str) -> None:
        if self.failures[step]:
            raise self.failures[step].pop(0)

    @property
    def stored(self) -> list[Delivery]:
        """All records that are stored, in the order in which they were."""
        return [delivery for batch in self.batches for delivery in batch.deliveries]

    @property
    def values(self) -> list[bytes]:
        """Their values."""
        return [delivery.value or b"" for delivery in self.stored]

    @property
    def offsets(self) -> list[int]:
        """Their offsets."""
        return [delivery.offset for delivery in self.stored]


def resumes(
    assignment: Assignment, starts: Mapping[TopicPartition, int] | None = None
) -> Mapping[TopicPartition, Resume]:
    """Return where a sink without offsets of its own starts: see `Sink.assigned`."""
    chosen = starts or {}
    return {
        source: Resume(
            chosen.get(source, state.log_start if state.committed is None else state.committed)
        )
        for source, state in assignment.partitions.items()
    }


def rejections(batch: Batch, refuses: Callable[[Delivery], bool]) -> Sequence[Rejection]:
    """Return a rejection for each record that is refused."""
    return [
        Rejection(each.source, each.offset, DeadLetterReason.STORE_REFUSED, "bad row")
        for each in batch.deliveries
        if refuses(each)
    ]
