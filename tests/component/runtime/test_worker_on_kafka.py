"""Workers on a real broker, through the composition: signals, health, groups, plans."""

import asyncio
import os
import signal
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from runtime.clock import SystemClock
from runtime.errors import RejectedError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.service import run_handler, run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicSpec
from tests.support.components import component_of
from tests.support.fakes.sinks import RecordingSink
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.workers import until

pytestmark = pytest.mark.usefixtures("signals")

worker = WorkerSettings(
    health_host="127.0.0.1",
    health_port=0,
    commit_interval_s=0.1,
    drain_timeout_s=5,
    session_timeout_s=6,
)


class Topics:
    def __init__(self, kafka: KafkaSettings) -> None:
        self.kafka = kafka
        self.source = f"{kafka.topic_prefix}.in.v1"
        self.target = f"{kafka.topic_prefix}.out.v1"
        self.dead = f"{kafka.topic_prefix}.dead-letter.test.v1"

    async def produce(self, values: Sequence[bytes], *, keys: int) -> None:
        async with KafkaPublisher(self.kafka, client_id="test", clock=SystemClock()) as publisher:
            await until(lambda: publisher.ready)
            async with asyncio.TaskGroup() as tasks:
                for n, value in enumerate(values):
                    headers = (("ce_id", b"%d" % n), ("odd", b"\xfe"))
                    record = Record(self.source, b"key%d" % (n % keys), value, headers)
                    tasks.create_task(publish_once(publisher, record))

    async def read(self, topic: str) -> list[Delivery]:
        return await records_of(self.kafka, [topic])

    async def lag(self) -> int:
        async with TopicAdmin(self.kafka) as admin:
            lags = await admin.lag(f"{self.kafka.topic_prefix}.test", [self.source])
            return sum(lag.log_end - (lag.committed or 0) for lag in lags.values())

    async def settled(self) -> None:
        await self.lag_falls_to(0)

    async def lag_falls_to(self, most: int) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while await self.lag() > most:
                await asyncio.sleep(0.05)


@pytest.fixture
async def topics(kafka_settings: KafkaSettings) -> Topics:
    made = Topics(kafka_settings)
    names = (made.source, made.target, made.dead)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(name, 2, 1, "delete", 3_600_000) for name in names])
    return made


@asynccontextmanager
async def until_terminated(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run in this process and end it as an orchestrator does."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        yield task
        os.kill(os.getpid(), signal.SIGTERM)


@asynccontextmanager
async def until_cancelled(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run in this process and end it in the middle of what it does."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def in_order(deliveries: Sequence[Delivery]) -> bool:
    """Whether each key's records came first in the order in which they were sent."""
    seen: dict[bytes | None, list[int]] = {}
    for delivery in deliveries:
        numbers = seen.setdefault(delivery.key, [])
        number = int(delivery.value or b"")
        if number not in numbers:
            numbers.append(number)
    return all(numbers == sorted(numbers) for numbers in seen.values())


async def test_a_handler_keeps_order_makes_poison_dead_letters_and_drains(topics: Topics) -> None:
    async def handler(delivery: Delivery) -> Sequence[Record]:
        if delivery.value == b"\xffpoison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "no number")
        return (Record(topics.target, delivery.key, delivery.value, delivery.headers),)

    await topics.produce([b"%d" % n for n in range(1000)], keys=17)
    await topics.produce([b"\xffpoison"], keys=1)
    work = run_handler(
        handler, component_of("test", [topics.source]), kafka=topics.kafka, worker=worker
    )
    async with until_terminated(work):
        await topics.settled()
    produced = await topics.read(topics.target)
    assert Counter(d.value for d in produced) == Counter(b"%d" % n for n in range(1000))
    assert in_order(produced)
    (dead,) = await topics.read(topics.dead)
    assert (dead.key, dead.value) == (b"key0", b"\xffpoison")
    assert dead.headers[:2] == (("ce_id", b"0"), ("odd", b"\xfe"))
    assert text(dead.headers, "zcc-reason") == "unreadable"
    assert await topics.lag() == 0


async def test_nothing_is_lost_when_workers_die_and_join(topics: Topics) -> None:
    async def handler(delivery: Delivery) -> Sequence[Record]:
        await asyncio.sleep(0.002)
        return (Record(topics.target, delivery.key, delivery.value),)

    def life() -> Coroutine[None, None, None]:
        quick = worker.model_copy(update={"concurrency": 8})
        return run_handler(
            handler, component_of("test", [topics.source]), kafka=topics.kafka, worker=quick
        )

    await topics.produce([b"%d" % n for n in range(1500)], keys=40)
    async with until_cancelled(life()):
        await topics.lag_falls_to(1300)
    async with until_cancelled(life()):
        async with until_terminated(life()):
            await topics.lag_falls_to(700)
        await topics.produce([b"%d" % n for n in range(1500, 2000)], keys=40)
        await topics.settled()
    produced = await topics.read(topics.target)
    assert {d.value for d in produced} == {b"%d" % n for n in range(2000)}
    assert in_order(produced)


async def test_health_is_served_while_it_works(topics: Topics, unused_tcp_port: int) -> None:
    async def handler(delivery: Delivery) -> Sequence[Record]:
        return ()

    def answer(path: str) -> int:
        address = f"http://127.0.0.1:{unused_tcp_port}{path}"
        try:
            with urllib.request.urlopen(address, timeout=HANG_GUARD_S) as response:
                return int(response.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0

    async def answers(path: str, status: int) -> None:
        async with asyncio.timeout(HANG_GUARD_S):
            while await asyncio.to_thread(answer, path) != status:
                await asyncio.sleep(0.05)

    listening = worker.model_copy(update={"health_port": unused_tcp_port})
    work = run_handler(
        handler, component_of("test", [topics.source]), kafka=topics.kafka, worker=listening
    )
    async with until_terminated(work):
        await answers("/healthz", 200)
        await answers("/readyz", 200)
        await answers("/metrics", 200)
    assert await asyncio.to_thread(answer, "/healthz") == 0


async def test_a_planned_sink_gets_the_same_boundaries_again_after_a_crash(
    topics: Topics,
) -> None:
    def run(sink: RecordingSink) -> Coroutine[None, None, None]:
        small = worker.model_copy(update={"batch_records": 50})
        return run_sink(
            sink, component_of("test", [topics.source]), kafka=topics.kafka, worker=small
        )

    await topics.produce([b"%d" % n for n in range(500)], keys=10)
    dying, reborn = RecordingSink(planned=True), RecordingSink(planned=True)

    def die_in_the_third_write() -> None:
        if len(dying.batches) == 2:
            dying.gate.clear()
            life.cancel()

    dying.before_write = die_in_the_third_write
    life = asyncio.ensure_future(run(dying))
    with pytest.raises(asyncio.CancelledError):
        await life
    async with until_terminated(run(reborn)):
        await topics.settled()
    fatal = dying.attempts[-1]
    for source, span in fatal.spans.items():
        again = [batch for batch in reborn.batches if batch.spans.get(source) == span]
        assert len(again) == 1
        assert [d.offset for d in again[0].deliveries if d.source == source] == [
            d.offset for d in fatal.deliveries if d.source == source
        ]
    stored = (*dying.stored, *reborn.stored)
    assert Counter(int(d.value or b"") for d in stored) == Counter(range(500))
