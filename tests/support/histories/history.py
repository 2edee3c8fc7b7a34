"""One history of a group in simulated time: records arrive, workers come and go, brokers fail.

All of it follows from a seed. What must hold is demanded at each step (a record appended, a call, a
commit, an assignment); the first demand that is not met ends the history as a `ViolationError`.
"""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import ClassVar, Protocol, TypeVar

from runtime.ports import Position, RebalanceListener
from runtime.retries.dead_letter_history import DeadLetterHistory
from runtime.settings import WorkerSettings
from runtime.values import Assignment, Delivery, Record, TopicPartition
from runtime.worker.membership import WorkerContext
from tests.support.fakes.kafka import FakeBroker, FakeConsumer
from tests.support.fakes.kafka_publisher import FakePublisher
from tests.support.fakes.simulated_time import SimulatedClock, simulate

records, keys, partitions = 120, 9, 3
disruptions, most_workers = 12, 3
session_s = 5.0
most_letters = 8
"""So many of a poisoned partition may become dead letters before it is paused."""
patience_s = 900.0
"""So long after the last disruption all records have to be settled."""

sources = [TopicPartition("in", number) for number in range(partitions)]


Lived = TypeVar("Lived", bound="History")


class ViolationError(AssertionError):
    """A demand was not met."""


class Runnable(Protocol):
    async def run(self, stopping: asyncio.Event) -> None: ...


class WatchedBroker(FakeBroker):
    """Tells the history of each record."""

    def __init__(self, history: "History", seed: int) -> None:
        super().__init__(clock=SimulatedClock(), rng=Random(seed), session_timeout_s=session_s)
        self._history = history

    def append(self, source: TopicPartition, record: Record) -> None:
        super().append(source, record)
        self._history.appended(self.log(source)[-1])


class Life:
    """One process: a worker, its memberships, and the positions of its last assignment."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.entered: list[WatchedConsumer] = []
        self.epoch = 0
        self.assigned_positions: dict[TopicPartition, Position | None] = {}
        self.commit_failed = False
        self.work: asyncio.Task[None]


class WatchedListener:
    """Notes assignments before the worker is told of them."""

    def __init__(self, history: "History", life: Life, listener: RebalanceListener) -> None:
        self._history = history
        self._life = life
        self._listener = listener

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        await self._listener.revoked(partitions)

    async def assigned(self, assignment: Assignment) -> None:
        life, history = self._life, self._history
        life.epoch += 1
        life.assigned_positions = {
            source: history.committed_at(source) for source in assignment.partitions
        }
        history.note("assigned", history.number_of(life), *sorted(assignment.partitions))
        await self._listener.assigned(assignment)


class WatchedConsumer(FakeConsumer):
    """Tells the history of each commit. Broken workers are made of it: see `History.consumer`."""

    def __init__(self, history: "History", life: Life, listener: RebalanceListener) -> None:
        watched = WatchedListener(history, life, listener)
        super().__init__(history.broker, group="group", topics=history.topics, listener=watched)
        self._history = history
        self._life = life
        life.entered.append(self)

    async def commit(self, positions: Mapping[TopicPartition, Position]) -> None:
        history, life = self._history, self._life
        await asyncio.sleep(0)
        before = {source: history.committed_at(source) for source in positions}
        try:
            await super().commit(positions)
        except Exception:
            life.commit_failed = True
            raise
        finally:
            for source, position in positions.items():
                if history.committed_at(source) is position:  # taken, whatever was answered
                    history.committed(life, source, before[source], position)
        life.commit_failed = False


class History:
    """Runs one history; how records are handled or stored is the subclass's."""

    name: ClassVar[str]
    """What it is called on the command line."""
    consumer: ClassVar[type[WatchedConsumer]] = WatchedConsumer
    kinds_of_disruption: ClassVar[Sequence[str]] = (
        *("rebalance", "start", "crash", "zombie", "stop", "outage", "thrown out", "lost"),
    )
    publisher: ClassVar[type[FakePublisher]] = FakePublisher
    """What they send with; broken ones of it as of ``consumer``."""
    topics: ClassVar[Sequence[str]] = ("in",)
    """What its workers' group reads."""
    fixed: ClassVar[Mapping[str, object]] = {}
    """Settings that do not follow from the seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.broker = WatchedBroker(self, seed)
        for topic, count in (("in", partitions), ("half", 1), ("out", 1), ("dead", 1)):
            self.broker.create_topic(topic, partitions=count)
        self.group = self.broker.groups["group"]
        self.settings = WorkerSettings.model_validate(self._drawn_settings() | dict(self.fixed))
        self.lives: list[Life] = []
        self.started = 0
        self.settled: set[int] = set()
        self.violation: str | None = None
        self.trace: list[tuple[object, ...]] = []
        self._numbers: dict[int, int] = {}
        self.poisoned = seed % 3 == 0
        self.healed = False
        self._letters: set[int] = set()

    def rejects(self, number: int) -> bool:
        """Whether the record is refused now: by its own fault, or as part of what is poisoned."""
        return rejected(number) or (self._is_poison(number) and not self.healed)

    def is_rejected(self, number: int) -> bool:
        """Whether the record was ever refused."""
        return rejected(number) or self._is_poison(number)

    def count_dead_letter(self, number: int) -> None:
        """Look at a dead letter of a record at fault: no restart may bring many more of them.

        A worker that was cut off may not know of the last letters of its successor.
        """
        self._letters.add(number)
        if self.poisoned and not self.healed:
            self.demand(len(self._letters) <= 2 * most_letters, "too many became dead letters")

    def _is_poison(self, number: int) -> bool:
        return self.poisoned and 30 <= number < 100 and key_of(number) % partitions == 2

    def work(self, life: Life, context: WorkerContext) -> Runnable:
        """Return a worker; the subclass's."""
        raise NotImplementedError

    def appended(self, delivery: Delivery) -> None:
        """Look at a record that has just been appended; the subclass goes on with it."""
        self.note("appended", *delivery.source, delivery.offset, delivery.value)

    def committed(
        self, life: Life, source: TopicPartition, before: Position | None, position: Position
    ) -> None:
        """Look at a commit that was taken; the subclass goes on with it."""
        self.note("committed", self.number_of(life), *source, *position)
        self.demand(position.offset >= (before or Position(0)).offset, "a position went back")
        for delivery in self.broker.log(source):
            self.demand(
                delivery.offset >= position.offset or number_of(delivery) in self.settled,
                f"position {position.offset} of {source} passed {delivery.offset}",
            )

    def committed_at(self, source: TopicPartition) -> Position | None:
        """Return what the group has committed now."""
        return self.group.committed.get(source)

    def demand(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion does
        """Note a violation; whoever catches what this raises does not hide it."""
        if not holds:
            self.violation = self.violation or f"{self.broker.clock.monotonic_s():.3f} s: {what}"
            raise ViolationError(what)

    def note(self, *event: object) -> None:
        """Write an event into the trace."""
        self.trace.append((self.broker.clock.monotonic_s(), *event))

    def number_of(self, life: Life) -> int:
        """Return the place of a life in the order of births, for the trace."""
        return self._numbers[id(life)]

    @property
    def digest(self) -> str:
        """A fingerprint of all that happened and when."""
        return hashlib.sha256(repr(self.trace).encode()).hexdigest()

    async def run(self) -> None:
        """Live it.

        Raises:
            ViolationError: something does not hold, or a worker ended by an error.
        """
        run = f"{type(self).__name__}, seed {self.seed}, "
        try:
            await self._live()
        except Exception as error:
            if self.violation is None:
                raise ViolationError(f"{run}ended by {error!r}") from error
        if self.violation is not None:
            raise ViolationError(f"{run}at {self.violation}")

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            self._start()
            feeding = self._tasks.create_task(self._feed())
            for _ in range(disruptions):
                await self._pause(self.rng.uniform(0, 1.5))
                await self._disrupt()
            await feeding
            if self.poisoned:
                self._mend()
            self.broker.lost_acknowledgements = self.broker.lost_commits = 0
            self.broker.lost_records = 0
            self._start()
            until_s = self.broker.clock.monotonic_s() + patience_s
            while not self._all_settled():
                await self._pause(0.25)
                self.demand(
                    self.broker.clock.monotonic_s() < until_s,
                    f"{self._left()} are not settled, or not committed",
                )
            for life in self.lives:
                life.stopping.set()

    def _mend(self) -> None:
        """Mend what was poisoned, let all that is bad for good become dead letters, restart."""
        self.note("healed")
        self.healed = True
        self.settings = self.settings.model_copy(update={"guard_rejected_share": 1.0})
        for life in self.lives:
            life.stopping.set()

    async def _past_letters(self) -> DeadLetterHistory:
        return DeadLetterHistory(letters=self.broker.records("dead"))

    async def _pause(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        self.demand(self.violation is None, "seen before")

    def _drawn_settings(self) -> dict[str, object]:
        rng = self.rng
        return {
            "in_flight_records": rng.choice([4, 12, 40]),
            "concurrency": rng.choice([2, 5, 20]),
            "batch_records": 10,
            "batch_age_s": 0.05,
            "commit_interval_s": rng.choice([0.02, 0.1, 2.0]),
            "commit_records": rng.choice([3, 20, 1000]),
            "drain_timeout_s": 2.0,
            "defect_attempts": 2,
            "guard_defect_share": 0.5,
            **self._guard_settings(),
        }

    def _guard_settings(self) -> dict[str, object]:
        if self.seed % 3:
            return {}
        return {"guard_records": 10_000, "guard_rejected_share": most_letters / 10_000}

    def _start(self) -> None:
        life = Life()
        self._numbers[id(life)] = self.started
        self.started += 1

        def connect(listener: RebalanceListener) -> WatchedConsumer:
            return self.consumer(self, life, listener)

        self.lives.append(life)
        context = WorkerContext(
            name="simulated",
            connect=connect,
            publisher=self.publisher(self.broker),
            dead_letter_topic="dead",
            settings=self.settings,
            clock=self.broker.clock,
            rng=Random(self.rng.random()),
            dead_letter_history=self._past_letters,
        )
        life.work = self._tasks.create_task(self.work(life, context).run(life.stopping))

    async def _feed(self) -> None:
        for number in range(records):
            await asyncio.sleep(self.rng.uniform(0, 0.1))
            key = key_of(number)
            if self.rng.random() < 0.1:
                self.broker.leave_gap(sources[key % partitions], self.rng.choice([1, 2, 500]))
            record = Record("in", b"%d" % key, b"%d" % number)
            self.broker.append(sources[key % partitions], record)

    async def _disrupt(self) -> None:
        broker, rng = self.broker, self.rng
        alive = [life for life in self.lives if not life.work.done()]
        what = rng.choice(self.kinds_of_disruption)
        self.note("disruption", what)
        match what:
            case "rebalance":
                broker.rebalance("group")
            case "start" if len(alive) < most_workers:
                self._start()
            case "crash" if alive:
                life = rng.choice(alive)
                for consumer in life.entered:
                    broker.crash(consumer)
                life.work.cancel()
            case "zombie" if self.group.members:
                member = rng.choice(self.group.members)
                broker.cut_off(member)
                self._tasks.create_task(self._heal(member, rng.uniform(0, 3 * session_s)))
            case "stop" if alive:
                rng.choice(alive).stopping.set()
            case "outage":
                broker.down = True
                await self._pause(rng.uniform(0, 2))
                broker.down = False
            case "thrown out" if self.group.members:
                broker.throw_out(rng.choice(self.group.members))
            case "freeze" if alive:
                self._freeze(rng.choice(alive), rng.uniform(0, 3 * session_s))
            case _:
                broker.lost_acknowledgements += rng.randrange(3)
                broker.lost_commits += rng.randrange(3)
                broker.lost_records += rng.randrange(3)

    def _freeze(self, life: Life, for_s: float) -> None:
        """Have a process not run for a while; the subclass's that knows how."""
        raise NotImplementedError

    async def _heal(self, member: FakeConsumer, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.broker.heal(member)

    def _left(self) -> int:
        return records - len(self.settled)

    def _all_settled(self) -> bool:
        """Whether each record is done and committed, whatever gap follows the last."""
        positions = {source: self.committed_at(source) or Position(0) for source in sources}
        return all(
            not log or position.offset > log[-1].offset
            for source, position in positions.items()
            for log in [self.broker.log(source)]
        ) and not any(position.metadata for position in positions.values())


def key_of(number: int) -> int:
    return number % keys


def number_of(delivery: Delivery) -> int:
    return int(delivery.value or b"")


def rejected(number: int) -> bool:
    """Whether the record itself is at fault."""
    return number % 29 == 7


def lived(history: Lived) -> Lived:
    """Run a history to its end, in no time, and return it."""
    simulate(history.run())
    return history
