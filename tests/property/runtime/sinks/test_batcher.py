"""Batcher against the log: spans follow each other, and hold exactly the records between."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.sinks.batcher import Batcher
from runtime.values import Batch, BatchLimits, Collected, Delivery, Span, TopicPartition

sources = [TopicPartition("t", 0), TopicPartition("t", 1)]


def record(source: TopicPartition, offset: int, size: int = 1) -> Delivery:
    return Delivery(source.topic, source.partition, offset, None, b"x" * size, (), 0)


@dataclass(frozen=True, slots=True)
class Choosing(BatchLimits):
    """Chooses what the test says, after a look at what is collected."""

    choice: set[TopicPartition] = field(default_factory=set)
    seen: list[Mapping[TopicPartition, Collected]] = field(default_factory=list)

    def chosen(
        self, collected: Mapping[TopicPartition, Collected], now_s: float
    ) -> Collection[TopicPartition]:
        self.seen.append(collected)
        return self.choice


class BatcherMachine(RuleBasedStateMachine):
    @initialize(
        records=st.integers(1, 6),
        size_bytes=st.integers(1, 60),
        starts=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    )
    def begin(self, records: int, size_bytes: int, starts: tuple[int, int]) -> None:
        self.limits = Choosing(records, size_bytes, age_s=10.0)
        self.starts = dict(zip(sources, starts, strict=True))
        self.next = dict(self.starts)
        self.batcher = Batcher(self.limits, self.starts)
        self.now_s = 0.0
        self.held: list[tuple[float, Delivery]] = []

    @rule(source=st.sampled_from(sources), gap=st.integers(0, 2), size=st.integers(0, 30))
    def read(self, source: TopicPartition, gap: int, size: int) -> None:
        delivery = record(source, self.next[source] + gap, size)
        self.next[source] = delivery.offset + 1
        assert self.batcher.add(delivery, self.now_s)
        self.held.append((self.now_s, delivery))

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(source=st.sampled_from(sources))
    def reading_backwards_is_refused(self, source: TopicPartition) -> None:
        with pytest.raises(ValueError, match="expected an offset from"):
            self.batcher.add(record(source, self.next[source] - 1), self.now_s)

    @precondition(lambda self: self.held)
    @rule()
    def take(self) -> None:
        self.taken(self.batcher.take(), set(sources))

    @precondition(lambda self: self.held)
    @rule(chosen=st.sets(st.sampled_from(sources), min_size=1))
    def take_due(self, chosen: set[TopicPartition]) -> None:
        self.limits.choice.clear()
        self.limits.choice.update(chosen)
        batch = self.batcher.take_due(self.now_s)
        assert self.limits.seen[-1] == {s: self.collected_of(s) for s in sources if self.holds(s)}
        self.taken(batch, chosen)

    def holds(self, source: TopicPartition) -> bool:
        return any(delivery.source == source for _, delivery in self.held)

    def collected_of(self, source: TopicPartition) -> Collected:
        held = [(since_s, each) for since_s, each in self.held if each.source == source]
        return Collected(len(held), sum(each.size_bytes for _, each in held), held[0][0])

    def taken(self, batch: Batch, chosen: set[TopicPartition]) -> None:
        taken = [delivery for _, delivery in self.held if delivery.source in chosen]
        assert list(batch.deliveries) == taken
        touched = {delivery.source for delivery in taken}
        assert batch.spans == {s: Span(self.starts[s], self.next[s]) for s in touched}
        self.starts.update({s: self.next[s] for s in touched})
        self.held = [each for each in self.held if each[1].source not in chosen]

    @invariant()
    def due_by_records_bytes_or_age(self) -> None:
        held = [delivery for _, delivery in self.held]
        due_at_s = self.held[0][0] + self.limits.age_s if held else 0.0
        expected = bool(held) and (
            len(held) >= self.limits.records
            or sum(d.size_bytes for d in held) >= self.limits.size_bytes
            or self.now_s >= due_at_s
        )
        assert self.batcher.due(self.now_s) is expected
        assert len(self.batcher) == len(held)
        assert self.batcher.room == max(1, self.limits.records - len(held))
        assert self.batcher.oldest_since_s == (self.held[0][0] if held else None)
        due_in_s = self.batcher.due_in_s(self.now_s)
        assert due_in_s == (max(0.0, due_at_s - self.now_s) if held else None)


TestBatcher = pytest.mark.thorough(BatcherMachine.TestCase)
TestBatcher.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(deadline=None)
@given(
    log=st.sets(st.integers(0, 40), min_size=1),
    start=st.integers(0, 20),
    length=st.integers(1, 15),
)
def test_a_planned_batch_ends_where_it_was_planned_to_whatever_still_exists(
    log: set[int], start: int, length: int
) -> None:
    source, end = sources[0], start + length
    limits = BatchLimits(records=2, size_bytes=2, age_s=0.0)
    batcher = Batcher(limits, {source: start}, ends={source: end})
    for offset in sorted(offset for offset in log if offset >= start):
        if batcher.due(0.0):
            break
        assert batcher.add(record(source, offset), 0.0) is (offset < end)
    assert batcher.due(0.0) is any(offset >= end - 1 for offset in log)
    assert batcher.due_in_s(0.0) is None
    batch = batcher.take_due(0.0)
    assert [d.offset for d in batch.deliveries] == sorted(o for o in log if start <= o < end)
    assert batch.spans == {source: Span(start, end)}
    assert not batcher.due(0.0)
