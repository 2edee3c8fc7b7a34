"""Whatever happens to the brokers and the topic, the table has in the end what the topic has."""

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from runtime.clock import Clock
from runtime.tables.follower import FollowedTable, TableFollower
from runtime.tables.following import FollowedTables
from runtime.values import Delivery, Record, TopicPartition
from tests.support.fakes.kafka import FakeBroker
from tests.support.fakes.kafka_log import Log
from tests.support.fakes.simulated_time import SimulatedClock, simulate

topic = "reference"
happenings = ("write", "write", "gap", "outage", "recreate", "delete", "expire", "add", "wait")


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    with capture_logs():
        yield


class LastValues:
    """The last value of each key; it settles one key at a time."""

    def __init__(self) -> None:
        self.of: dict[bytes | None, bytes | None] = {}
        self._waiting: dict[bytes | None, bytes | None] = {}

    def take(self, delivery: Delivery) -> None:
        self._waiting[delivery.key] = delivery.value

    def settle(self) -> bool:
        if self._waiting:
            key, value = self._waiting.popitem()
            self.of[key] = value
        return not self._waiting

    def clear(self) -> None:
        self.of.clear()
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self.of)


class History:
    """A broker to which things happen while a table follows one of its topics."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self.rng = Random(seed)
        self.clock = clock
        self.broker = FakeBroker(clock=clock, rng=self.rng)
        self.broker.create_topic(topic, partitions=2)
        self.number = 0
        self.expired: set[bytes | None] = set()

    async def go_on(self, happening: str) -> None:
        sources = self.broker.partitions([topic])
        match happening:
            case "write":
                for _ in range(self.rng.randint(1, 40)):
                    self.write(self.rng.choice(sources))
            case "gap":
                self.broker.leave_gap(self.rng.choice(sources))
            case "outage":
                self.broker.down = True
                await self.clock.sleep(self.rng.uniform(0, 30))
                self.broker.down = False
            case "recreate":
                self.broker.recreate_topic(topic)
                self.expired.clear()
            case "delete":
                self.broker.delete_topic(topic)
                await self.clock.sleep(self.rng.uniform(0, 5))
                self.broker.create_topic(topic, partitions=2)
                self.expired.clear()
            case "expire":
                source = self.rng.choice(sources)
                log = self.broker.logs[source]
                start = self.rng.randint(log.start, log.end)
                self.expired |= {each.key for each in log.records if each.offset < start}
                self.broker.delete_before(source, start)
            case "add":
                self.broker.logs[TopicPartition(topic, len(sources))] = Log()
            case _:
                await self.clock.sleep(self.rng.uniform(0, 2))

    def write(self, source: TopicPartition) -> None:
        """Write one of the few keys of a partition, each time another value."""
        self.number += 1
        key = b"%d of %d" % (self.rng.randint(0, 3), source.partition)
        self.broker.append(source, Record(topic, key, b"%d" % self.number))

    @property
    def content(self) -> dict[bytes | None, bytes | None]:
        return {each.key: each.value for each in self.broker.records(topic)}


@given(st.integers(0, 2**32), st.lists(st.sampled_from(happenings), max_size=12))
def test_a_table_has_in_the_end_what_its_topic_has(seed: int, chosen: list[str]) -> None:
    async def main() -> None:
        clock = SimulatedClock()
        history = History(seed, clock)
        table = LastValues()
        follower = TableFollower(
            FollowedTable(topic, table),
            lambda: history.broker.log_reader(topic),
            worker="in histories",
            clock=clock,
            rng=Random(seed),
        )
        async with FollowedTables([follower], worker="in histories", clock=clock):
            for happening in chosen:
                await history.go_on(happening)
            await clock.sleep(10)
            assert follower.caught_up
            assert follower.readiness_problem() is None
            # What was deleted from the log alone may be known from before.
            known = {key: table.of.get(key) for key in history.content}
            assert known == history.content
            assert table.of.keys() - history.content.keys() <= history.expired

    simulate(main())
