"""The Postgres sink as processes of one group, killed, frozen and started again."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from operations.local.processes import Process
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import TopicPartition
from schemas.topics import dead_letter_topic, enriched_topics, outcome_topic, reference_topic
from tests.support.patience import HANG_GUARD_S
from tests.support.postgres import query

patience_s = HANG_GUARD_S


class Sinks:
    """`zcc sink postgres` in several places of one group; whoever is killed may start again.

    An async context manager; what is left at the end is killed. ``settings`` are variables of the
    environment without their prefix.
    """

    def __init__(self, kafka: KafkaSettings, dsn: str, folder: Path, **settings: object) -> None:
        self.kafka = kafka
        self.dsn = dsn
        self.group = f"{kafka.topic_prefix}.postgres"
        self.dead = dead_letter_topic("postgres", prefix=kafka.topic_prefix)
        self.topics = (
            *enriched_topics(prefix=kafka.topic_prefix),
            reference_topic(prefix=kafka.topic_prefix),
            outcome_topic(prefix=kafka.topic_prefix),
        )
        self._folder = folder
        self._environment = {
            **{name: each for name, each in os.environ.items() if not name.startswith("ZCC_")},
            "ZCC_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "ZCC_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
            "ZCC_POSTGRES_DSN": dsn,
            "ZCC_WORKER_HEALTH_HOST": "127.0.0.1",
            "ZCC_WORKER_HEALTH_PORT": "0",
            **{f"ZCC_{name.upper()}": str(each) for name, each in settings.items()},
        }
        self._lives: list[Process] = []
        self._running: dict[int, Process] = {}

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._running.values():
            await process.kill()

    @property
    def places(self) -> list[int]:
        return list(self._running)

    async def start(self, *places: int) -> None:
        for place in places:
            log = self._folder / f"{len(self._lives)}-{place}.log"
            process = Process(f"sink {place}", ("sink", "postgres"), self._environment, log)
            await process.start()
            self._lives.append(process)
            self._running[place] = process

    async def freeze(self, place: int) -> None:
        os.kill(self._pid(place), signal.SIGSTOP)

    async def thaw(self, place: int) -> None:
        os.kill(self._pid(place), signal.SIGCONT)

    async def writes(self, place: int) -> bool:
        """Whether a transaction of it is open; it is frozen."""
        connections = psutil.Process(self._pid(place)).net_connections("tcp")
        ports = ",".join(str(each.laddr.port) for each in connections) or "0"
        statement = "select 1 from pg_stat_activity where xact_start is not null"
        return bool(await query(self.dsn, f"{statement} and client_port in ({ports})"))

    async def kill(self, place: int) -> None:
        self._pid(place)
        await self._running.pop(place).kill()

    async def stop(self) -> None:
        """End all as an orchestrator does, once each of them knows what that means."""
        async with asyncio.timeout(patience_s):
            while not all(b'"started"' in each.log.read_bytes() for each in self._running.values()):
                await asyncio.sleep(0.05)
        stops = [each.stop(timeout_s=HANG_GUARD_S) for each in self._running.values()]
        assert await asyncio.gather(*stops) == [0] * len(stops)
        self._running.clear()

    async def epochs(self) -> Mapping[TopicPartition, int]:
        """How often each partition was taken over."""
        return await self._stored("epoch")

    async def offsets(self) -> Mapping[TopicPartition, int]:
        """How far each partition is stored."""
        return await self._stored("next_offset")

    async def until_stored(self) -> None:
        """Wait until all is stored that the topics hold; those in the places must live."""
        async with asyncio.timeout(patience_s), TopicAdmin(self.kafka) as admin:
            while True:
                lags = await admin.lag(self.group, self.topics)
                if {source: lag.log_end for source, lag in lags.items()} == await self.offsets():
                    return
                for place in self._running:
                    self._pid(place)
                await asyncio.sleep(0.1)

    def logged(self, words: str) -> int:
        """In how many lines any life of any of them has told it."""
        lines = (line for each in self._lives for line in each.log.read_bytes().splitlines())
        return sum(words.encode() in line for line in lines)

    async def _stored(self, column: str) -> Mapping[TopicPartition, int]:
        rows = await query(self.dsn, f"select topic, partition, {column} from zcc.kafka_offset")
        return {TopicPartition(row["topic"], row["partition"]): row[column] for row in rows}

    def _pid(self, place: int) -> int:
        process = self._running[place]
        pid = process.pid
        assert pid is not None, f"it has ended by itself: {process.crash()}"
        return pid


async def delete_group(kafka: KafkaSettings, group: str) -> None:
    """Delete a group with its offsets, as soon as the broker has given up its last member."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await client.start()
    try:
        async with asyncio.timeout(patience_s):
            while True:
                answer = await client._send_request(DeleteGroupsRequest([group]))
                if answer.results == [(group, 0)]:
                    return
                await asyncio.sleep(0.1)
    finally:
        await client.close()
