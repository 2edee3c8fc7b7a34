"""Stores one batch for a SinkWorker: planned where the sink asks for it, written, committed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from runtime import telemetry
from runtime.contracts import Sink
from runtime.dead_letters import DeadLetterGuard
from runtime.insistence import insist
from runtime.membership import Surroundings, Vitals
from runtime.plans import planned
from runtime.ports import Consumer, Position
from runtime.retry import DeadLetter
from runtime.set_aside import set_aside
from runtime.values import Batch, Delivery, Rejection, TopicPartition

_longest_delay_s: Final = 4.0
"""A sink asks with one call at a time, so it may ask often: what stood still goes on soon after the
store is back."""

Result = TypeVar("Result")
Pause = Callable[[float], Awaitable[None]]


class Storer:
    """Calls the sink; ``pause`` waits between attempts and raises where the batch is given up."""

    def __init__(
        self, sink: Sink, around: Surroundings, guard: DeadLetterGuard, vitals: Vitals
    ) -> None:
        self.sink = sink
        self._around = around
        self._guard = guard
        self._vitals = vitals

    async def insist(
        self, stage: str, call: Callable[[], Awaitable[Result]], pause: Pause
    ) -> Result:
        """Return what the call returns in the end; see `insistence.insist`."""
        failed = partial(self._around.failed, stage)
        policy = replace(self._around.policy, limit_s=_longest_delay_s)
        return await insist(call, policy=policy, pause=pause, failed=failed)

    async def store(self, batch: Batch, consumer: Consumer, pause: Pause) -> None:
        """Return once the batch is stored and its positions are committed.

        Raises:
            ConfigurationError, GivenUpError, RuntimeError: nothing was skipped; halt.
            FencedError: another owner has the partitions.
        """
        if self.sink.planned:
            plan = {source: planned(span) for source, span in batch.spans.items()}
            await self.insist("commit", partial(consumer.commit, plan), pause)
        rest = batch
        while rejections := await self.insist("write", partial(self._write, rest), pause):
            rest = await self._without(rest, rejections, pause)
        telemetry.worker.records.labels(self._around.name).inc(len(batch.deliveries))
        if rest is batch:
            self._guard.done(len(batch.deliveries))
        ends = {source: Position(span.end) for source, span in batch.spans.items()}
        await self.insist("commit", partial(consumer.commit, ends), pause)

    async def _write(self, batch: Batch) -> Sequence[Rejection]:
        call = self._vitals.entered()
        try:
            with telemetry.worker.batch_seconds.labels(self._around.name).time():
                return await self.sink.write(batch)
        finally:
            self._vitals.left(call)

    async def _without(self, batch: Batch, rejections: Sequence[Rejection], pause: Pause) -> Batch:
        """Set aside what was rejected; return the rest of the batch with the same spans."""
        rejected = {(rejection.source, rejection.offset): rejection for rejection in rejections}
        if strange := rejected.keys() - {_place(delivery) for delivery in batch.deliveries}:
            raise RuntimeError(f"the sink rejected records that are not in its batch: {strange}")
        kept = []
        for delivery in batch.deliveries:
            rejection = rejected.get(_place(delivery))
            self._guard.done()  # in turn, so that the share is that of the records around it
            if rejection is None:
                kept.append(delivery)
                continue
            await set_aside(
                delivery,
                DeadLetter(rejection.reason, rejection.detail),
                attempts=1,
                around=self._around,
                guard=self._guard,
                pause=pause,
            )
        return Batch(tuple(kept), batch.spans)


def _place(delivery: Delivery) -> tuple[TopicPartition, int]:
    return delivery.source, delivery.offset
