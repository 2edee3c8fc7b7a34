"""A table that follows a topic of the fake Kafka, in simulated time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from runtime import metrics
from runtime.ports import LogReader
from runtime.tables.follower import FollowedTable, TableFollower
from runtime.tables.following import FollowedTables
from runtime.values import Delivery, Record, TopicPartition
from tests.support.fakes.kafka import FakeBroker
from tests.support.fakes.kafka_log import Log
from tests.support.fakes.simulated_time import SimulatedClock, simulate

topic = "reference"


@pytest.fixture(autouse=True)
def events() -> Iterator[list[dict[str, Any]]]:
    with capture_logs() as captured:
        yield captured  # type: ignore[misc] # structlog has its own type of a log line


class Newest:
    """The last value of each key, as text; refuses what the test wants refused."""

    def __init__(self) -> None:
        self.taken: dict[bytes | None, bytes | None] = {}
        self.settled: dict[bytes | None, bytes | None] = {}
        self.clears = 0

    def take(self, delivery: Delivery) -> None:
        if delivery.value == b"broken":
            raise ValueError("broken")
        if delivery.value == b"defect":
            raise ZeroDivisionError
        self.taken[delivery.key] = delivery.value

    def settle(self) -> bool:
        if not self.taken:
            return True
        key, value = self.taken.popitem()
        if value == b"broken later":
            raise ValueError("broken later")
        if value == b"defect later":
            raise ZeroDivisionError
        self.settled[key] = value
        return not self.taken

    def clear(self) -> None:
        self.clears += 1
        self.taken.clear()
        self.settled.clear()

    def __len__(self) -> int:
        return len(self.settled)


class Rig:
    """A broker with a topic of two partitions, a table, and its follower."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock = SimulatedClock()
        self.broker = FakeBroker(clock=self.clock, rng=Random(1))
        self.broker.create_topic(topic, partitions=2)
        self.table = Newest()
        self.readers: list[LogReader] = []
        metrics.begin_table(name, topic)
        self.follower = TableFollower(
            FollowedTable(topic, self.table),
            self._connect,
            worker=name,
            clock=self.clock,
            rng=Random(2),
        )
        self.tables = FollowedTables([self.follower], worker=name, clock=self.clock)

    def _connect(self) -> LogReader:
        self.readers.append(self.broker.log_reader(topic))
        return self.readers[-1]

    def write(self, key: str, value: str | None, partition: int = 0) -> None:
        content = None if value is None else value.encode()
        self.broker.append(TopicPartition(topic, partition), Record(topic, key.encode(), content))

    def figure(self, name: str) -> float:
        metric = getattr(metrics.table, name).labels(self.name, topic)
        return float(metric._value.get())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(300):
            while not condition():
                await self.clock.sleep(0.05)

    @asynccontextmanager
    async def caught_up(self) -> AsyncIterator[None]:
        async with self.tables:
            await self.until(lambda: self.follower.caught_up)
            yield


def run(name: str, story: Callable[[Rig], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        await story(Rig(name))

    simulate(main())


def test_a_table_takes_what_the_topic_holds_and_then_what_is_added() -> None:
    async def story(rig: Rig) -> None:
        for number in range(2000):
            rig.write(f"k{number % 7}", str(number), number % 7 % 2)
        async with rig.caught_up():
            assert rig.table.settled[b"k0"] == b"1995"
            assert rig.follower.readiness_problem() is None
            assert (rig.figure("records"), rig.figure("caught_up")) == (7, 1)
            rig.write("k0", "added")
            await rig.until(lambda: rig.table.settled[b"k0"] == b"added")
            assert rig.figure("reloads") == 0

    run("follows", story)


def test_readiness_says_how_many_records_are_missing() -> None:
    async def story(rig: Rig) -> None:
        for number in range(2000):
            rig.write("k", str(number))
        seen: set[str | None] = set()
        async with rig.tables:
            while not rig.follower.caught_up:
                seen.add(rig.follower.readiness_problem())
                await asyncio.sleep(0)
        first, *_, last = sorted(filter(None, seen), key=lambda text: -len(text))
        assert first.startswith("waits for the table of reference, 1")
        assert first.endswith(" records to read")
        assert last == "waits for the table of reference"

    run("missing records", story)


def test_a_table_of_an_empty_topic_has_caught_up_at_once() -> None:
    async def story(rig: Rig) -> None:
        async with rig.caught_up():
            assert rig.clock.monotonic_s() < 0.5

    run("empty", story)


def test_a_topic_that_does_not_exist_yet_is_waited_for_and_named() -> None:
    async def story(rig: Rig) -> None:
        rig.broker.delete_topic(topic)
        async with rig.tables:
            await rig.until(lambda: len(rig.readers) > 3)
            problem = rig.follower.readiness_problem()
            assert problem is not None
            assert problem.startswith("waits for the table of reference: table has failed for ")
            assert problem.endswith("topics that do not exist: reference")
            rig.broker.create_topic(topic, partitions=1)
            await rig.until(lambda: rig.follower.caught_up)
            assert rig.figure("reloads") == 0

    run("missing", story)


def test_a_recreated_topic_clears_the_table_and_is_read_anew() -> None:
    async def story(rig: Rig) -> None:
        rig.write("old", "1")
        async with rig.caught_up():
            rig.broker.recreate_topic(topic)
            rig.write("new", "2")
            await rig.until(lambda: rig.figure("reloads") == 1 and rig.follower.caught_up)
            assert rig.table.settled == {b"new": b"2"}

    run("recreated", story)


def test_while_a_topic_is_deleted_the_table_stays_and_readiness_names_the_topic() -> None:
    async def story(rig: Rig) -> None:
        rig.write("old", "1")
        async with rig.caught_up():
            rig.broker.delete_topic(topic)
            await rig.until(rig.follower.readiness_problem)
            problem = rig.follower.readiness_problem() or ""
            assert problem.startswith("does not follow reference: ")
            assert rig.table.settled == {b"old": b"1"}
            rig.broker.create_topic(topic, partitions=2)
            await rig.until(lambda: rig.follower.readiness_problem() is None)
            assert rig.table.settled == {}

    run("deleted", story)


def test_a_log_that_lost_the_next_offset_is_read_anew() -> None:
    async def story(rig: Rig) -> None:
        rig.write("gone", "1")
        async with rig.caught_up():
            rig.broker.down = True
            await rig.clock.sleep(5)
            for number in range(5):
                rig.write("k", str(number))
            rig.broker.delete_before(TopicPartition(topic, 0), 4)
            rig.broker.down = False
            await rig.until(lambda: rig.figure("reloads") == 1 and rig.follower.caught_up)
            assert rig.table.settled == {b"k": b"4"}

    run("lost", story)


def test_a_log_that_lost_records_and_has_grown_since_is_read_anew() -> None:
    async def story(rig: Rig) -> None:
        log = rig.broker.logs[TopicPartition(topic, 0)]
        for number in range(5):
            rig.write(f"old{number}", "1")
        async with rig.caught_up():
            log.end, log.records = 2, log.records[:2]
            while rig.follower.caught_up:
                await rig.clock.sleep(0.001)
            for number in range(5):
                rig.write(f"new{number}", "2")
            await rig.until(lambda: rig.figure("reloads") == 1 and rig.follower.caught_up)
            assert rig.table.settled.keys() == {each.key for each in log.records}

    run("regrown", story)


def test_an_outage_keeps_the_table_and_is_a_remark() -> None:
    async def story(rig: Rig) -> None:
        rig.write("k", "1")
        async with rig.caught_up():
            rig.broker.down = True
            await rig.clock.sleep(20)
            assert rig.follower.readiness_problem() is None
            assert (rig.tables.remarks() or "").startswith("does not follow reference: table has")
            assert rig.table.settled == {b"k": b"1"}
            rig.broker.down = False
            rig.write("k", "2")
            await rig.until(lambda: rig.table.settled[b"k"] == b"2")
            assert rig.tables.remarks() is None
            assert rig.table.clears == 1  # at the start

    run("outage", story)


def test_new_partitions_are_read_and_the_table_stays_ready() -> None:
    async def story(rig: Rig) -> None:
        async with rig.caught_up():
            rig.broker.logs[TopicPartition(topic, 2)] = Log()
            rig.write("k", "1", 2)
            await rig.until(lambda: rig.table.settled)
            assert rig.follower.caught_up
            assert rig.figure("reloads") == 0

    run("partitions", story)


@pytest.mark.parametrize("value", ["broken", "defect", "broken later", "defect later"])
def test_a_record_that_the_table_refuses_is_counted_and_skipped(
    value: str, events: list[dict[str, Any]]
) -> None:
    async def story(rig: Rig) -> None:
        for number in range(3):
            rig.write(f"bad{number}", value)
        rig.write("good", "1")
        async with rig.caught_up():
            await rig.until(lambda: rig.figure("skipped") == 3)
            assert rig.table.settled == {b"good": b"1"}
            assert len([each for each in events if "skips" in each["event"]]) == 1
            await rig.clock.sleep(60)
            rig.write("bad", value)
            await rig.until(lambda: rig.figure("skipped") == 4)
            assert events[-1]["records"] == 3  # the two that the first line left out, and this

    run(f"refused {value}", story)


def test_records_that_the_reader_skips_are_counted_too() -> None:
    async def story(rig: Rig) -> None:
        async with rig.caught_up():
            vars(rig.readers[-1])["unreadable_count"] = 3
            await rig.until(lambda: rig.figure("skipped") == 3)

    run("undecodable", story)


def test_the_wait_ends_at_a_stop_and_after_a_time_without_progress() -> None:
    async def story(rig: Rig) -> None:
        stopping = asyncio.Event()
        rig.broker.delete_topic(topic)
        async with rig.tables:
            await rig.tables.wait(stopping, without_progress_s=30)
            assert 30 <= rig.clock.monotonic_s() < 31
            assert "reference" in (rig.tables.readiness_problem() or "")
            stopping.set()
            await rig.tables.wait(stopping, without_progress_s=30)
            assert rig.clock.monotonic_s() < 31

    run("waits", story)


def test_the_wait_lasts_as_long_as_records_come() -> None:
    async def story(rig: Rig) -> None:
        async def come_slowly() -> None:
            for _ in range(20):
                await rig.clock.sleep(2)
                rig.follower.taken_count += 1
            rig.broker.create_topic(topic, partitions=1)

        rig.broker.delete_topic(topic)
        async with rig.tables, asyncio.TaskGroup() as tasks:
            tasks.create_task(come_slowly())
            await rig.tables.wait(asyncio.Event(), without_progress_s=3)
            assert rig.follower.caught_up

    run("progress", story)


def test_a_worker_without_tables_waits_for_nothing() -> None:
    async def main() -> None:
        async with FollowedTables([], worker="none", clock=SimulatedClock()) as tables:
            await tables.wait(asyncio.Event(), without_progress_s=30)
            assert tables.readiness_problem() is None
            assert tables.remarks() is None

    simulate(main())
