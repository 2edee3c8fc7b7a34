"""Publishers and consumers of a broker that dies, hangs and comes back."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from devstack.locks import holder
from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.kafka import KafkaConsumer, KafkaPublisher
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record, TopicPartition
from tests.support.assignments import Listener
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S
topic = "outages.one.v1"
source = TopicPartition(topic, 0)
worker = WorkerSettings(session_timeout_s=1.0, drain_timeout_s=0.5)


@contextmanager
def hanging(folder: Path) -> Iterator[None]:
    """Stop the broker's process for a while: connections stay, answers do not come."""
    pid = holder(folder / "kafka.pid")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.01)


def publisher_of(settings: KafkaSettings, clock: SystemClock | None = None) -> KafkaPublisher:
    return KafkaPublisher(settings, client_id="outages", clock=clock or SystemClock())


def consumer_of(
    settings: KafkaSettings, group: str, listener: Listener, clock: SystemClock | None = None
) -> KafkaConsumer:
    return KafkaConsumer(
        settings,
        worker,
        group=group,
        topics=[topic],
        listener=listener,
        client_id=group,
        clock=clock or SystemClock(),
    )


async def retry_until_final(publisher: KafkaPublisher, value: bytes) -> None:
    """Publish until it is acknowledged."""
    async with asyncio.timeout(deadline_s):
        while True:
            with suppress(TransientError, TimeoutError):
                async with asyncio.timeout(2):
                    await publisher.publish(Record(topic, b"k", value))
                return
            await asyncio.sleep(0.05)


async def receive(consumer: KafkaConsumer, value: bytes) -> list[Delivery]:
    """Poll until this value has come."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(deadline_s):
        while value not in {delivery.value for delivery in deliveries}:
            deliveries += await consumer.poll(max_records=100, timeout_s=0.2)
    return deliveries


@asynccontextmanager
async def relay(listener: socket.socket, target: str) -> AsyncIterator[None]:
    """Pass connections on."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            writer.write(piece)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = target.split(":")
        from_target, to_target = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, to_target), copy(from_target, writer))

    async with await asyncio.start_server(connect, sock=listener):
        yield
