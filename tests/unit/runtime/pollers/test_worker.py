"""A poller's worker on the fake Kafka, in simulated time: the active member, and what fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from random import Random

import pytest
from structlog.testing import capture_logs

from runtime import metrics
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.pollers.tenure import WatermarkStore
from runtime.pollers.worker import PollerWorker
from runtime.ports import Consumer, RebalanceListener
from runtime.settings import WorkerSettings
from runtime.values import Delivery, Feed, Fetched, Record
from runtime.worker.membership import MembershipContext
from schemas.reasons import DeadLetterReason
from tests.support.fakes.kafka import FakeBroker
from tests.support.fakes.simulated_time import SimulatedClock, simulate

one, other = Feed("one", "live"), Feed("other", "background")


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    with capture_logs():
        yield


class Pages:
    """A poller of the given feeds; each page is what the test's function makes of it."""

    page_records = 3

    def __init__(
        self,
        fetch: Callable[[Feed, int], Awaitable[Fetched]],
        feeds: Sequence[Feed] = (one, other),
        pages: int = 4,
    ) -> None:
        self.feeds = feeds
        self._fetch = fetch
        self._pages = pages

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        return now if int(watermark or 0) < self._pages else None

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        return await self._fetch(feed, int(watermark or 0))


async def page(feed: Feed, number: int) -> Fetched:
    value = b"%s %d" % (feed.name.encode(), number)
    return Fetched([Record("out", feed.name.encode(), value)], str(number + 1))


class Rig:
    """A broker, and workers of one group on it."""

    def __init__(self) -> None:
        self.clock = SimulatedClock()
        self.broker = FakeBroker(clock=self.clock, rng=Random(1), session_timeout_s=5)
        self.broker.create_topic("watermarks", partitions=1)
        self.broker.create_topic("out", partitions=1)

    def worker(self, poller: Pages, *, name: str = "polls", **settings: object) -> PollerWorker:
        def connect(listener: RebalanceListener) -> Consumer:
            return self.broker.consumer(group="g", topics=["watermarks"], listener=listener)

        async def read() -> Sequence[Delivery]:
            return list(self.broker.records("watermarks"))

        context = MembershipContext(
            name=name,
            connect=connect,
            settings=WorkerSettings.model_validate({"drain_timeout_s": 2.0} | settings),
            clock=self.clock,
            rng=Random(2),
        )
        store = WatermarkStore(
            "watermarks", read, lambda: self.broker.transactions(transactional_id="g")
        )
        return PollerWorker(poller, store, context)

    @property
    def out(self) -> list[bytes]:
        return [delivery.value or b"" for delivery in self.broker.records("out")]

    def of(self, feed: Feed) -> list[bytes]:
        return [value for value in self.out if value.startswith(feed.name.encode() + b" ")]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(300):
            while not condition():
                await self.clock.sleep(0.05)


@asynccontextmanager
async def running(worker: PollerWorker) -> AsyncIterator[asyncio.Event]:
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker.run(stopping))
        yield stopping
        stopping.set()


def value(gauge: object, *labels: str) -> float:
    current: float = gauge.labels(*labels)._value.get()  # type: ignore[attr-defined]  # as it is read
    return current


def numbers(feed: Feed, count: int) -> list[bytes]:
    return [b"%s %d" % (feed.name.encode(), number) for number in range(count)]


def test_each_feed_is_fetched_to_its_end_once_and_in_order() -> None:
    async def main() -> None:
        rig = Rig()
        worker = rig.worker(Pages(page))
        async with running(worker):
            await rig.until(lambda: len(rig.out) == 8)
            assert worker.readiness_problem() is None
            await rig.clock.sleep(60)
        assert rig.of(one) == numbers(one, 4)
        assert rig.of(other) == numbers(other, 4)
        async with running(rig.worker(Pages(page, pages=5))):
            await rig.until(lambda: len(rig.out) == 10)
        assert rig.of(one) == numbers(one, 5)

    simulate(main())


def test_a_standby_is_ready_and_goes_on_where_the_active_one_left() -> None:
    async def main() -> None:
        rig = Rig()

        async def slowly(feed: Feed, number: int) -> Fetched:
            await rig.clock.sleep(1)
            return await page(feed, number)

        first = rig.worker(Pages(slowly, pages=6), name="first")
        second = rig.worker(Pages(slowly, pages=6), name="second")
        async with running(second):
            async with running(first):
                await rig.until(lambda: len(rig.out) >= 4)
                ready = (first.readiness_problem(), second.readiness_problem())
                assert ready == (None, None)
                active = [value(metrics.poller.active, name) for name in ("first", "second")]
                assert sorted(active) == [0, 1]
            await rig.until(lambda: len(rig.out) == 12)
            assert value(metrics.poller.active, "first") == 0
            assert value(metrics.poller.active, "second") == 1
        assert rig.of(one) == numbers(one, 6)
        assert value(metrics.poller.active, "second") == 0

    simulate(main())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TransientError("away"), "transient"),
        (RejectedError(DeadLetterReason.UNREADABLE, "bad"), "rejected"),
        (ZeroDivisionError(), "defect"),
        (asyncio.CancelledError(), "defect"),
    ],
)
def test_a_feed_that_fails_waits_and_the_others_go_on(error: BaseException, kind: str) -> None:
    name = f"fails {kind} {type(error).__name__}"
    calls: list[float] = []

    async def main() -> None:
        rig = Rig()

        async def fetch(feed: Feed, number: int) -> Fetched:
            if feed is one and len(calls) < 5:
                calls.append(rig.clock.monotonic_s())
                raise error
            return await page(feed, number)

        worker = rig.worker(Pages(fetch), name=name)
        async with running(worker):
            await rig.until(lambda: len(rig.of(other)) == 4)
            assert rig.of(one) == []
            assert worker.readiness_problem() is None
            await rig.until(lambda: len(calls) >= 3)
            assert f"feed one has failed {len(calls)} times" in (worker.remarks() or "")
            await rig.until(lambda: len(rig.of(one)) == 4)
            assert worker.remarks() is None
        assert value(metrics.poller.failures, name, "one", kind) == 5
        assert value(metrics.poller.failures, name, "other", kind) == 0

    simulate(main())
    waits_s = [after - before for before, after in pairwise(calls)]
    assert min(waits_s) >= (0.05 if kind == "transient" else 2.5)


def test_the_other_sides_wish_to_be_left_alone_is_kept() -> None:
    calls: list[float] = []

    async def main() -> None:
        rig = Rig()

        async def fetch(feed: Feed, number: int) -> Fetched:
            calls.append(rig.clock.monotonic_s())
            if len(calls) == 1:
                raise TransientError("too many", retry_after_s=40)
            return await page(feed, number)

        async with running(rig.worker(Pages(fetch, feeds=[one], pages=1))):
            await rig.until(lambda: rig.out)

    simulate(main())
    assert calls[1] - calls[0] >= 40


@pytest.mark.parametrize(
    "wrong",
    [
        Fetched([Record("out", b"k", b"v")] * 4, "2"),
        Fetched([Record("out", b"k", b"v")], "1"),
    ],
    ids=["a page that is too large", "records without progress"],
)
def test_a_page_against_the_contract_is_a_defect_and_not_published(wrong: Fetched) -> None:
    async def main() -> None:
        rig, name = Rig(), f"wrong {wrong.watermark}"

        async def fetch(feed: Feed, number: int) -> Fetched:
            return wrong if feed is one and number == 1 else await page(feed, number)

        async with running(rig.worker(Pages(fetch), name=name)):
            failures = metrics.poller.failures
            await rig.until(lambda: value(failures, name, "one", "defect") >= 2)
            await rig.until(lambda: len(rig.of(other)) == 4)
        assert rig.of(one) == numbers(one, 1)
        assert len(rig.out) == 5

    simulate(main())


def test_a_page_that_a_topic_refuses_holds_up_its_feed_alone() -> None:
    async def main() -> None:
        rig, name = Rig(), "refused"

        async def fetch(feed: Feed, number: int) -> Fetched:
            if feed is one:
                return Fetched([Record("out", b"k", bytes(2 * 1024 * 1024))], str(number + 1))
            await rig.clock.sleep(1)
            return await page(feed, number)

        async with running(rig.worker(Pages(fetch), name=name)):
            await rig.until(lambda: len(rig.of(other)) == 4)
            await rig.until(lambda: value(metrics.poller.failures, name, "one", "rejected") >= 2)
        assert len(rig.out) == 4

    simulate(main())


def test_what_only_a_person_can_mend_halts_the_worker_which_looks_again() -> None:
    async def main() -> None:
        rig, mended = Rig(), asyncio.Event()

        async def fetch(feed: Feed, number: int) -> Fetched:
            if not mended.is_set():
                raise ConfigurationError("no credentials")
            return await page(feed, number)

        worker = rig.worker(Pages(fetch))
        async with running(worker):
            await rig.until(lambda: "no credentials" in (worker.readiness_problem() or ""))
            await rig.clock.sleep(60)
            assert rig.out == []
            assert worker.liveness_problem() is None
            mended.set()
            await rig.until(lambda: len(rig.out) == 8)
            await rig.until(lambda: worker.readiness_problem() is None)

    simulate(main())


def test_a_worker_that_is_stopped_while_halted_raises_its_error() -> None:
    async def main() -> None:
        rig = Rig()

        async def fetch(feed: Feed, number: int) -> Fetched:
            raise ConfigurationError("no credentials")

        worker, stopping = rig.worker(Pages(fetch)), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(worker.run(stopping))
            await rig.until(lambda: "no credentials" in (worker.readiness_problem() or ""))
            stopping.set()
            with pytest.raises(ConfigurationError, match="no credentials"):
                await work

    with pytest.RaisesGroup(ConfigurationError):
        simulate(main())


@pytest.mark.parametrize("fetching_s", [1.0, 10.0])
def test_a_stop_waits_for_what_is_fetched_and_published_within_its_bound(fetching_s: float) -> None:
    async def main() -> None:
        rig, begun = Rig(), asyncio.Event()

        async def fetch(feed: Feed, number: int) -> Fetched:
            begun.set()
            await rig.clock.sleep(fetching_s)
            return await page(feed, number)

        async with running(rig.worker(Pages(fetch, feeds=[one]))):
            await begun.wait()
            stopped_s = rig.clock.monotonic_s()
        assert rig.out == (numbers(one, 1) if fetching_s < 2 else [])
        assert rig.clock.monotonic_s() - stopped_s < 4

    simulate(main())


def test_no_more_records_are_held_than_allowed_and_one_page_always_fits() -> None:
    async def main(bound: int) -> int:
        rig, most, now = Rig(), 0, 0

        async def fetch(feed: Feed, number: int) -> Fetched:
            nonlocal most, now
            now += 1
            most = max(most, now)
            await rig.clock.sleep(1)
            now -= 1
            return await page(feed, number)

        feeds = [Feed(f"f{number}") for number in range(5)]
        worker = rig.worker(Pages(fetch, feeds=feeds, pages=2), in_flight_records=bound)
        async with running(worker):
            await rig.until(lambda: len(rig.out) == 10)
        return most

    assert [simulate(main(bound)) for bound in (1, 6, 9, 1000)] == [1, 2, 3, 5]


def test_a_topic_of_more_than_one_partition_is_refused() -> None:
    async def main() -> None:
        rig = Rig()
        rig.broker.create_topic("watermarks", partitions=2)
        worker, stopping = rig.worker(Pages(page)), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(worker.run(stopping))
            await rig.until(lambda: "one partition" in (worker.readiness_problem() or ""))
            assert rig.out == []
            stopping.set()

    with pytest.RaisesGroup(ConfigurationError):
        simulate(main())


def test_the_age_of_the_last_success_outlives_a_change_of_the_member() -> None:
    async def main() -> None:
        rig, name = Rig(), "ages"
        async with running(rig.worker(Pages(page, feeds=[one]), name=name)):
            await rig.until(lambda: len(rig.out) == 4)
        await rig.clock.sleep(100)

        async def fails(feed: Feed, number: int) -> Fetched:
            raise TransientError("away")

        async with running(rig.worker(Pages(fails, feeds=[one], pages=9), name=name)):
            age = metrics.poller.success_age
            await rig.until(lambda: value(age, name, "one") > 0)
            assert 100 <= value(age, name, "one") < 130
        assert value(age, name, "one") == 0

    simulate(main())


def test_feeds_that_are_due_and_wait_are_counted_by_what_they_use_up() -> None:
    async def main() -> None:
        rig, name = Rig(), "waits"

        async def fetch(feed: Feed, number: int) -> Fetched:
            await rig.clock.sleep(20)
            return await page(feed, number)

        feeds = [one, other, Feed("third", "background")]
        async with running(rig.worker(Pages(fetch, feeds=feeds), name=name, concurrency=1)):
            due = metrics.poller.due
            await rig.until(lambda: value(due, name, "background") == 2)
            await rig.until(lambda: value(due, name, "live") == 1)
        assert value(due, name, "background") == 0

    simulate(main())


@pytest.mark.parametrize("feeds", [[one, one], [Feed("")]])
def test_feeds_without_names_of_their_own_are_refused(feeds: list[Feed]) -> None:
    with pytest.raises(ValueError, match="names of their own"):
        Rig().worker(Pages(page, feeds=feeds))
