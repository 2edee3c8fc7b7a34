"""A plan is carried out record first, line second, letter by letter, not faster than it may."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from operations.dead_letters.actions import Act, ActionRefused, Judge
from operations.dead_letters.audit import read_line
from operations.dead_letters.executor import Executor, Operator, Plan, carry_out, plan
from operations.dead_letters.letter import Letter, letter_of
from operations.dead_letters.reading import DeadLetterReading
from runtime.errors import RejectedError, TransientError
from runtime.values import Delivery, Record
from schemas.reasons import DeadLetterReason
from tests.support.fakes.kafka import FakeBroker
from tests.support.fakes.kafka_publisher import FakePublisher
from tests.support.fakes.simulated_time import SimulatedClock
from tests.support.workers import simulated

DEAD, ORIGIN, AUDIT = "dead", "origin", "audit"


class ScriptedPublisher(FakePublisher):
    """Raises the given errors instead of storing the next records, or after storing them."""

    def __init__(self, broker: FakeBroker) -> None:
        super().__init__(broker)
        self.before: list[BaseException | None] = []
        self.after: list[BaseException | None] = []

    async def publish(self, record: Record) -> None:
        if self.before and (error := self.before.pop(0)):
            raise error
        await super().publish(record)
        if self.after and (error := self.after.pop(0)):
            raise error


class Desk:
    """Dead letters 0 to ``count`` - 1 and the topics around them."""

    def __init__(self, count: int = 3) -> None:
        self.clock = SimulatedClock()
        self.broker = FakeBroker(clock=self.clock, rng=Random(1), session_timeout_s=5)
        for topic in (DEAD, ORIGIN, AUDIT):
            self.broker.create_topic(topic, partitions=1)
        self.publisher = ScriptedPublisher(self.broker)
        self.letters = [
            DeadLetterReading(delivery, letter_of(delivery, worker="w"), None)
            for delivery in (
                Delivery(DEAD, 0, offset, b"k", b"%d" % offset, (), 100 - offset)
                for offset in range(count)
            )
        ]

    async def dead_letters(self) -> AsyncIterator[DeadLetterReading]:
        for each in self.letters:
            yield each

    async def plan(self, judge: Judge, *, most: int | None = None) -> Plan:
        return await plan(self.dead_letters(), judge, limit=most)

    async def act(
        self, judge: Judge, planned: Plan, *, rate_per_s: float | None = None
    ) -> list[tuple[Letter, Act | ActionRefused]]:
        operator = Operator("ann", "mended")
        executor = Executor(
            self.publisher, self.clock, audit_topic=AUDIT, operator=operator, rate_per_s=rate_per_s
        )
        return [
            outcome async for outcome in carry_out(self.dead_letters(), judge, planned, executor)
        ]

    def sent(self) -> list[bytes | None]:
        return [each.value for each in self.broker.records(ORIGIN)]

    def handled(self) -> list[int]:
        lines = [read_line(each.value) for each in self.broker.records(AUDIT)]
        return [line[0].record_id.offset for line in lines if line]


def again(delivery: Delivery, letter: Letter) -> Act | ActionRefused:
    return Act("replayed", Record(ORIGIN, delivery.key, delivery.value), 1)


def odd_ones(delivery: Delivery, letter: Letter) -> Act | ActionRefused:
    return again(delivery, letter) if letter.record_id.offset % 2 else ActionRefused("even")


@simulated
async def test_each_record_is_sent_before_its_line_is_written() -> None:
    desk = Desk()
    outcomes = await desk.act(again, await desk.plan(again))
    assert [letter.record_id.offset for letter, _ in outcomes] == [0, 1, 2]
    assert all(isinstance(outcome, Act) for _, outcome in outcomes)
    assert desk.sent() == [b"0", b"1", b"2"]
    assert desk.handled() == [0, 1, 2]


@simulated
async def test_a_plan_counts_what_is_refused_and_acting_lists_it() -> None:
    desk = Desk(count=4)
    planned = await desk.plan(odd_ones)
    assert planned.refused == Counter(even=2)
    assert sum(group.count for group in planned.groups) == 2
    outcomes = await desk.act(odd_ones, planned)
    assert [
        letter.record_id.offset for letter, outcome in outcomes if outcome == ActionRefused("even")
    ] == [
        0,
        2,
    ]
    assert desk.handled() == [1, 3]


@simulated
async def test_with_a_limit_the_earliest_are_done() -> None:
    desk = Desk()
    await desk.act(again, await desk.plan(again, most=2))
    assert desk.sent() == [b"1", b"2"]


@simulated
async def test_a_dead_letter_that_came_after_the_plan_is_left_alone() -> None:
    desk = Desk()
    planned = await desk.plan(again)
    desk.letters = [*desk.letters, *Desk(count=4).letters[3:]]
    await desk.act(again, planned)
    assert desk.handled() == [0, 1, 2]


@simulated
async def test_a_rate_is_not_exceeded() -> None:
    desk = Desk(count=11)
    before_s = desk.clock.monotonic_s()
    await desk.act(again, await desk.plan(again), rate_per_s=2)
    assert 5 <= desk.clock.monotonic_s() - before_s < 6


@simulated
async def test_a_record_that_is_not_acknowledged_is_sent_once_more() -> None:
    desk = Desk(count=1)
    desk.publisher.after = [TransientError("the producer was replaced")]
    await desk.act(again, await desk.plan(again))
    assert (desk.sent(), desk.handled()) == ([b"0", b"0"], [0])


@simulated
async def test_a_kill_between_record_and_line_repeats_one_and_loses_none() -> None:
    desk = Desk()
    desk.publisher.before = [None, None, None, asyncio.CancelledError()]
    with pytest.raises(asyncio.CancelledError):
        await desk.act(again, await desk.plan(again))
    assert (desk.sent(), desk.handled()) == ([b"0", b"1"], [0])
    desk.letters = desk.letters[1:]
    await desk.act(again, await desk.plan(again))
    assert (desk.sent(), desk.handled()) == ([b"0", b"1", b"1", b"2"], [0, 1, 2])


@simulated
async def test_what_the_broker_never_takes_is_refused_and_stays_open() -> None:
    desk = Desk(count=2)
    desk.publisher.before = [RejectedError(DeadLetterReason.TOO_LARGE, "origin takes no 9 bytes")]
    outcomes = await desk.act(again, await desk.plan(again))
    assert next(outcome for _, outcome in outcomes) == ActionRefused("origin takes no 9 bytes")
    assert desk.handled() == [1]


@simulated
async def test_brokers_that_never_acknowledge_end_the_command_with_what_is_open() -> None:
    desk = Desk()
    desk.publisher.before = [None, None, *[TransientError("publish: no")] * 1000]
    with pytest.raises(TransientError, match=r"publish: no; .* do the rest"):
        await desk.act(again, await desk.plan(again))
    assert desk.handled() == [0]


class NeverReady(ScriptedPublisher):
    @property
    def ready(self) -> bool:
        return False


@simulated
async def test_unreachable_brokers_are_reported() -> None:
    desk = Desk()
    desk.publisher = NeverReady(desk.broker)
    with pytest.raises(TransientError, match="not connected to Kafka"):
        await desk.act(again, await desk.plan(again))


def discarded(delivery: Delivery, letter: Letter) -> Act | ActionRefused:
    return Act("discarded", None, 0)


@simulated
async def test_a_discard_is_a_line_and_no_record() -> None:
    desk = Desk()
    outcomes: Sequence[tuple[Letter, Act | ActionRefused]] = await desk.act(
        discarded, await desk.plan(discarded)
    )
    assert len(outcomes) == 3
    assert (desk.sent(), desk.handled()) == ([], [0, 1, 2])
