"""A worker as it runs in production, in the test's own process: with health, metrics, signals."""

import asyncio
import os
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pytest

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin, read_all
from runtime.process.metrics_exposition import total
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.topics import TopicSpec
from tests.support.patience import HANG_GUARD_S

deadline_s = HANG_GUARD_S


def answer(port: int, path: str) -> tuple[int, bytes]:
    """Status and body; 0 where nothing listens."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}{path}", timeout=HANG_GUARD_S
        ) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
    except OSError:
        return 0, b""


class Probed:
    """A worker that runs, asked as probes and Prometheus ask."""

    def __init__(self, port: int, life: asyncio.Task[None]) -> None:
        self._port = port
        self.life = life

    async def ask(self, path: str) -> tuple[int, str]:
        status, body = await asyncio.to_thread(answer, self._port, path)
        return status, body.decode()

    async def figure(self, name: str) -> float:
        status, body = await asyncio.to_thread(answer, self._port, "/metrics")
        return total(body, name) if status == 200 else -1.0

    async def until_readyz(self, status: int, *parts: str) -> str:
        """Wait until readiness answers with this status and these words."""
        said = 0, ""
        try:
            async with asyncio.timeout(deadline_s):
                while said[0] != status or not all(part in said[1] for part in parts):
                    assert not self.life.done(), "the worker has ended"
                    await asyncio.sleep(0.05)
                    said = await self.ask("/readyz")
        except TimeoutError:
            raise AssertionError(f"expected {status} {parts}, got {said}") from None
        return said[1]

    async def until_figure(self, name: str, at_least: float) -> None:
        async with asyncio.timeout(deadline_s):
            while await self.figure(name) < at_least:
                await asyncio.sleep(0.1)


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put the handlers of signals back, which a worker takes for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@asynccontextmanager
async def probed(work: Coroutine[None, None, None], port: int) -> AsyncIterator[Probed]:
    """Run a worker during the block, then tell it to stop and wait; what it raises comes out."""
    with signals_kept():
        life = asyncio.ensure_future(work)
        worker = Probed(port, life)
        try:
            async with asyncio.timeout(deadline_s):
                while (await worker.ask("/healthz"))[0] != 200 and not life.done():
                    await asyncio.sleep(0.02)
            yield worker
            if not life.done():
                os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(deadline_s):
                await life
        finally:
            life.cancel()
            await asyncio.wait([life])


@asynccontextmanager
async def ends_with(
    error: type[Exception], said: str, work: Coroutine[None, None, None], port: int
) -> AsyncIterator[Probed]:
    """Run a worker that ends with this error when it is told to stop."""
    with pytest.raises(error, match=said):
        async with probed(work, port) as worker:
            yield worker


async def made(kafka: KafkaSettings, *names: str, partitions: int = 1) -> tuple[str, ...]:
    """Make topics of this prefix."""
    topics = tuple(f"{kafka.topic_prefix}.{name}.v1" for name in names)
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(each, partitions, 1, "delete", 86_400_000) for each in topics])
    return topics


async def produce(kafka: KafkaSettings, topic: str, values: Sequence[bytes]) -> None:
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=deadline_s)
        for value in values:
            await publisher.publish(Record(topic, value, value))


async def held(kafka: KafkaSettings, topic: str) -> list[Delivery]:
    """All records of a topic."""
    return [delivery async for delivery in read_all(kafka, [topic])]
