"""Reads retry topics: hands out each record when it is due, and pauses its partition until then."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from runtime.clock import Clock
from runtime.handlers.due_queues import DueQueues
from runtime.ports import Consumer, Position, RebalanceListener
from runtime.retries.retry_topics import RetryTopics
from runtime.values import Assignment, Delivery, TopicPartition
from runtime.worker.membership import WorkerContext


class Delayed(NamedTuple):
    """The retry topics of a worker, and the context of their second membership."""

    delays: RetryTopics
    context: WorkerContext


class DelayedConsumer:
    """A `Consumer` of retry topics that wraps another one and holds its records back.

    It holds at most one poll of each partition, and pauses the partition meanwhile; the membership
    continues. A held record is dropped with its assignment, because the next owner reads it again.
    """

    def __init__(
        self,
        connect: Callable[[RebalanceListener], Consumer],
        listener: RebalanceListener,
        *,
        delays: RetryTopics,
        clock: Clock,
    ) -> None:
        self._consumer = connect(self)
        self._listener = listener
        self._clock = clock
        self._queues = DueQueues(delays.delays_s)
        self._paused: set[TopicPartition] = set()

    async def __aenter__(self) -> Self:
        await self._consumer.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.__aexit__(kind, error, trace)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        """Return due records, none after the time-out. See `Consumer.poll`."""
        next_ms = self._queues.next_due_ms(without=self._paused)
        if next_ms is not None:
            timeout_s = min(timeout_s, max(0.0, (next_ms - self._now_ms()) / 1000))
        arrived = await self._consumer.poll(max_records=max_records, timeout_s=timeout_s)
        now_ms, held = self._now_ms(), set(self._queues.sources)
        for delivery in arrived:
            self._queues.add(delivery, now_ms=now_ms)
        due = self._queues.take(max_records, now_ms=now_ms, without=self._paused)
        holds = set(self._queues.sources)
        if to_pause := holds - held - self._paused:
            self._consumer.pause(to_pause)
        if to_resume := held - holds - self._paused:
            self._consumer.resume(to_resume)
        return due

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        """Hand out no records of these."""
        self._consumer.pause(partitions)
        self._paused.update(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        """Continue with these; their held records come first."""
        self._paused.difference_update(partitions)
        if free := set(partitions).difference(self._queues.sources):
            self._consumer.resume(free)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Continue an owned partition at this offset."""
        if partition in self._queues.sources:
            self._queues.drop(partition)
            self._consumer.resume({partition} - self._paused)
        self._consumer.seek(partition, offset)

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Commit, for this generation only."""
        await self._consumer.commit(positions)

    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        """Return the group's commits."""
        return await self._consumer.committed(partitions)

    async def refuse_recreated(self, partitions: Collection[TopicPartition]) -> None:
        """Refuse unless all polled records of these belong to the logs of the assignment."""
        await self._consumer.refuse_recreated(partitions)

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        """Return the offset after the last readable record of each."""
        return await self._consumer.log_ends(partitions)

    def timestamp_ms(self, partition: TopicPartition, offset: int) -> int | None:
        """Return the timestamp of the first record from this offset on."""
        return self._consumer.timestamp_ms(partition, offset)

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Drop the held records; the listener commits what is done."""
        self._queues.clear()
        await self._listener.revoked(partitions)

    async def assigned(self, assignment: Assignment) -> None:
        """Start again: the earlier partitions were revoked, and none is paused."""
        self._paused.clear()
        await self._listener.assigned(assignment)

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)
