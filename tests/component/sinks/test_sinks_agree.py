"""Records that are not what their topic promises: both sinks store the same ones, and set the same
ones aside for the same reason, whether they come through the enrichment or not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runtime.background_tasks import BackgroundTasks
from runtime.clock import SystemClock
from runtime.kafka import TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import Headers, error_header, origin_header, reason_header, text
from schemas.topics import TopicSpec, dead_letter_topic, enriched_topic, raw_topic
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from sinks.postgres.sink import PostgresSink
from tests.support.enriched_records import delivery, webhook
from tests.support.enrichment import EnrichmentBench
from tests.support.kafka_members import a_worker
from tests.support.kafka_records import records_of
from tests.support.objects import opened, parquet_paths
from tests.support.postgres import settings as postgres_settings
from tests.support.sink_processes import DEADLINE_S, publish, s3, sink_running
from tests.support.stack import RealStack

SINKS = ("postgres", "object-storage")


class Poison(NamedTuple):
    """What is changed of a good record; a header with the value None is taken away."""

    name: str
    is_stored: bool = False
    value: bytes | None = b"unchanged"
    headers: dict[str, bytes | None] = {}  # noqa: RUF012 - a field of a named tuple, never changed
    bare: bool = False


_odd: Final = b'{"event":"e","event_ts":1,"payload":{"account_id":"ACCOUNT","object":{"n":%b}}}'

POISONS = (
    Poison("good", is_stored=True),
    Poison("tombstone", value=None),
    Poison("empty", value=b""),
    Poison("no headers, no key", bare=True),
    Poison("value not UTF-8", value=b'{"event":"\xff"}'),
    Poison("value is no object", value=b"[]"),
    Poison("value without an account", value=b'{"event":"e","event_ts":1,"payload":{}}'),
    Poison("half a surrogate", value=_odd % b'"\\ud83d"', is_stored=True),
    Poison("number beyond a double", value=_odd % b"1e309", is_stored=True),
    Poison("no day", headers={"ce_time": b"2026-13-45T99:00:00Z"}),
    Poison("year 1 with an offset", headers={"ce_time": b"0001-01-01T00:00:00+14:00"}),
    Poison("year 1", headers={"ce_time": b"0001-01-01T00:00:00Z"}, is_stored=True),
    Poison("year 10000 in UTC", headers={"ce_time": b"9999-12-31T23:59:59-14:00"}),
    Poison("a time without its zone", headers={"ce_time": b"2026-01-01T00:00:00"}),
    Poison("no type", headers={"ce_type": None}),
    Poison("type not UTF-8", headers={"ce_type": b"\xff\xfe"}),
    Poison("large revision", headers={"zcc-revision": b"99999999999"}),
    Poison("negative revision", headers={"zcc-revision": b"-1"}),
    Poison("revision in other digits", headers={"zcc-revision": "٣".encode()}),
    Poison("event id of 5000 characters", headers={"zcc-event-id": b"a" * 5000}),
    Poison("event id with NUL", headers={"zcc-event-id": b"a" * 63 + b"\0"}),
    Poison("event id that is no hash", headers={"zcc-event-id": b"E1"}),
    Poison("event id twice", headers={"zcc-event-id": b"ab" * 32}, is_stored=True),
    Poison("received now", headers={"zcc-received-at": b"now"}),
    Poison("never received", headers={"zcc-received-at": None}),
    Poison("subject with NUL", headers={"ce_subject": b"e/\0"}, is_stored=True),
    Poison("subject not UTF-8", headers={"ce_subject": b"e/\xff"}, is_stored=True),
)


def record(poison: Poison, topic: str, *, number: int, is_raw: bool) -> Record:
    """Each record is an event of its own, so that none falls on the row of another."""
    entity = {"engagement_id": f"{'raw' if is_raw else 'enriched'}-{number}"}
    good = delivery(webhook("engagement_started", entity), enrichment=None if is_raw else {})
    value = good.value if poison.value == b"unchanged" else poison.value
    if poison.bare:
        return Record(topic, None, value, partition=0)
    headers = list(good.headers)
    if poison.name != "event id twice":
        headers = [header for header in headers if header[0] not in poison.headers]
    changed: Headers = tuple((n, v) for n, v in poison.headers.items() if v is not None)
    if poison.name == "event id twice" and is_raw:
        changed = (("zcc-event-id", b"cd" * 32),)
    return Record(topic, good.key, value, (*headers, *changed), partition=0)


@dataclass(frozen=True, slots=True)
class Bench:
    kafka: KafkaSettings
    dsn: str
    lake: ObjectStorageSettings

    @property
    def raw(self) -> str:
        return raw_topic("engagement", prefix=self.kafka.topic_prefix)

    @property
    def enriched(self) -> str:
        return enriched_topic("engagement", prefix=self.kafka.topic_prefix)

    async def make_topics(self) -> None:
        prefix = self.kafka.topic_prefix
        dead = [dead_letter_topic(name, prefix=prefix) for name in SINKS]
        names = (self.raw, self.enriched, f"{prefix}.dead.v1", *dead)
        async with TopicAdmin(self.kafka) as admin:
            await admin.apply([TopicSpec(name, 1, 1, "delete", 604_800_000) for name in names])

    @asynccontextmanager
    async def enriching(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        async with BackgroundTasks() as background:
            handler = EnrichmentBench(
                background, clock=SystemClock(), prefix=self.kafka.topic_prefix
            ).handler
            async with (
                a_worker(self.kafka, self.raw, handler, guard_rejected_share=1) as worker,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(worker.run(stopping))
                try:
                    yield
                finally:
                    stopping.set()

    async def process(self) -> None:
        """Run everything until nothing is left to do."""
        sinks = (
            PostgresSink(postgres_settings(self.dsn), SystemClock()),
            ObjectStorageSink(self.lake),
        )
        async with AsyncExitStack() as running:
            await running.enter_async_context(self.enriching())
            async with asyncio.timeout(DEADLINE_S):
                while await self.behind("g", self.raw):
                    await asyncio.sleep(0.1)
            for name, sink in zip(SINKS, sinks, strict=True):
                await running.enter_async_context(
                    sink_running(
                        sink, self.kafka, [self.enriched], name=name, guard_rejected_share=1
                    )
                )
            async with asyncio.timeout(DEADLINE_S):
                while any([await self.behind(name, self.enriched) for name in SINKS]):
                    await asyncio.sleep(0.1)

    async def behind(self, group: str, topic: str) -> int:
        async with TopicAdmin(self.kafka) as admin:
            lags = await admin.lag(f"{self.kafka.topic_prefix}.{group}", [topic])
            return sum(lag.behind for lag in lags.values())

    async def in_dead_letters(self, name: str) -> dict[int, str]:
        """Reason and detail of each dead letter, by its offset in the enriched topic."""
        topic = dead_letter_topic(name, prefix=self.kafka.topic_prefix)
        return {
            int((text(letter.headers, origin_header) or "").rpartition("/")[2]): " ".join(
                text(letter.headers, header) or "" for header in (reason_header, error_header)
            )
            for letter in await records_of(self.kafka, [topic])
        }

    async def in_postgres(self) -> dict[int, str]:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            rows = await connection.execute("select source_offset, event_id from zcc.raw_event")
            return {offset: f"stored as {event_id}" async for offset, event_id in rows}

    async def in_objects(self) -> dict[int, str]:
        stored: dict[int, str] = {}
        for path in await parquet_paths(self.lake):
            table = pq.read_table(pa.BufferReader(await opened(self.lake).get(path)))
            pairs = zip(table["offset"].to_pylist(), table["event_id"].to_pylist(), strict=True)
            stored |= {offset: f"stored as {event_id}" for offset, event_id in pairs}
        return stored


@pytest.fixture
async def bench(
    stack: RealStack, kafka_settings: KafkaSettings, dsn: str, object_store_prefix: str
) -> Bench:
    made = Bench(kafka_settings, dsn, s3(stack, object_store_prefix))
    await made.make_topics()
    return made


async def test_both_sinks_store_the_same_records_and_refuse_the_same_for_the_same_reason(
    bench: Bench,
) -> None:
    for topic, is_raw in ((bench.enriched, False), (bench.raw, True)):
        await publish(
            bench.kafka,
            [
                record(poison, topic, number=number, is_raw=is_raw)
                for number, poison in enumerate(POISONS)
            ],
        )
    await bench.process()
    postgres = await bench.in_dead_letters("postgres") | await bench.in_postgres()
    objects = await bench.in_dead_letters("object-storage") | await bench.in_objects()
    assert postgres == objects
    stored = {POISONS[n].name for n in range(len(POISONS)) if "stored" in postgres[n]}
    assert stored == {poison.name for poison in POISONS if poison.is_stored}
    assert len(postgres) == len(await records_of(bench.kafka, [bench.enriched]))
    assert len(postgres) > len(POISONS)
