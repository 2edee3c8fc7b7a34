"""A worker in front of a large backlog holds what its settings say, and little more."""

import asyncio
from functools import partial
from pathlib import Path
from random import Random

import psutil
import pytest

from devstack import DevstackOptions, running
from runtime.clock import SystemClock
from runtime.contracts import Publisher
from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.topics import TopicSpec, dead_letter_topic
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S, until
from tests.support.worker_process import name, worker_process

mib = 1024 * 1024
record_bytes = 10 * 1024
at_once = 200
slowest_s = 0.05
"""Slower than Kafka, so that the worker holds as much as it may."""
most_besides_bytes = 150 * mib


class Backlog:
    """A topic with records of random bytes, which nothing makes smaller on their way."""

    def __init__(self, kafka: KafkaSettings, partitions: int) -> None:
        self.topic = f"{kafka.topic_prefix}.in.v1"
        self._kafka = kafka
        self._partitions = partitions
        self.behind: list[int] = []

    async def make(self, size_bytes: int) -> None:
        async with TopicAdmin(self._kafka) as admin:
            dead = dead_letter_topic(name, prefix=self._kafka.topic_prefix)
            await admin.apply(
                [
                    TopicSpec(self.topic, self._partitions, 1, "delete", -1),
                    TopicSpec(dead, 1, 1, "delete", -1),
                ]
            )
        publisher = KafkaPublisher(self._kafka, client_id="backlog", clock=SystemClock())
        rng, left = Random(1), size_bytes // record_bytes
        async with publisher:
            while left > 0:
                async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as tasks:
                    for number in range(left, max(0, left - at_once), -1):
                        value = rng.randbytes(record_bytes)
                        record = Record(self.topic, b"%d" % number, value)
                        tasks.create_task(kept(record, publisher))
                left -= at_once

    async def is_worked(self, admin: TopicAdmin) -> bool:
        lags = await admin.lag(f"{self._kafka.topic_prefix}.{name}", [self.topic])
        self.behind = [lag.behind for lag in lags.values()]
        return all(behind == 0 for behind in self.behind)


async def kept(record: Record, publisher: Publisher) -> None:
    """Return once it is acknowledged; it may then be there twice."""
    while True:
        try:
            await publish_once(publisher, record)
        except TransientError:
            await asyncio.sleep(0.1)
        else:
            return


async def most_memory(process: asyncio.subprocess.Process, worked: asyncio.Event) -> int:
    """Return the most bytes that it was seen to have until all is worked."""
    most = 0
    seen = psutil.Process(process.pid)
    while not worked.is_set():
        most = max(most, seen.memory_info().rss)
        await asyncio.sleep(0.02)
    return most


async def memory_in_front_of(
    backlog_bytes: int, *, kafka: KafkaSettings, partitions: int, in_flight_bytes: int, log: Path
) -> int:
    backlog = Backlog(kafka, partitions)
    await backlog.make(backlog_bytes)
    worker = partial(
        worker_process,
        in_flight_bytes=in_flight_bytes,
        in_flight_records=backlog_bytes // record_bytes,
    )
    async with (
        TopicAdmin(kafka) as admin,
        worker(kafka, backlog.topic, slowest_s=slowest_s, log=log) as process,
        asyncio.TaskGroup() as tasks,
    ):
        worked = asyncio.Event()
        memory = tasks.create_task(most_memory(process, worked))
        await until(partial(backlog.is_worked, admin), "the end", progress=lambda: backlog.behind)
        worked.set()
    return await memory


async def test_a_backlog_sixteen_times_the_bound_does_not_show_in_memory(
    kafka_settings: KafkaSettings, tmp_path: Path
) -> None:
    most_bytes = await memory_in_front_of(
        256 * mib,
        kafka=kafka_settings,
        partitions=24,
        in_flight_bytes=16 * mib,
        log=tmp_path / "log",
    )
    assert most_bytes / mib <= (16 * mib + most_besides_bytes) / mib


@pytest.mark.long
async def test_a_backlog_of_a_gibibyte_is_worked_within_the_bound(tmp_path: Path) -> None:
    only_kafka = DevstackOptions(directory=None, parts=frozenset({"kafka"}))
    async with running(only_kafka) as stack:
        kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, replication=1)
        in_flight_bytes = 64 * mib
        most_bytes = await memory_in_front_of(
            1024 * mib,
            kafka=kafka,
            partitions=96,
            in_flight_bytes=in_flight_bytes,
            log=tmp_path / "log",
        )
    print(f"{most_bytes / mib:.0f} MiB")  # noqa: T201 - the figure of a long run
    assert most_bytes / mib <= (in_flight_bytes + most_besides_bytes) / mib
