"""Delayed retries, dead letters and the guard on a real broker, through the composition."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from runtime.clock import SystemClock
from runtime.errors import RejectedError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Deferred, Delivery, Record
from schemas.headers import text
from schemas.reasons import DeadLetterReason
from schemas.topics import TopicSpec, retry_topic
from tests.support.components import component_of
from tests.support.kafka_records import publish_once, records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.services import probed

delays_s = (1, 2)
worker = WorkerSettings(
    health_host="127.0.0.1", health_port=0, commit_interval_s=0.1, session_timeout_s=6
)

pytestmark = pytest.mark.usefixtures("signals")

program = """
import asyncio
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Deferred
from tests.support.components import component_of

async def handler(delivery):
    return Deferred()

kafka = KafkaSettings()
asyncio.run(
    run_handler(
        handler,
        component_of("test", [f"{kafka.topic_prefix}.in.v1"], retry_delays_s=(1, 2)),
        kafka=kafka,
        worker=WorkerSettings(),
    )
)
"""


class Topics:
    def __init__(self, kafka: KafkaSettings) -> None:
        prefix = kafka.topic_prefix
        self.kafka = kafka
        self.source = f"{prefix}.in.v1"
        self.target = f"{prefix}.out.v1"
        self.dead = f"{prefix}.dead-letter.test.v1"
        self.waits = [retry_topic("test", delay_s, prefix=prefix) for delay_s in delays_s]

    async def produce(self, *values: bytes) -> None:
        async with KafkaPublisher(self.kafka, client_id="test", clock=SystemClock()) as publisher:
            async with asyncio.timeout(HANG_GUARD_S):
                while not publisher.ready:
                    await asyncio.sleep(0.05)
            for value in values:
                headers = (("ce_id", value), ("odd", b"\xfe"))
                await publish_once(publisher, Record(self.source, b"key", value, headers))

    async def read(self, topic: str, *, count: int = 0) -> list[Delivery]:
        """Read a topic once it holds so many records."""
        async with asyncio.timeout(HANG_GUARD_S):
            while True:
                deliveries = await records_of(self.kafka, [topic])
                if len(deliveries) >= count:
                    return deliveries
                await asyncio.sleep(0.1)


@pytest.fixture
async def topics(kafka_settings: KafkaSettings) -> Topics:
    made = Topics(kafka_settings)
    names = (made.source, made.target, made.dead, *made.waits)
    async with TopicAdmin(kafka_settings) as admin:
        await admin.apply([TopicSpec(name, 2, 1, "delete", 3_600_000) for name in names])
    return made


class Looks:
    """A handler that is ready at its third look at what is late."""

    def __init__(self, topics: Topics) -> None:
        self._target = topics.target

    async def __call__(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        value = b"%b %d" % (delivery.value or b"", delivery.attempt)
        record = Record(self._target, delivery.key, value, delivery.headers)
        if (delivery.value or b"").startswith(b"late") and delivery.attempt < 3:
            return Deferred((record,))
        if delivery.value == b"poison":
            raise RejectedError(DeadLetterReason.UNREADABLE, "poison")
        return (record,)


@asynccontextmanager
async def running(topics: Topics, handler: Looks) -> AsyncIterator[None]:
    """Run in this process and end it as an orchestrator does."""
    work = run_handler(
        handler,
        component_of("test", [topics.source], retry_delays_s=delays_s),
        kafka=topics.kafka,
        worker=worker,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work)
        yield
        os.kill(os.getpid(), signal.SIGTERM)


def moment(delivery: Delivery, header: str) -> float:
    return datetime.fromisoformat(text(delivery.headers, header) or "").timestamp()


async def test_what_is_not_ready_twice_is_done_in_the_end_and_poison_stops_nothing(
    topics: Topics,
) -> None:
    await topics.produce(b"late", b"poison", b"next")
    async with running(topics, Looks(topics)):
        produced = await topics.read(topics.target, count=4)
    assert [each.value for each in produced] == [b"late 1", b"next 1", b"late 2", b"late 3"]
    assert {each.key for each in produced} == {b"key"}
    assert produced[3].headers == (("ce_id", b"late"), ("odd", b"\xfe"))
    (dead,) = await topics.read(topics.dead)
    assert (dead.value, text(dead.headers, "zcc-reason")) == (b"poison", "unreadable")
    waiting = [(await topics.read(topic))[0] for topic in topics.waits]
    for record, look, delay_s in zip(waiting, produced[2:], delays_s, strict=True):
        assert (record.key, record.value) == (b"key", b"late")
        assert record.headers[:2] == (("ce_id", b"late"), ("odd", b"\xfe"))
        due_s = moment(record, "zcc-due-at")
        assert due_s * 1000 <= look.timestamp_ms
        assert due_s - record.timestamp_ms / 1000 <= delay_s
    assert moment(waiting[0], "zcc-first-failed-at") == moment(waiting[1], "zcc-first-failed-at")
    assert [text(each.headers, "zcc-attempts") for each in waiting] == ["1", "2"]


async def test_a_kill_before_the_commit_repeats_what_waits_and_loses_nothing(
    topics: Topics,
) -> None:
    values = [b"late%d" % n for n in range(50)]
    await topics.produce(*values)
    environment = {
        **os.environ,
        "ZCC_KAFKA_BOOTSTRAP_SERVERS": topics.kafka.bootstrap_servers,
        "ZCC_KAFKA_TOPIC_PREFIX": topics.kafka.topic_prefix,
        "ZCC_WORKER_HEALTH_PORT": "0",
        "ZCC_WORKER_COMMIT_INTERVAL_S": "1000",
        "ZCC_WORKER_SESSION_TIMEOUT_S": "6",
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await topics.read(topics.waits[0], count=10)
    finally:
        child.kill()
        await child.wait()
    async with running(topics, Looks(topics)), asyncio.timeout(HANG_GUARD_S):
        while not {b"%b 3" % value for value in values} <= {
            each.value for each in await topics.read(topics.target)
        }:
            await asyncio.sleep(0.2)
    waited = await topics.read(topics.waits[0])
    assert {each.value for each in waited} == set(values)
    assert len(waited) >= 50 + 10
    assert await topics.read(topics.dead) == []


async def test_a_worker_whose_only_topic_is_poisoned_pauses_it_without_more_dead_letters(
    topics: Topics, unused_tcp_port: int
) -> None:
    async def handler(delivery: Delivery) -> Sequence[Record]:
        raise ZeroDivisionError

    await topics.produce(*[b"%d" % n for n in range(30)])
    settings = worker.model_copy(
        update={"health_port": unused_tcp_port, "defect_attempts": 1, "concurrency": 1}
    )
    work = run_handler(
        handler, component_of("test", [topics.source]), kafka=topics.kafka, worker=settings
    )
    async with probed(work, unused_tcp_port) as probe:
        # Records of one key, so one partition of two is paused, and the other has nothing to do.
        await probe.until_readyz(200, "too many", "ZCC_WORKER_GUARD_DEFECT_SHARE")
        assert (await probe.ask("/healthz"))[0] == 200
        assert await probe.figure("zcc_worker_paused_partitions") == 1
        assert len(await topics.read(topics.dead)) == 10
