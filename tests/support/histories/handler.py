"""Histories of a Worker: its handler is slow, fails, and does not always let itself be cancelled.

Demanded of each step: one call at a time per key and no more calls than allowed; each key's records
settled in their order, none left out; the results of a record in their order; a dead letter for
those at fault and no other, for the right reason; nothing before a position, nor in the map beside
it, that is not settled; nothing handled again that the map said was done when the partition was
assigned; no map that knows less than the one before; no more done between two commits than the
settings say.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from runtime.errors import RejectedError, TransientError
from runtime.handlers.worker import Worker
from runtime.offsets.metadata import OffsetMap, UnreadableMapError, from_committed
from runtime.ports import Position
from runtime.values import Delivery, Record, TopicPartition
from runtime.worker.membership import WorkerContext
from schemas.headers import reason_header, text
from schemas.reasons import DeadLetterReason
from tests.support.histories.history import History, Life, key_of, keys, number_of

slow_key = 4


def defect(number: int) -> bool:
    """Whether our code fails on the record, whenever it tries."""
    return number % 53 == 11


def silent(number: int) -> bool:
    """Whether nothing follows from the record."""
    return number % 41 == 5


def has_half(number: int) -> bool:
    """Whether two results follow from the record, the first one in a topic of its own."""
    return number % 7 == 3


class _Running(NamedTuple):
    """Calls of one assignment of one life; all offsets that it has answered for."""

    keys: set[int]
    answered: set[tuple[TopicPartition, int]]


class HandlerHistory(History):
    name = "handler"

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.repeats = 0
        self._next = list(range(keys))
        self._stumbled: set[int] = set()
        self._halves: set[int] = set()
        self._running: dict[tuple[int, int], _Running] = {}

    def work(self, life: Life, context: WorkerContext) -> Worker:
        async def handler(delivery: Delivery) -> Sequence[Record]:
            return await self._call(life, delivery)

        return Worker(handler, context)

    def appended(self, delivery: Delivery) -> None:
        super().appended(delivery)
        if delivery.topic == "half":
            self._halves.add(number_of(delivery))
        elif delivery.topic == "out":
            number = number_of(delivery)
            self.demand(self._is_fine(number), "a record at fault was produced")
            self.demand(
                number in self._halves or not has_half(number), f"{number} overtook its first half"
            )
            self._settle(number)
        elif delivery.topic == "dead":
            number = number_of(delivery)
            is_rejected = self.is_rejected(number)
            reason = DeadLetterReason.UNREADABLE if is_rejected else DeadLetterReason.DEFECT
            self.demand(
                is_rejected or defect(number), f"{number} became a dead letter without cause"
            )
            if is_rejected:
                self.count_dead_letter(number)
            named = text(delivery.headers, reason_header)
            self.demand(named == reason.value, f"{number} became a dead letter as {named}")
            self._settle(number)

    def committed(
        self, life: Life, source: TopicPartition, before: Position | None, position: Position
    ) -> None:
        super().committed(life, source, before, position)
        old, new = self._offset_map(source, before), self._offset_map(source, position)
        news = 0
        for delivery in self.broker.log(source):
            done = _is_done(new, delivery.offset)
            self.demand(
                not done or number_of(delivery) in self.settled,
                f"the map of {source} names {delivery.offset} as done",
            )
            self.demand(done or not _is_done(old, delivery.offset), "a map forgot what was done")
            news += done and not _is_done(old, delivery.offset)
        if not life.commit_failed:
            most = self.settings.commit_records + self.settings.in_flight_records
            self.demand(news <= most, f"{news} were done since the last commit")

    async def _call(self, life: Life, delivery: Delivery) -> Sequence[Record]:
        number, source = number_of(delivery), delivery.source
        key, place = key_of(number), (source, delivery.offset)
        self.note("called", self.number_of(life), number)
        running = self._running.setdefault((id(life), life.epoch), _Running(set(), set()))
        self.demand(source in life.assigned_positions, f"{source} is not owned")
        finished = self._offset_map(source, life.assigned_positions[source])
        self.demand(not _is_done(finished, delivery.offset), f"{number} was known to be done")
        self.demand(place not in running.answered, f"{number} was handled before")
        self.demand(key not in running.keys, f"two of key {key} run at once")
        self.repeats += number in self.settled
        running.keys.add(key)
        self.demand(len(running.keys) <= self.settings.concurrency, "too many run at once")
        try:
            await self._take_time(key)
            answer = self._answer(number, delivery)
        finally:
            running.keys.remove(key)
        running.answered.add(place)
        return answer

    async def _take_time(self, key: int) -> None:
        longest_s = 2.0 if key == slow_key else self.rng.choice([0, 0, 0.001, 0.05])
        try:
            await asyncio.sleep(self.rng.uniform(0, longest_s))
        except asyncio.CancelledError:
            if self.rng.random() < 0.8:
                raise
            await asyncio.sleep(0.01)  # completes late

    def _answer(self, number: int, delivery: Delivery) -> Sequence[Record]:
        if self.rng.random() < 0.03:
            raise TransientError("the other side does not answer")
        if self.rejects(number):
            raise RejectedError(DeadLetterReason.UNREADABLE, "poison")
        if defect(number):
            raise ZeroDivisionError
        if number not in self._stumbled and self.rng.random() < 0.03:
            self._stumbled.add(number)
            raise KeyError(number)
        if silent(number):
            self._settle(number)
            return ()
        whole = Record("out", delivery.key, delivery.value)
        return (replace(whole, topic="half"), whole) if has_half(number) else (whole,)

    def _settle(self, number: int) -> None:
        """Note that a record is settled: each key's in their order."""
        if number in self.settled:
            return
        expected = self._next[key_of(number)]
        self.demand(number == expected, f"{number} was settled before {expected} of its key")
        self._next[key_of(number)] += keys
        self.settled.add(number)

    def _is_fine(self, number: int) -> bool:
        return not self.rejects(number) and not defect(number)

    def _offset_map(self, source: TopicPartition, position: Position | None) -> OffsetMap:
        if position is None:
            return OffsetMap((), 0)
        try:
            return from_committed(position, log_end=self.broker.logs[source].end)
        except UnreadableMapError as error:
            self.demand(False, f"an unreadable map is committed: {error}")  # noqa: FBT003 - as above
            raise


def _is_done(finished: OffsetMap, offset: int) -> bool:
    return offset < finished.end and offset not in finished.unfinished
