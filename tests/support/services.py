"""A worker as it runs in production, in the test's own process: with health, metrics, signals."""

import asyncio
import os
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S
from tests.support.restored_signals import restored_signals

deadline_s = HANG_GUARD_S


def http_get(port: int, path: str) -> tuple[int, bytes]:
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

    def __init__(self, port: int, running: asyncio.Task[None]) -> None:
        self._port = port
        self.life = running

    async def ask(self, path: str) -> tuple[int, str]:
        status, body = await asyncio.to_thread(http_get, self._port, path)
        return status, body.decode()

    async def figure(self, name: str, **labels: str) -> float:
        """Return the sum of the samples with these labels; earlier tests may have left others."""
        status, body = await asyncio.to_thread(http_get, self._port, "/metrics")
        if status != 200:
            return -1.0
        samples = (
            sample
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        )
        return sum(
            sample.value
            for sample in samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def until_readyz(self, status: int, *parts: str) -> str:
        """Wait until readiness answers with this status and these words."""
        message = 0, ""
        try:
            async with asyncio.timeout(deadline_s):
                while message[0] != status or not all(part in message[1] for part in parts):
                    assert not self.life.done(), "the worker has ended"
                    await asyncio.sleep(0.05)
                    message = await self.ask("/readyz")
        except TimeoutError:
            raise AssertionError(f"expected {status} {parts}, got {message}") from None
        return message[1]

    async def until_figure(self, name: str, at_least: float, **labels: str) -> None:
        async with asyncio.timeout(deadline_s):
            while await self.figure(name, **labels) < at_least:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def probed(work: Coroutine[None, None, None], port: int) -> AsyncIterator[Probed]:
    """Run a worker during the block, then tell it to stop and wait; what it raises comes out."""
    with restored_signals():
        running = asyncio.ensure_future(work)
        worker = Probed(port, running)
        try:
            async with asyncio.timeout(deadline_s):
                while (await worker.ask("/healthz"))[0] != 200 and not running.done():
                    await asyncio.sleep(0.02)
            yield worker
            if not running.done():
                os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(deadline_s):
                await running
        finally:
            running.cancel()
            await asyncio.wait([running])


@asynccontextmanager
async def ends_with(
    error: type[Exception], message: str, work: Coroutine[None, None, None], port: int
) -> AsyncIterator[Probed]:
    """Run a worker that ends with this error when it is told to stop."""
    with pytest.raises(error, match=message):
        async with probed(work, port) as worker:
            yield worker


async def create_topics(kafka: KafkaSettings, *names: str, partitions: int = 1) -> tuple[str, ...]:
    """Make topics of this prefix."""
    topics = tuple(f"{kafka.topic_prefix}.{name}.v1" for name in names)
    async with TopicAdmin(kafka) as admin:
        await admin.apply([TopicSpec(each, partitions, 1, "delete", 86_400_000) for each in topics])
    return topics


async def produce(kafka: KafkaSettings, topic: str, values: Sequence[bytes]) -> None:
    async with KafkaPublisher(kafka, client_id="test", clock=SystemClock()) as publisher:
        assert await publisher.reached(within_s=deadline_s)
        for value in values:
            await publish_once(publisher, Record(topic, value, value))
