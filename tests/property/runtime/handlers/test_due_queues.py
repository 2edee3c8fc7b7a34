"""Whatever is added and whenever it is taken: nothing too early, in order, nothing for ever."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runtime.handlers.due_queues import DueQueues
from runtime.values import Delivery, TopicPartition
from schemas.headers import timestamp

delays_s = {"short": 1.0, "long": 60.0}
sources = [TopicPartition(topic, number) for topic in delays_s for number in range(2)]
some_sources = st.sets(st.sampled_from(sources))


def waiting(source: TopicPartition, offset: int, due_ms: int | None) -> Delivery:
    headers = () if due_ms is None else (("zcc-due-at", timestamp(due_ms).encode()),)
    return Delivery(*source, offset, b"k", b"v", headers, 0)


class DueQueuesMachine(RuleBasedStateMachine):
    """Compares the queues with a model of their contents."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = DueQueues(delays_s)
        self.held: dict[TopicPartition, deque[tuple[Delivery, int, int]]] = {}
        self.now_ms = 10**12
        self.offset = 0

    @rule(elapsed_ms=st.integers(0, 100_000))
    def time_goes_on(self, elapsed_ms: int) -> None:
        self.now_ms += elapsed_ms

    @rule(source=st.sampled_from(sources), due_in_ms=st.none() | st.integers(-10_000, 10**9))
    def add(self, source: TopicPartition, due_in_ms: int | None) -> None:
        self.offset += 1
        due_ms = None if due_in_ms is None else self.now_ms + due_in_ms
        delivery = waiting(source, self.offset, due_ms)
        self.queues.add(delivery, now_ms=self.now_ms)
        latest_ms = self.now_ms + int(delays_s[source.topic] * 1000)
        self.held.setdefault(source, deque()).append((delivery, due_ms or 0, latest_ms))

    @rule(most=st.integers(0, 5), without=some_sources)
    def take(self, most: int, without: set[TopicPartition]) -> None:
        taken = self.queues.take(most, now_ms=self.now_ms, without=without)
        assert len(taken) <= most
        for delivery in taken:
            assert delivery.source not in without
            expected, due_ms, latest_ms = self.held[delivery.source].popleft()
            assert delivery is expected
            assert min(due_ms, latest_ms) <= self.now_ms
            if not self.held[delivery.source]:
                del self.held[delivery.source]
        if len(taken) < most:
            assert not [
                source
                for source, queue in self.held.items()
                if source not in without and min(queue[0][1:]) <= self.now_ms
            ]

    @rule(source=st.sampled_from(sources))
    def drop(self, source: TopicPartition) -> None:
        self.queues.drop(source)
        self.held.pop(source, None)

    @rule()
    def clear(self) -> None:
        self.queues.clear()
        self.held.clear()

    @rule(without=some_sources)
    def the_next_is_the_first_of_a_front(self, without: set[TopicPartition]) -> None:
        fronts = [min(queue[0][1:]) for s, queue in self.held.items() if s not in without]
        assert self.queues.next_due_ms(without=without) == min(fronts, default=None)

    @invariant()
    def it_knows_of_which_it_holds(self) -> None:
        assert set(self.queues.sources) == set(self.held)


TestDueQueues = DueQueuesMachine.TestCase


@given(due_in_ms=st.integers(0, 10**9))
def test_all_that_is_held_is_let_go_after_the_delay_of_its_topic(due_in_ms: int) -> None:
    queues, now_ms = DueQueues(delays_s), 10**12
    queues.add(waiting(sources[0], 0, now_ms + due_in_ms), now_ms=now_ms)
    assert len(queues.take(1, now_ms=now_ms + 1000, without=())) == 1
