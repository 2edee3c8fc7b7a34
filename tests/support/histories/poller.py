"""Histories of a PollerWorker: its feeds fail, its members come, go, freeze and wake.

A feed is a row of numbers that become available one by one; a page is a few of them, a watermark is
how many were fetched. Demanded of each step: of a feed one page at a time is fetched; each feed's
numbers are published in their order, each once, none left out, by the member that entered the
publisher last; a watermark says what stands before it in the log, and is of the generation that was
claimed last; each claim is of a higher generation.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import orjson

from runtime.errors import RejectedError, TransientError
from runtime.pollers.tenure import WatermarkStore
from runtime.pollers.worker import PollerWorker
from runtime.ports import Position
from runtime.values import Delivery, Feed, Fetched, Record, TopicPartition
from runtime.worker.membership import WorkerContext
from schemas.reasons import DeadLetterReason
from tests.support.fakes.kafka_transactions import FakeTransactions
from tests.support.fakes.simulated_time import first_moment
from tests.support.histories.history import History, Life, WatchedConsumer

numbers = 40
page_records = 5
period_s = 0.25
"""So often a number of each feed becomes available."""
hasty = "c"
"""The feed that always says that it is due."""


class Gate:
    """What each step of a frozen process waits at."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def close(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        await self._open.wait()


class FreezingConsumer(WatchedConsumer):
    _history: "PollerHistory"

    async def poll(self, *, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        gate = self._history.gate_of(self._life)
        await gate.passed()
        deliveries = await super().poll(max_records=max_records, timeout_s=timeout_s)
        await gate.passed()
        return deliveries


class WatchedTransactions(FakeTransactions):
    """Reports each entering and each publication. Broken workers are made of it."""

    def __init__(self, history: "PollerHistory", life: Life) -> None:
        super().__init__(history.broker, "poller")
        self._history = history
        self._life = life

    async def take_time(self) -> None:
        await self._history.gate_of(self._life).passed()
        await super().take_time()
        await self._history.gate_of(self._life).passed()

    def fence(self) -> None:
        super().fence()
        self._history.note("entered", self._history.number_of(self._life))
        self._history.active = self

    def store(self, placed: Sequence[tuple[TopicPartition, Record]]) -> None:
        history = self._history
        history.note("committed", history.number_of(self._life), len(placed))
        history.demand(history.active is self, "it was published after a successor began")
        super().store(placed)


class PollerHistory(History):
    name = "poller"
    topics = ("watermarks",)
    consumer = FreezingConsumer
    transactions: ClassVar[type[WatchedTransactions]] = WatchedTransactions
    kinds_of_disruption = (
        *("rebalance", "start", "crash", "zombie", "stop", "outage", "thrown out", "lost"),
        *("freeze", "freeze", "start"),
    )

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.poisoned = False
        self.broker.create_topic("watermarks", partitions=1)
        self.active: WatchedTransactions | None = None
        self.generation = 0
        self.published = {feed.name: 0 for feed in Numbers.feeds}
        self.claims = 0
        self._gates: dict[int, Gate] = {}

    def gate_of(self, life: Life) -> Gate:
        return self._gates.setdefault(self.number_of(life), Gate())

    def work(self, life: Life, context: WorkerContext) -> PollerWorker:
        store = WatermarkStore(
            "watermarks", self.read_watermarks, lambda: self.transactions(self, life)
        )
        return PollerWorker(Numbers(self, life), store, context)

    async def read_watermarks(self) -> Sequence[Delivery]:
        self.broker.answer()
        await asyncio.sleep(self.rng.choice([0, 0.01]))
        return list(self.broker.records("watermarks"))

    def appended(self, delivery: Delivery) -> None:
        super().appended(delivery)
        if delivery.topic == "out":
            feed, number = (delivery.value or b"").decode().split()
            expected = self.published[feed]
            self.demand(int(number) >= expected, f"{number} of {feed} was published before")
            self.demand(int(number) == expected, f"{expected} of {feed} was skipped")
            self.published[feed] += 1
        elif delivery.topic == "watermarks":
            self._marked(delivery)

    def _marked(self, delivery: Delivery) -> None:
        key, written = (delivery.key or b"").decode(), orjson.loads(delivery.value or b"")
        generation = written["generation"]
        if key == "active":
            self.demand(generation > self.generation, "a claim is of no new generation")
            self.generation = generation
            self.claims += 1
            return
        self.demand(generation == self.generation, "a watermark is of a generation that is over")
        feed = key.removeprefix("feed:")
        count = int(written["watermark"])
        self.demand(count <= self.published[feed], f"a watermark of {feed} is ahead of its records")
        self.demand(count == self.published[feed], f"a watermark of {feed} is behind its records")

    def committed(
        self, life: Life, source: TopicPartition, before: Position | None, position: Position
    ) -> None:
        self.note("committed", self.number_of(life), *source, *position)

    async def _feed(self) -> None:
        """Nothing is fed: numbers become available by time."""

    def _freeze(self, life: Life, for_s: float) -> None:
        self.gate_of(life).close()
        for consumer in life.entered:
            self.broker.cut_off(consumer)
        self._tasks.create_task(self._thaw(life, for_s))

    async def _thaw(self, life: Life, after_s: float) -> None:
        await asyncio.sleep(after_s)
        for consumer in life.entered:
            self.broker.heal(consumer)
        self.gate_of(life).open()

    def _left(self) -> int:
        return numbers * len(self.published) - sum(self.published.values())

    def _all_settled(self) -> bool:
        return self._left() == 0


class Numbers:
    """The poller: three feeds of numbers."""

    feeds = (Feed("a", "live"), Feed("b", "background"), Feed(hasty, "background"))
    page_records = page_records

    def __init__(self, history: PollerHistory, life: Life) -> None:
        self._history = history
        self._life = life
        self._fetching: set[str] = set()

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        count = int(watermark or 0)
        if count >= numbers:
            return None
        return now if feed.name == hasty else _available_at(count)

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        history, gate = self._history, self._history.gate_of(self._life)
        history.note("fetch", history.number_of(self._life), feed.name, watermark)
        history.demand(feed.name not in self._fetching, f"two pages of {feed.name} at once")
        self._fetching.add(feed.name)
        try:
            await gate.passed()
            await asyncio.sleep(history.rng.choice([0, 0.01, 0.3]))
            await gate.passed()
            return self._page(feed, int(watermark or 0))
        finally:
            self._fetching.remove(feed.name)

    def _page(self, feed: Feed, first: int) -> Fetched:
        rng, now = self._history.rng, self._history.broker.clock.now()
        dice = rng.random()
        if dice < 0.05:
            raise TransientError("the other side does not answer")
        if dice < 0.07:
            raise RejectedError(DeadLetterReason.UNREADABLE, "no page")
        if dice < 0.09:
            raise ZeroDivisionError
        end = first
        most = min(numbers, first + rng.randint(1, page_records))
        while end < most and _available_at(end) <= now:
            end += 1
        name = feed.name.encode()
        records = [Record("out", name, b"%s %d" % (name, number)) for number in range(first, end)]
        if records and dice < 0.12:
            too_large = bytes(2 * self._history.broker.record_bytes)
            records[-1] = Record("out", name, too_large)
        return Fetched(records, str(end))


def _available_at(number: int) -> datetime:
    return first_moment + timedelta(seconds=number * period_s)
