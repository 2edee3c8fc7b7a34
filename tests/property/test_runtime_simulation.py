"""Workers in simulated time under crashes, rebalances, outages and errors: what always holds.

Each seed is one history.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import Self

import pytest

from runtime.errors import FencedError, RejectedError, TransientError
from runtime.ports import Position, RebalanceListener
from runtime.sink_worker import SinkWorker
from runtime.values import Assignment, Batch, Delivery, Record, Rejection, TopicPartition
from runtime.worker import Worker
from schemas.reasons import DeadLetterReason
from tests.component.worker_rig import (
    Rig,
    RigConsumer,
    Runnable,
    first_seen_in_order,
    simulated,
    until,
)

records, keys, partitions, most_workers = 150, 9, 3, 3
bounds = {
    "in_flight_records": 12,
    "concurrency": 5,
    "batch_records": 10,
    "batch_age_s": 0.05,
    "commit_interval_s": 0.1,
    "defect_attempts": 2,
}
seeds = range(30)


def poison(number: int) -> bool:
    return number % 29 == 7


class WatchedConsumer(RigConsumer):
    """Checks each commit that succeeds."""

    def __init__(
        self,
        rig: Rig,
        listener: RebalanceListener,
        check: Callable[[Mapping[TopicPartition, Position]], None],
    ) -> None:
        super().__init__(rig, listener)
        self._check = check

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        before = dict(self._rig.committed)
        await super().commit(positions)
        for source, position in positions.items():
            assert position.offset >= before.get(source, Position(0)).offset
        self._check(positions)


class History:
    """One run: records arrive, workers come and go, brokers fail, until all is settled."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.rig = Rig(partitions=partitions, seed=seed)
        self.sources = [TopicPartition("in", number) for number in range(partitions)]
        self.lives: list[tuple[asyncio.Task[None], asyncio.Event, list[WatchedConsumer]]] = []
        self.disruptions = 0

    def start(self, work: Callable[[Callable[[RebalanceListener], RigConsumer]], Runnable]) -> None:
        entered: list[WatchedConsumer] = []

        def connect(listener: RebalanceListener) -> RigConsumer:
            entered.append(WatchedConsumer(self.rig, listener, self.check))
            return entered[-1]

        stopping = asyncio.Event()
        life = self.tasks.create_task(work(connect).run(stopping))
        self.lives.append((life, stopping, entered))

    def check(self, positions: Mapping[TopicPartition, Position]) -> None:
        raise NotImplementedError

    def work(self, connect: Callable[[RebalanceListener], RigConsumer]) -> Runnable:
        raise NotImplementedError

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self.tasks:
            self.start(self.work)
            feeding = self.tasks.create_task(self._feed())
            for _ in range(12):
                await asyncio.sleep(self.chance.uniform(0, 1.5))
                await self._disrupt()
            await feeding
            self.rig.broker.lost_acknowledgements = 0
            self.start(self.work)
            await until(self._settled, every_s=0.1)
            for _, stopping, _ in self.lives:
                stopping.set()

    async def _feed(self) -> None:
        for number in range(records):
            await asyncio.sleep(self.chance.uniform(0, 0.1))
            key = number % keys
            if self.chance.random() < 0.1:
                self.rig.broker.leave_gap(self.sources[key % partitions], 1)
            self.rig.append(b"%d" % number, key=b"%d" % key, to=self.sources[key % partitions])

    async def _disrupt(self) -> None:
        self.disruptions += 1
        broker, chance = self.rig.broker, self.chance
        self.lives = [life for life in self.lives if not life[0].done()]
        match chance.choice(
            ["rebalance", "start", "crash", "stop", "outage", "thrown out", "lost"]
        ):
            case "rebalance":
                self.rig.rebalance()
            case "start" if len(self.lives) < most_workers:
                self.start(self.work)
            case "crash" if self.lives:
                life, _, entered = chance.choice(self.lives)
                for consumer in entered:
                    broker.crash(consumer)
                life.cancel()
            case "stop" if self.lives:
                chance.choice(self.lives)[1].set()
            case "outage":
                broker.down = True
                await asyncio.sleep(chance.uniform(0, 2))
                broker.down = False
            case "thrown out" if self.rig.group.members:
                broker.throw_out(chance.choice(self.rig.group.members))
            case _:
                broker.lost_acknowledgements += chance.randrange(3)

    def _settled(self) -> bool:
        """Whether each record is done, whatever gap follows the last."""
        committed = self.rig.committed
        return all(
            not log or committed.get(source, Position(0)).offset > log[-1].offset
            for source in self.sources
            for log in [self.rig.broker.log(source)]
        ) and not any(position.metadata for position in committed.values())


class HandlerHistory(History):
    def work(self, connect: Callable[[RebalanceListener], RigConsumer]) -> Runnable:
        return Worker(self._handle, replace(self.rig.surroundings(**bounds), connect=connect))

    async def _handle(self, delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(self.chance.choice([0, 0, 0.001, 0.05]))
        if self.chance.random() < 0.03:
            raise TransientError("the other side does not answer")
        if poison(int(delivery.value or b"")):
            raise RejectedError(DeadLetterReason.UNREADABLE, "poison")
        return (Record("out", delivery.key, delivery.value),)

    def check(self, positions: Mapping[TopicPartition, Position]) -> None:
        kept = {*self.rig.values(), *self.rig.values("dead")}
        for source, position in positions.items():
            log = self.rig.broker.log(source)
            assert {d.value for d in log if d.offset < position.offset} <= kept


@pytest.mark.parametrize("seed", seeds)
@simulated
async def test_a_handler_loses_nothing_and_keeps_the_order_of_each_key(seed: int) -> None:
    history = HandlerHistory(seed)
    await history.run()
    rig = history.rig
    numbers = set(range(records))
    assert {int(v or b"") for v in rig.values("dead")} == set(filter(poison, numbers))
    assert {int(v or b"") for v in rig.values()} == numbers - set(filter(poison, numbers))
    assert first_seen_in_order(rig.values(), key_of=lambda number: number % keys)
    repeats = len(rig.values()) + len(rig.values("dead")) - records
    spread = bounds["in_flight_records"] * 10 + bounds["in_flight_records"]
    assert repeats <= history.disruptions * most_workers * spread


class CreateOnlyStore:
    """Objects by partition and first offset; a second write of one must be the same."""

    def __init__(self) -> None:
        self.objects: dict[tuple[TopicPartition, int], tuple[int, tuple[int, ...]]] = {}

    def create(self, batch: Batch, source: TopicPartition) -> None:
        span = batch.spans[source]
        offsets = tuple(d.offset for d in batch.deliveries if d.source == source)
        assert self.objects.setdefault((source, span.start), (span.end, offsets)) == (
            span.end,
            offsets,
        )


class FlakySink:
    """Writes partition by partition, is slow, fails in the middle, rejects poison."""

    planned = True

    def __init__(self, store: CreateOnlyStore, chance: Random) -> None:
        self._store = store
        self._chance = chance

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def assigned(self, assignment: Assignment) -> Mapping[TopicPartition, int]:
        await self._trouble()
        return {
            source: state.log_start if state.committed is None else state.committed
            for source, state in assignment.partitions.items()
        }

    async def write(self, batch: Batch) -> Sequence[Rejection]:
        rejections = [
            Rejection(d.source, d.offset, DeadLetterReason.STORE_REFUSED, "poison")
            for d in batch.deliveries
            if poison(int(d.value or b""))
        ]
        if rejections:
            return rejections
        for source in batch.spans:
            await self._trouble()
            self._store.create(batch, source)
        await self._trouble()
        return ()

    async def _trouble(self) -> None:
        await asyncio.sleep(self._chance.choice([0, 0.001, 0.05]))
        dice = self._chance.random()
        if dice < 0.05:
            raise TransientError("the store does not answer")
        if dice < 0.07:
            raise FencedError("another owner")


class SinkHistory(History):
    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.store = CreateOnlyStore()

    def work(self, connect: Callable[[RebalanceListener], RigConsumer]) -> Runnable:
        around = replace(self.rig.surroundings(**bounds), connect=connect)
        return SinkWorker(FlakySink(self.store, self.chance), around)

    def check(self, positions: Mapping[TopicPartition, Position]) -> None:
        dead = set(self.rig.values("dead"))
        for source, position in positions.items():
            stored = {
                offset
                for (partition, _), (_, offsets) in self.store.objects.items()
                for offset in offsets
                if partition == source
            }
            for delivery in self.rig.broker.log(source):
                if delivery.offset < position.offset:
                    assert delivery.offset in stored or delivery.value in dead


@pytest.mark.parametrize("seed", seeds)
@simulated
async def test_a_planned_sink_stores_each_record_once_in_objects_that_never_change(
    seed: int,
) -> None:
    history = SinkHistory(seed)
    await history.run()
    stored = [
        (source, offset)
        for (source, _), (_, offsets) in history.store.objects.items()
        for offset in offsets
    ]
    logs = [d for source in history.sources for d in history.rig.broker.log(source)]
    assert sorted(stored) == sorted(
        (d.source, d.offset) for d in logs if not poison(int(d.value or b""))
    )
    assert set(history.rig.values("dead")) == {d.value for d in logs if poison(int(d.value or b""))}
