"""The consumer that holds back, under a caller that pauses, seeks and loses partitions."""

from collections.abc import Collection, Sequence
from random import Random

from runtime.handlers.delayed_consumer import DelayedConsumer
from runtime.ports import Position, RebalanceListener
from runtime.retries.retry_topics import RetryTopic, RetryTopics
from runtime.values import Assignment, Delivery, Record, TopicPartition
from schemas.headers import timestamp
from tests.support.fakes.kafka import FakeBroker, FakeConsumer
from tests.support.fakes.simulated_time import SimulatedClock
from tests.support.workers import simulated

delays = RetryTopics([RetryTopic("r", 30)])
one, two = TopicPartition("r", 0), TopicPartition("r", 1)


class Listener:
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.calls.append("revoked")

    async def assigned(self, assignment: Assignment) -> None:
        self.calls.append("assigned")


class Looked(FakeConsumer):
    @property
    def paused(self) -> set[TopicPartition]:
        return self._paused


class Bench:
    """One consumer of two partitions; ``inner`` is what it holds back."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.broker = FakeBroker(clock=self.clock, rng=Random(1))
        self.broker.create_topic("r", partitions=2)
        self.listener = Listener()
        self.consumer = DelayedConsumer(
            self._connect, self.listener, delays=delays, clock=self.clock
        )

    def _connect(self, listener: RebalanceListener) -> Looked:
        self.inner = Looked(self.broker, group="g", topics=["r"], listener=listener)
        return self.inner

    def put(self, source: TopicPartition, *values: bytes, due_in_s: float) -> None:
        due_ms = int((self.clock.now().timestamp() + due_in_s) * 1000)
        for value in values:
            headers = (("zcc-due-at", timestamp(due_ms).encode()),)
            self.broker.append(source, Record("r", b"k", value, headers))

    async def poll_for(self, seconds: float, *, most: int = 100) -> list[bytes | None]:
        """Poll for so long and return the values that came."""
        deliveries: list[Delivery] = []
        until_s = self.clock.monotonic_s() + seconds
        while (left_s := until_s - self.clock.monotonic_s()) > 0:
            polled: Sequence[Delivery] = await self.consumer.poll(
                max_records=most, timeout_s=min(left_s, 0.25)
            )
            assert len(polled) <= most
            deliveries += polled
        return [each.value for each in deliveries]


@simulated
async def test_delayed_records_come_in_order_when_due_and_no_more_than_requested() -> None:
    bench = Bench()
    bench.put(one, b"1", b"2", b"3", due_in_s=10)
    bench.put(two, b"a", due_in_s=5)
    async with bench.consumer:
        assert await bench.poll_for(4.9) == []
        assert bench.inner.paused == {one, two}
        assert await bench.poll_for(1) == [b"a"]
        assert bench.inner.paused == {one}
        assert await bench.poll_for(5, most=1) == [b"1", b"2", b"3"]
        assert bench.inner.paused == set()


@simulated
async def test_what_the_caller_has_paused_is_held_although_it_is_due() -> None:
    bench = Bench()
    bench.put(one, b"1", due_in_s=5)
    async with bench.consumer:
        await bench.poll_for(1)
        bench.consumer.pause({one, two})
        assert await bench.poll_for(10) == []
        bench.consumer.resume({one, two})
        assert bench.inner.paused == {one}
        assert await bench.poll_for(1) == [b"1"]
        assert bench.inner.paused == set()


@simulated
async def test_a_partition_that_the_caller_resumes_too_early_is_still_not_fetched() -> None:
    bench = Bench()
    bench.put(one, b"1", due_in_s=20)
    async with bench.consumer:
        await bench.poll_for(1)
        bench.consumer.pause({one})
        bench.consumer.resume({one})
        await bench.poll_for(1)
        assert bench.inner.paused == {one}


@simulated
async def test_a_seek_forgets_what_is_held_of_the_partition() -> None:
    bench = Bench()
    bench.put(one, b"1", b"2", due_in_s=5)
    bench.put(two, b"a", due_in_s=5)
    async with bench.consumer:
        await bench.poll_for(1)
        bench.consumer.seek(one, 1)
        bench.consumer.seek(two, 0)
        assert bench.inner.paused == set()
        assert sorted(map(str, await bench.poll_for(10))) == sorted(map(str, [b"2", b"a"]))


@simulated
async def test_nothing_is_let_go_of_a_partition_that_was_taken_away() -> None:
    bench = Bench()
    bench.put(one, b"1", due_in_s=5)
    async with bench.consumer:
        await bench.poll_for(1)
        silent = Looked(bench.broker, group="g", topics=["r"], listener=Listener())
        async with silent:  # never polls, so the group waits for it
            assert await bench.poll_for(10) == []
            assert bench.listener.calls == ["assigned", "revoked"]
        assert await bench.poll_for(1) == [b"1"]


@simulated
async def test_what_was_paused_is_not_paused_after_a_rebalance() -> None:
    bench = Bench()
    bench.put(one, b"1", due_in_s=5)
    async with bench.consumer:
        await bench.poll_for(1)
        bench.consumer.pause({one})
        bench.broker.rebalance("g")
        assert await bench.poll_for(10) == [b"1"]


@simulated
async def test_commits_and_figures_are_those_of_the_group() -> None:
    bench = Bench()
    bench.put(one, b"1", due_in_s=0)
    async with bench.consumer:
        assert await bench.poll_for(1) == [b"1"]
        await bench.consumer.commit({one: Position(1)})
        assert await bench.consumer.committed([one, two]) == {one: Position(1), two: None}
        assert await bench.consumer.log_ends([one, two]) == {one: 1, two: 0}
