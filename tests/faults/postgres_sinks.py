"""The Postgres sink as processes of one group, what they are given, and what they have stored."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import orjson
import psutil
import psycopg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from operations.processes import Process
from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record, TopicPartition
from schemas.headers import ce_partitionkey, event_id_header, family_of
from schemas.topics import dead_letter_topic, enriched_topic, enriched_topics, reference_topic
from schemas.topics import topic_specs as all_topic_specs
from simulator.company import make_company
from simulator.stories import event_stream
from tests.component.postgres_rig import query
from tests.enriched import complete, delivery
from tests.projected import snapshot
from tests.told_stories import START

patience_s = 60.0

moments = frozenset({"stored_at"})
"""Columns that say when a row was stored, which no two runs share. There is no other kind of
difference: a partition is stored in its order, so even the place of what came first is the same."""

Contents = Mapping[str, Counter[str]]
"""By table, how often it holds each row; a row is its columns as JSON."""


def records(prefix: str, *, seed: int) -> Iterator[Record]:
    """What the topics are given, without end: the users, then events; some again, some corrected.

    The events tell the stories of a company; the first 600 are of every kind.
    """
    company, chance = make_company(seed), Random(seed)
    for user in company.users:
        state = {"user_id": user.user_id, "display_name": user.display_name}
        told = snapshot("user", user.user_id, state)
        yield Record(reference_topic(prefix=prefix), told.key, told.value, told.headers)
    names = {u.user_id: {"user_id": u.user_id, "display_name": "Found"} for u in company.users}
    later: list[Record] = []
    for event in event_stream(company, seed=seed, start=START, count=None):
        topic = enriched_topic(family_of(event.event), prefix=prefix)
        first = _record(topic, delivery(event.body, enrichment={**complete, "status": "partial"}))
        yield first
        if chance.random() < 0.1:
            found = {**complete, "users": names}
            later.append(_record(topic, delivery(event.body, enrichment=found, revision=2)))
        if chance.random() < 0.05:
            later.append(first)
        if later and chance.random() < 0.2:
            yield later.pop(chance.randrange(len(later)))


def _record(topic: str, told: Delivery) -> Record:
    return Record(topic, dict(told.headers)[ce_partitionkey], told.value, told.headers)


def event_id_of(record: Record) -> str | None:
    """The event that a record tells of, if it does."""
    found = dict(record.headers).get(event_id_header)
    return None if found is None else found.decode()


async def make_topics(kafka: KafkaSettings) -> None:
    async with TopicAdmin(kafka) as admin:
        await admin.apply(list(all_topic_specs(kafka.topic_plan, ("postgres",))))


@asynccontextmanager
async def publishing(kafka: KafkaSettings) -> AsyncIterator[KafkaPublisher]:
    """A publisher that has reached the broker."""
    async with KafkaPublisher(kafka, client_id="load", clock=SystemClock()) as publisher:
        async with asyncio.timeout(patience_s):
            while not publisher.ready:
                await asyncio.sleep(0.01)
        yield publisher


class Load:
    """Records at a steady pace; ``sent`` of them are acknowledged."""

    def __init__(self, told: Iterator[Record], publisher: KafkaPublisher) -> None:
        self.sent = 0
        self.event_ids: set[str] = set()
        self._told = told
        self._publisher = publisher

    async def send(self, count: int) -> None:
        """Send so many at once."""
        async with asyncio.TaskGroup() as tasks:
            for record in islice(self._told, count):
                tasks.create_task(self._publisher.publish(record))
                if event_id := event_id_of(record):
                    self.event_ids.add(event_id)
        self.sent += count

    async def run(self, enough: asyncio.Event, *, records_per_s: float) -> None:
        """Send until there is enough, and all of it is acknowledged."""
        clock = SystemClock()
        begun_s, before = clock.monotonic_s(), self.sent
        while not enough.is_set():
            due = before + int((clock.monotonic_s() - begun_s) * records_per_s)
            await self.send(due - self.sent)
            await clock.sleep(0.02)

    async def until_sent(self, count: float) -> None:
        while self.sent < count:
            await asyncio.sleep(0.005)


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
        stops = [each.stop(timeout_s=30) for each in self._running.values()]
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


async def contents(dsn: str, *, without: frozenset[str] = moments) -> Contents:
    """All rows of all tables but the offsets, without some columns."""
    tables = await query(
        dsn,
        "select relname as name from pg_class where relnamespace = 'zcc'::regnamespace "
        "and relkind in ('r', 'p') and not relispartition "
        "and relname not in ('alembic_version', 'kafka_offset') order by relname",
    )
    return {row["name"]: await _rows(dsn, row["name"], without) for row in tables}


async def _rows(dsn: str, table: str, without: frozenset[str]) -> Counter[str]:
    columns = "{" + ",".join(without) + "}"
    async with (
        await psycopg.AsyncConnection.connect(dsn) as connection,
        connection.cursor() as all_,
    ):
        await all_.execute(f"select (to_jsonb(t) - '{columns}'::text[])::text from zcc.{table} t")
        return Counter([row async for (row,) in all_])


def differences(one: Contents, other: Contents, *, shown: int = 3) -> dict[str, Any]:
    """Tables that differ: how many rows only the one and only the other has, and some of them."""
    found = {}
    for table in one.keys() | other.keys():
        ours, theirs = one.get(table, Counter()), other.get(table, Counter())
        if ours != theirs:
            sides = (ours - theirs, theirs - ours)
            found[table] = [
                (side.total(), [orjson.loads(row) for row in sorted(side)[:shown]])
                for side in sides
            ]
    return found
