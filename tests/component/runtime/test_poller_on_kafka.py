"""A poller on real brokers: its active member freezes, wakes, is killed, and another goes on."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as LibraryPartition

from runtime.kafka import TopicAdmin
from runtime.process.metrics_exposition import total
from runtime.settings import KafkaSettings
from schemas.topics import TopicSpec, watermark_topic
from tests.support.patience import HANG_GUARD_S
from tests.support.poller_process import name, poller_process
from tests.support.services import http_get

quick = {"session_timeout_s": 3, "drain_timeout_s": 3}


class Out:
    """All that ever came to the topic of the poller's records."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    async def lines(self, isolation: str = "read_committed") -> list[tuple[str, str, int]]:
        """Member, feed and number of each record, in the log's order."""
        source = LibraryPartition(self._topic, 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka.bootstrap_servers,
            enable_auto_commit=False,
            isolation_level=isolation,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            consumer.assign([source])
            end = (await consumer.end_offsets([source]))[source]
            consumer.seek(source, 0)
            polls = []
            while await consumer.position(source) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    polls += [record.value.decode().split() for record in records]
        finally:
            await consumer.stop()
        return [(member, feed, int(number)) for member, feed, number in polls]

    async def more_of(self, member: str) -> None:
        """Wait until a member publishes more than it has by now."""
        before = count(await self.lines(), member)
        async with asyncio.timeout(HANG_GUARD_S):
            while count(await self.lines(), member) <= before:
                await asyncio.sleep(0.1)


def count(lines: Sequence[tuple[str, str, int]], member: str) -> int:
    return sum(each == member for each, _, _ in lines)


async def until(port: int, holds: Callable[[int, bytes], bool], path: str) -> None:
    async with asyncio.timeout(HANG_GUARD_S):
        while not holds(*await asyncio.to_thread(http_get, port, path)):
            await asyncio.sleep(0.1)


async def ready(port: int) -> None:
    await until(port, lambda status, _: status == 200, "/readyz")


async def fenced_or_left(port: int) -> None:
    """Wait until a process that slept has noticed that it was succeeded."""

    def noticed(status: int, figures: bytes) -> bool:
        return status == 200 and (
            total(figures, "zcc_worker_fenced_total") >= 1
            and total(figures, "zcc_poller_active") == 0
        )

    await until(port, noticed, "/metrics")


async def test_a_frozen_active_member_publishes_nothing_after_its_successor_began(
    kafka_settings: KafkaSettings, unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    kafka = kafka_settings
    topic = f"{kafka.topic_prefix}.out.v1"
    async with TopicAdmin(kafka) as admin:
        await admin.apply(
            [
                TopicSpec(topic, 1, 1, "delete", 86_400_000),
                TopicSpec(watermark_topic(name, prefix=kafka.topic_prefix), 1, 1, "compact", -1),
            ]
        )
    out, log = Out(kafka, topic), tmp_path / "log"
    ports = {member: unused_tcp_port_factory() for member in ("one", "two", "three")}
    async with (
        poller_process(kafka, "one", topic, port=ports["one"], log=log, **quick) as one,
        poller_process(kafka, "two", topic, port=ports["two"], log=log, **quick) as two,
    ):
        processes = {"one": one, "two": two}
        await asyncio.gather(*(ready(ports[member]) for member in processes))
        async with asyncio.timeout(HANG_GUARD_S):
            while not (lines := await out.lines()):
                await asyncio.sleep(0.1)
        active = lines[-1][0]
        standby = "two" if active == "one" else "one"
        await out.more_of(active)

        processes[active].send_signal(signal.SIGSTOP)
        await out.more_of(standby)
        asleep = len(await out.lines("read_uncommitted"))
        processes[active].send_signal(signal.SIGCONT)
        await fenced_or_left(ports[active])
        await ready(ports[active])
        await out.more_of(standby)
        published_by = [member for member, _, _ in await out.lines("read_uncommitted")]
        began = published_by.index(standby)
        assert set(published_by[:began]) == {active}
        assert set(published_by[began:]) == {standby}
        assert len(published_by) > asleep

        # The one that woke takes over when the other leaves, and is killed in turn.
        processes[standby].send_signal(signal.SIGTERM)
        assert await processes[standby].wait() == 0
        await out.more_of(active)
        async with poller_process(
            kafka, "three", topic, port=ports["three"], log=log, **quick
        ) as three:
            await ready(ports["three"])
            processes[active].kill()
            await out.more_of("three")
            three.send_signal(signal.SIGTERM)
            assert await three.wait() == 0
    lines = await out.lines()
    for feed in ("a", "b"):
        published = [number for _, each, number in lines if each == feed]
        assert published == list(range(len(published)))
