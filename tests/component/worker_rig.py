"""A broker in memory with one group of eager members, and a worker's surroundings on it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from types import TracebackType
from typing import Protocol, Self

from runtime.clock import Clock, SystemClock
from runtime.errors import FencedError, TransientError
from runtime.membership import Surroundings
from runtime.ports import Position, RebalanceListener
from runtime.settings import WorkerSettings
from runtime.values import Assignment, Delivery, PartitionState, Record, TopicPartition

source = TopicPartition("in", 0)
other = TopicPartition("in", 1)


class MemoryBroker:
    """Logs, committed positions and the group; ``failures`` are raised by the next calls."""

    def __init__(self, *partitions: TopicPartition) -> None:
        self.logs: dict[TopicPartition, list[Delivery]] = {p: [] for p in partitions}
        self.log_starts: dict[TopicPartition, int] = dict.fromkeys(partitions, 0)
        self.log_ends: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, Position] = {}
        self.commits: list[Mapping[TopicPartition, Position]] = []
        self.produced: list[Record] = []
        self.failures: dict[str, list[Exception]] = defaultdict(list)
        self.members: list[MemoryConsumer] = []
        self.generation = 0
        self.to_revoke: set[MemoryConsumer] = set()
        self.rebalancing = False
        self.hold_rebalance = False
        self.ready = True
        self._changed = asyncio.Event()

    def append(
        self,
        *values: bytes,
        key: bytes | None = b"k",
        to: TopicPartition = source,
        offset: int | None = None,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        for value in values:
            at = self.end(to) if offset is None else offset
            self.logs[to].append(Delivery(to.topic, to.partition, at, key, value, headers, 0))
        self.change()

    def end(self, partition: TopicPartition) -> int:
        log = self.logs[partition]
        return self.log_ends.get(partition, log[-1].offset + 1 if log else 0)

    def change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self, timeout_s: float) -> None:
        """Wait without throwing into the caller: tracing by coverage gets lost by that."""
        waiting = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({waiting}, timeout=timeout_s)
        waiting.cancel()

    def fail(self, step: str) -> None:
        if self.failures[step]:
            raise self.failures[step].pop(0)

    def rebalance(self) -> None:
        self.rebalancing = True
        self.to_revoke = {m for m in self.members if m.owned}
        self.change()

    def kick(self, member: "MemoryConsumer") -> None:
        """As after kill -9, or a session that has timed out."""
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def assign(self) -> None:
        self.generation += 1
        self.rebalancing = False
        for index, member in enumerate(self.members):
            owned = [p for i, p in enumerate(self.logs) if i % len(self.members) == index]
            member.given = owned
        self.change()

    async def publish(self, record: Record) -> None:
        await asyncio.sleep(0)
        self.fail("publish")
        self.produced.append(record)


class MemoryConsumer:
    def __init__(self, broker: MemoryBroker, listener: RebalanceListener) -> None:
        self.broker = broker
        self.listener = listener
        self.given: list[TopicPartition] | None = None
        self.owned: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.generation = -1
        self.polls = 0

    async def __aenter__(self) -> Self:
        self.broker.fail("enter")
        self.broker.members.append(self)
        self.broker.rebalance()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.broker.kick(self)

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        self.polls += 1
        self.broker.fail("poll")
        if self not in self.broker.members:
            raise TransientError("thrown out")
        await self._take_part()
        found = self._fetch(max_records)
        if not found:
            await self.broker.changed(min(timeout_s, 0.02))  # returning early is allowed
            await self._take_part()
            found = self._fetch(max_records)
        return found

    async def _take_part(self) -> None:
        if self.broker.rebalancing:
            if self in self.broker.to_revoke:
                await self.listener.revoked(set(self.owned))
                self.owned = {}
                self.broker.to_revoke.discard(self)
            if not self.broker.to_revoke and not self.broker.hold_rebalance:
                self.broker.assign()
        if self.given is not None and not self.broker.rebalancing:
            self.generation = self.broker.generation
            given, self.given, self.paused = self.given, None, set()
            states = {p: self._state(p) for p in given}
            self.owned = {
                p: s.log_start if s.committed is None else s.committed for p, s in states.items()
            }
            await self.listener.assigned(Assignment("cluster", "group", states))

    def _state(self, partition: TopicPartition) -> PartitionState:
        position = self.broker.committed.get(partition)
        return PartitionState(
            None if position is None else position.offset,
            self.broker.log_starts[partition],
            self.broker.end(partition),
        )

    def _fetch(self, max_records: int) -> list[Delivery]:
        found: list[Delivery] = []
        for partition in self.owned.keys() - self.paused:
            for delivery in self.broker.logs[partition]:
                if delivery.offset >= self.owned[partition] and len(found) < max_records:
                    found.append(delivery)
                    self.owned[partition] = delivery.offset + 1
        return found

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        await asyncio.sleep(0)
        self.broker.fail("commit")
        if self not in self.broker.members or self.generation != self.broker.generation:
            raise FencedError("another generation")
        self.broker.committed.update(positions)
        self.broker.commits.append(dict(positions))
        self.broker.change()

    async def committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position | None]:
        self.broker.fail("committed")
        return {p: self.broker.committed.get(p) for p in partitions}

    def pause(self, partitions: Collection[TopicPartition]) -> None:
        assert set(partitions) <= self.owned.keys()
        self.paused |= set(partitions)

    def resume(self, partitions: Collection[TopicPartition]) -> None:
        assert set(partitions) <= self.owned.keys()
        self.paused -= set(partitions)
        self.broker.change()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition in self.owned
        self.owned[partition] = offset

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self.broker.fail("log_ends")
        return {p: self.broker.end(p) for p in partitions}


class Runnable(Protocol):
    async def run(self, stopping: asyncio.Event) -> None: ...


def worker_settings(**changes: object) -> WorkerSettings:
    quick = {"commit_interval_s": 0.01, "drain_timeout_s": 2.0, "batch_age_s": 0.01}
    return WorkerSettings.model_validate(quick | changes)


class SteppedClock(SystemClock):
    """The machine's clock, set ahead by the test."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


def surroundings(
    broker: MemoryBroker, *, clock: Clock | None = None, **changes: object
) -> Surroundings:
    return Surroundings(
        name="test",
        connect=lambda listener: MemoryConsumer(broker, listener),
        publisher=broker,
        dead_letter_topic="dead",
        settings=worker_settings(**changes),
        clock=clock or SystemClock(),
        chance=Random(1),
    )


@asynccontextmanager
async def running(work: Runnable) -> AsyncIterator[asyncio.Event]:
    """Run a worker; at the end stop it and let it drain."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work.run(stopping))
        try:
            yield stopping
        finally:
            stopping.set()


async def until(condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - the condition is of any kind
            await asyncio.sleep(0.002)
