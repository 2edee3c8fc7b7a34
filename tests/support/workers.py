"""A worker on the fake Kafka, in simulated time, with faults on request."""

import asyncio
import functools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any, ParamSpec, Protocol, Self

from runtime.contracts import Settled
from runtime.errors import RejectedError
from runtime.ports import Position, RebalanceListener
from runtime.process import metrics_exposition
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.settings import WorkerSettings
from runtime.values import Batch, Delivery, Record, TopicPartition
from runtime.worker.membership import WorkerContext
from tests.support.fakes.kafka import FakeBroker, FakeConsumer
from tests.support.fakes.kafka_publisher import FakePublisher
from tests.support.fakes.simulated_time import SimulatedClock, simulate

Arguments = ParamSpec("Arguments")

source = TopicPartition("in", 0)
other = TopicPartition("in", 1)


def simulated(
    test: Callable[Arguments, Coroutine[Any, Any, None]],
) -> Callable[Arguments, None]:
    """Run a test in simulated time."""

    @functools.wraps(test)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        simulate(test(*args, **kwargs))

    return run


class Rig:
    """The fake with one input topic and one group; ``failures`` are raised by the next calls."""

    def __init__(self, *, partitions: int = 1, seed: int = 7) -> None:
        self.clock = SimulatedClock()
        self.broker = FakeBroker(clock=self.clock, rng=Random(seed), session_timeout_s=5)
        self.broker.create_topic("in", partitions=partitions)
        self.broker.create_topic("out", partitions=1)
        self.broker.create_topic("dead", partitions=1)
        self.group = self.broker.groups["group"]
        self.failures: dict[str, list[Exception]] = defaultdict(list)
        self.commits: list[Mapping[TopicPartition, Position]] = []
        self.entered: list[RigConsumer] = []
        self.publisher = RigPublisher(self)

    @property
    def committed(self) -> dict[TopicPartition, Position]:
        return self.group.committed

    def position_of(self, source: TopicPartition) -> int | None:
        """The committed position, whatever is told beside it."""
        return self.committed[source].offset if source in self.committed else None

    @property
    def member(self) -> "RigConsumer":
        """The consumer that entered last."""
        return self.entered[-1]

    def append(
        self,
        *values: bytes,
        key: bytes | None = b"k",
        to: TopicPartition = source,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> None:
        for value in values:
            self.broker.append(to, Record(to.topic, key, value, headers))

    def append_numbers(self, count: int, to: TopicPartition = source) -> None:
        self.append(*(b"%d" % number for number in range(count)), to=to)

    def produced(self, topic: str = "out") -> list[Delivery]:
        return self.broker.records(topic)

    def values(self, topic: str = "out") -> list[bytes | None]:
        return [delivery.value for delivery in self.produced(topic)]

    def rebalance(self) -> None:
        self.broker.rebalance("group")

    async def assign_again(self) -> None:
        """Give the member what it has, with nothing taken away before."""
        await self.member._take_over(tuple(self.member.reading_at))

    def fail(self, step: str) -> None:
        if self.failures[step]:
            raise self.failures[step].pop(0)

    def connect(self, listener: RebalanceListener) -> "RigConsumer":
        return RigConsumer(self, listener)

    def context(self, **changes: object) -> WorkerContext:
        quick = {"commit_interval_s": 0.01, "drain_timeout_s": 2.0, "batch_age_s": 0.01}
        return WorkerContext(
            name="test",
            connect=self.connect,
            publisher=self.publisher,
            dead_letter_topic="dead",
            settings=WorkerSettings.model_validate(quick | changes),
            clock=self.clock,
            rng=Random(1),
            dead_letter_history=self.dead_letter_history,
        )

    async def dead_letter_history(self) -> DeadLetterHistory:
        """What the topic of dead letters holds; people have told nothing."""
        self.fail("dead_letter_history")
        return DeadLetterHistory(letters=self.produced("dead"))


class RigConsumer(FakeConsumer):
    """The fake's consumer, which fails on request and lets itself be looked at."""

    def __init__(self, rig: Rig, listener: RebalanceListener) -> None:
        super().__init__(rig.broker, group="group", topics=["in"], listener=listener)
        self._rig = rig
        self.polls = 0

    @property
    def paused(self) -> set[TopicPartition]:
        return self._paused

    @property
    def reading_at(self) -> Mapping[TopicPartition, int]:
        return self._positions

    async def __aenter__(self) -> Self:
        self._rig.fail("enter")
        await super().__aenter__()
        self._rig.entered.append(self)
        return self

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        self.polls += 1
        self._rig.fail("poll")
        return await super().poll(max_records=max_records, timeout_s=timeout_s)

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        await asyncio.sleep(0)
        self._rig.fail("commit")
        await super().commit(positions)
        self._rig.commits.append(dict(positions))

    async def log_ends(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, int]:
        self._rig.fail("log_ends")
        return await super().log_ends(partitions)


class RigPublisher(FakePublisher):
    """The fake's publisher, which fails on request."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.broker)
        self._rig = rig

    def send(self, record: Record, settled: Settled) -> None:
        try:
            self._rig.fail("publish")
        except RejectedError as error:
            asyncio.get_running_loop().call_soon(settled, error)
        else:
            super().send(record, settled)


class Runnable(Protocol):
    async def run(self, stopping: asyncio.Event) -> None: ...


class Halting(Runnable, Protocol):
    def readiness_problem(self) -> str | None: ...


@asynccontextmanager
async def running(work: Runnable) -> AsyncIterator[asyncio.Event]:
    """Run a worker; at the end stop it and let it drain."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work.run(stopping))
        yield stopping
        stopping.set()


async def runs_until_it_halts(work: "Halting") -> None:
    """Run a worker until it ends or says that it has halted; then stop it: it ends with why."""
    stopping = asyncio.Event()
    async with asyncio.timeout(100):
        life = asyncio.ensure_future(work.run(stopping))
        while not life.done() and not (work.readiness_problem() or "").startswith("halted"):
            await asyncio.sleep(0.002)
        stopping.set()
        await life


async def until(condition: Callable[[], bool], *, every_s: float = 0.002) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(every_s)


def copied(delivery: Delivery) -> Sequence[Record]:
    """What a handler returns that copies its record to the topic ``out``."""
    return (Record("out", delivery.key, delivery.value),)


def offsets_of(batch: Batch, partition: TopicPartition = source) -> list[int]:
    return [each.offset for each in batch.deliveries if each.source == partition]


def sample(name: str) -> float:
    """One figure, summed over its labels."""
    return metrics_exposition.total(metrics_exposition.exposition(), name)


def first_seen_in_order(values: Sequence[bytes | None], *, key_of: Callable[[int], object]) -> bool:
    """Whether the numbers of each key, repeats taken out, rise."""
    by_key: dict[object, list[int]] = defaultdict(list)
    for number in dict.fromkeys(int(value or b"") for value in values):
        by_key[key_of(number)].append(number)
    return all(numbers == sorted(numbers) for numbers in by_key.values())
