"""Workers with a table in memory, on a real broker."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from runtime.service import run_handler, run_poller
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from runtime.values import Delivery, Feed, Fetched, Record
from schemas.topics import watermark_topic
from tests.support.components import component_of
from tests.support.kafka_records import records_of
from tests.support.patience import HANG_GUARD_S
from tests.support.services import create_topics, probed, produce


class Values:
    """What the topic holds, by key."""

    def __init__(self) -> None:
        self.of: dict[bytes | None, bytes | None] = {}

    def take(self, delivery: Delivery) -> None:
        self.of[delivery.key] = delivery.value

    def settle(self) -> bool:
        return True

    def clear(self) -> None:
        self.of.clear()

    def __len__(self) -> int:
        return len(self.of)


class Rig:
    """A handler that answers with what its table has for the value of a record, or with `none`."""

    def __init__(self, kafka: KafkaSettings, port: int) -> None:
        self.kafka = kafka
        self.port = port
        self.table = Values()
        self.source, self.target, self.reference = (
            f"{kafka.topic_prefix}.{name}.v1" for name in ("in", "out", "reference")
        )

    async def create(self, *names: str) -> None:
        await create_topics(self.kafka, *names, partitions=2)

    async def delete_reference(self) -> None:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self.kafka.bootstrap_servers,
            request_timeout_ms=int(HANG_GUARD_S * 1000),
        )
        await admin.start()
        await admin.delete_topics([self.reference])
        await admin.close()

    async def handle(self, delivery: Delivery) -> Sequence[Record]:
        return (Record(self.target, b"k", self.table.of.get(delivery.value, b"none")),)

    def worker(self, **chosen: object) -> WorkerSettings:
        settings = {"health_host": "127.0.0.1", "health_port": self.port, "session_timeout_s": 6}
        return WorkerSettings.model_validate(settings | chosen)

    def run(self, **chosen: object) -> Coroutine[None, None, None]:
        return run_handler(
            self.handle,
            component_of("test", [self.source], writes=[self.target, self.reference]),
            kafka=self.kafka,
            worker=self.worker(**chosen),
            tables=[FollowedTable(self.reference, self.table)],
        )

    async def answers(self, count: int) -> list[bytes | None]:
        async with asyncio.timeout(HANG_GUARD_S):
            while len(records := await records_of(self.kafka, [self.target])) < count:
                await asyncio.sleep(0.1)
        return sorted((record.value for record in records), key=repr)


@pytest.fixture
async def rig(kafka_settings: KafkaSettings, unused_tcp_port: int) -> Rig:
    rig = Rig(kafka_settings, unused_tcp_port)
    await rig.create("in", "out", "dead-letter.test")
    return rig


async def test_the_first_record_is_handled_with_the_whole_table(rig: Rig) -> None:
    await rig.create("reference")
    keys = [b"%d" % number for number in range(300)]
    await produce(rig.kafka, rig.reference, keys)
    await produce(rig.kafka, rig.source, keys[::10])
    async with probed(rig.run(), rig.port) as worker:
        assert await rig.answers(30) == sorted(keys[::10], key=repr)
        await worker.until_readyz(200)
        assert await worker.figure("zcc_table_records", topic=rig.reference) == 300
        assert await worker.figure("zcc_table_caught_up", topic=rig.reference) == 1
        await produce(rig.kafka, rig.reference, [b"later"])
        async with asyncio.timeout(HANG_GUARD_S):
            while b"later" not in rig.table.of:
                await asyncio.sleep(0.01)


async def test_without_its_topic_a_worker_waits_and_then_goes_on_and_says_so(rig: Rig) -> None:
    await produce(rig.kafka, rig.source, [b"1"])
    async with probed(rig.run(tables_wait_s=1), rig.port) as worker:
        await worker.until_readyz(503, rig.reference, "topics that do not exist")
        assert await rig.answers(1) == [b"none"]
        await worker.until_readyz(503, rig.reference, "topics that do not exist")
        await rig.create("reference")
        await produce(rig.kafka, rig.reference, [b"2"])
        await worker.until_readyz(200)
        await produce(rig.kafka, rig.source, [b"2"])
        assert await rig.answers(2) == [b"2", b"none"]


async def test_records_flow_on_while_the_topic_is_deleted_and_created_again(rig: Rig) -> None:
    await rig.create("reference")
    await produce(rig.kafka, rig.reference, [b"1", b"2"])
    async with probed(rig.run(), rig.port) as worker:
        await worker.until_readyz(200)
        await rig.delete_reference()
        await worker.until_readyz(503, f"does not follow {rig.reference}")
        await produce(rig.kafka, rig.source, [b"1"])
        assert await rig.answers(1) == [b"1"]
        await rig.create("reference")
        await worker.until_figure("zcc_table_reloads_total", 1, topic=rig.reference)
        await worker.until_readyz(200)
        await produce(rig.kafka, rig.source, [b"2"])
        assert await rig.answers(2) == [b"1", b"none"]
        await produce(rig.kafka, rig.reference, [b"3"])
        async with asyncio.timeout(HANG_GUARD_S):
            while rig.table.of != {b"3": b"3"}:
                await asyncio.sleep(0.01)


async def test_a_stop_ends_a_worker_that_still_waits_for_its_table(rig: Rig) -> None:
    async with probed(rig.run(), rig.port) as worker:
        await worker.until_readyz(503, rig.reference)


class Once:
    """A poller of one page: what the table holds then."""

    feeds = (Feed("one"),)
    page_records = 1

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        return now if watermark is None else None

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        return Fetched([Record(self._rig.target, b"k", self._rig.table.of.get(b"1"))], "1")


async def test_a_poller_begins_with_the_whole_table(rig: Rig) -> None:
    await rig.create("reference")
    await create_topics(rig.kafka, "watermarks.test")
    await produce(rig.kafka, rig.reference, [b"1"])
    assert watermark_topic("test", prefix=rig.kafka.topic_prefix).endswith("watermarks.test.v1")
    work = run_poller(
        Once(rig),
        component_of("test", writes=[rig.target]),
        kafka=rig.kafka,
        worker=rig.worker(),
        tables=[FollowedTable(rig.reference, rig.table)],
    )
    async with probed(work, rig.port):
        assert await rig.answers(1) == [b"1"]
