"""What the test of lost positions does to the running product; objects read by record."""

import asyncio
import json
import urllib.parse
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client.parser import text_string_to_metric_families

from operations.components import workers
from operations.local.pipeline import get
from operations.local.up import Running
from runtime.kafka import TopicAdmin
from runtime.kafka.cluster import Cluster
from runtime.values import TopicPartition
from schemas.catalogue import events as known_events
from schemas.catalogue import unknown_family
from schemas.headers import event_id_header, text
from schemas.topics import enriched_topics, topic_specs
from simulator.stories import StoryEvent
from simulator.webhooks.ledger import LedgerEntry, LedgerWriter
from sinks.object_storage.settings import ObjectStorageSettings
from tests.support.kafka_records import records_of
from tests.support.objects import opened, parquet_paths
from tests.support.patience import HANG_GUARD_S

prefix: Final = "zcc"
sinks: Final = ("postgres", "object-storage")
deadline_s: Final = HANG_GUARD_S


def family_of(event: str) -> str:
    known = known_events.get(event)
    return known.family if known else unknown_family


class Load:
    """A stream of events, without those of a family that is held back, until told to end."""

    def __init__(self, events: Iterator[StoryEvent], *, at_least: int) -> None:
        self._events = events
        self._at_least = at_least
        self._held: deque[StoryEvent] = deque()
        self._family = ""
        self.ending = False

    def __iter__(self) -> Iterator[StoryEvent]:
        sent = 0
        while not self.ending or sent < self._at_least:
            yield self._next()
            sent += 1
        self._family = ""
        yield from self._held

    @asynccontextmanager
    async def without(self, family: str, ledger: "FamilyLedger") -> AsyncIterator[None]:
        """Send nothing of a family; begin once all of it that was sent has an outcome."""
        self._family = family
        try:
            await until(lambda: not ledger.on_their_way[family])
            yield
        finally:
            self._family = ""

    def _next(self) -> StoryEvent:
        if self._held and not self._family:
            return self._held.popleft()
        for event in self._events:
            if family_of(event.event) != self._family:
                return event
            self._held.append(event)
        raise AssertionError("the stream has an end")


class FamilyLedger(LedgerWriter):
    """A ledger that knows how many notifications of each family have no outcome yet."""

    def __enter__(self) -> Self:
        self.on_their_way = Counter[str]()
        super().__enter__()
        return self

    def opened(self, event: str, event_id: str, *, notifications: int) -> None:
        super().opened(event, event_id, notifications=notifications)
        self.on_their_way[family_of(event)] += notifications

    def closed(self, entry: LedgerEntry) -> None:
        super().closed(entry)
        self.on_their_way[family_of(entry.event)] -= 1


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.1)


@dataclass
class Logs:
    """The product's topics: what is done to them, and how far each log that was deleted reached."""

    running: Running
    ends: dict[tuple[TopicPartition, str], int] = field(default_factory=dict)

    async def ids(self, topics: Sequence[str]) -> Mapping[str, str]:
        async with Cluster(self.running.stores.kafka, client_id="test") as cluster:
            return await cluster.topic_ids(topics)

    async def log_ends(self, topics: Sequence[str]) -> dict[tuple[TopicPartition, str], int]:
        ids = await self.ids(topics)
        async with TopicAdmin(self.running.stores.kafka) as admin:
            bounds = await admin.log_bounds(topics)
        return {(source, ids[source.topic]): end for source, (_, end) in bounds.items()}

    async def positions(self, worker: str, topic: str) -> Mapping[TopicPartition, int]:
        async with TopicAdmin(self.running.stores.kafka) as admin:
            lags = await admin.lag(f"{prefix}.{worker}", [topic])
        return {source: lag.position for source, lag in lags.items()}

    async def caught_up(self, worker: str, *topics: str) -> None:
        """Wait until a worker has done all that these topics hold."""
        async with asyncio.timeout(deadline_s), TopicAdmin(self.running.stores.kafka) as admin:
            while any(
                lag.behind for lag in (await admin.lag(f"{prefix}.{worker}", topics)).values()
            ):
                await asyncio.sleep(0.2)

    async def recreate(self, topic: str) -> None:
        """Delete a topic and make it anew with `zcc topics apply`; note how far it reached."""
        kafka = self.running.stores.kafka
        before = await self.log_ends([topic])
        self.ends |= before
        client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await client.start()
        try:
            await client.delete_topics([topic])
            async with asyncio.timeout(deadline_s):
                while topic in await client.list_topics():
                    await asyncio.sleep(0.1)
        finally:
            await client.close()
        async with TopicAdmin(kafka) as admin:
            await admin.apply(list(topic_specs(kafka.topic_plan, workers)))
        assert before.keys().isdisjoint(await self.log_ends([topic]))

    async def outgrown(self, topic: str) -> None:
        """Wait until each log of a topic recreated is longer than the one before it."""
        before = {source: end for (source, _), end in self.ends.items() if source.topic == topic}
        async with asyncio.timeout(deadline_s):
            while any(
                end <= before[source] for (source, _), end in (await self.log_ends([topic])).items()
            ):
                await asyncio.sleep(0.2)

    async def ids_between(self, source: TopicPartition, start: int, end: int) -> list[str]:
        """The event ids of these records of a partition."""
        return [
            text(delivery.headers, event_id_header) or ""
            for delivery in await records_of(self.running.stores.kafka, [source.topic])
            if delivery.partition == source.partition and start <= delivery.offset < end
        ]

    async def reached(self) -> dict[tuple[TopicPartition, str], int]:
        """How far each log of an enriched topic reaches, or had reached when it was deleted."""
        enriched = enriched_topics(prefix=prefix)
        former = {key: end for key, end in self.ends.items() if key[0].topic in enriched}
        return former | await self.log_ends(enriched)


async def stored_records(
    settings: ObjectStorageSettings,
) -> Mapping[tuple[TopicPartition, str], Sequence[int]]:
    """The offsets of all rows in objects, by partition and id of its topic."""
    store = opened(settings)
    offsets_by_log: dict[tuple[TopicPartition, str], list[int]] = defaultdict(list)
    paths = await parquet_paths(settings)
    for start in range(0, len(paths), 32):
        for content in await asyncio.gather(*map(store.get, paths[start : start + 32])):
            table = pq.read_table(pa.BufferReader(content))
            topic_id = table.schema.metadata[b"zcc.topic.id"].decode()
            for topic, partition, offset in zip(
                *(table[name].to_pylist() for name in ("topic", "partition", "offset")), strict=True
            ):
                offsets_by_log[TopicPartition(topic, partition), topic_id].append(offset)
    return {key: sorted(offsets) for key, offsets in offsets_by_log.items()}


async def counted(running: Running, part: str, metric: str, **labels: str) -> float:
    """The sum of a part's samples of this name with these labels; 0 where it does not answer."""
    _, body = await get(f"{running.pipeline.url(part)}/metrics")
    return sum(
        sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.name == metric and labels.items() <= sample.labels.items()
    )


async def answers(prometheus: str, expression: str) -> None:
    """Wait until an expression has a result in Prometheus."""
    url = f"{prometheus}/api/v1/query?query={urllib.parse.quote(expression)}"
    series: list[Any] = []
    try:
        async with asyncio.timeout(deadline_s):
            while not series:
                await asyncio.sleep(0.5)
                _, body = await get(url)
                series = json.loads(body)["data"]["result"] if body else []
    except TimeoutError:
        pytest.fail(f"no result: {expression}")


def firing(alert: str, **labels: str) -> str:
    """The expression of an alert with these labels that fires."""
    chosen = {"alertname": alert, "alertstate": "firing", **labels}
    selector = ",".join(f'{name}="{value}"' for name, value in chosen.items())
    return f"ALERTS{{{selector}}}"
