"""Enrichment in memory: a reference table, and an API that knows what a test gives it."""

import asyncio
from collections.abc import Mapping
from random import Random

import orjson

from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.names import Names
from processors.enrichment.settings import EnrichmentSettings
from processors.entities.kinds import aliases_of
from processors.entities.table import ReferenceTable
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.values import Deferred, Delivery, Record
from schemas.envelope import JsonObject
from schemas.headers import Headers
from schemas.reference_record import ReferenceKey, Snapshot
from tests.support.fakes.zoom import MemoryLookup, VirtualClock
from tests.support.reference_records import delivery_of

HEADERS: Headers = (
    ("ce_id", b"id-1"),
    ("zcc-revision", b"1"),
    ("zcc-event-id", b"id-1"),
    ("zcc-request-id", b"r"),
    ("other", b"\xff"),
)


def user(user_id: str, name: str) -> JsonObject:
    return {"user_id": user_id, "display_name": name, "role_name": "Agent"}


def queue(cc_queue_id: str, queue_id: str, name: str) -> JsonObject:
    return {"cc_queue_id": cc_queue_id, "queue_id": queue_id, "queue_name": name}


class MemoryTopic:
    """A publisher that keeps the records; ``faults`` are raised first."""

    def __init__(self) -> None:
        self.ready = True
        self.faults: list[Exception] = []
        self.records: list[Record] = []
        self.may_publish = asyncio.Event()
        self.may_publish.set()

    async def publish(self, record: Record) -> None:
        await self.may_publish.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.records.append(record)


class MemoryApi:
    """States by id, of any kind; None, errors and "never" as `MemoryLookup`.

    ``keys`` are those of its calls.
    """

    def __init__(self, states: Mapping[str, object]) -> None:
        self.memory = MemoryLookup(states)
        self.keys: list[ReferenceKey] = []

    async def get(self, key: ReferenceKey) -> Snapshot | None:
        self.keys.append(key)
        state = await self.memory.get(key.id)
        return None if state is None else Snapshot(key, 0, state)


class EnrichmentBench:
    """A handler whose table holds ``table``, and whose API knows ``states``."""

    def __init__(
        self,
        background: BackgroundTasks,
        states: Mapping[str, object] | None = None,
        *,
        table: tuple[Snapshot, ...] = (),
        deadline_s: float = 0.05,
        attempts: int = 3,
        clock: Clock | None = None,
        prefix: str = "zcc",
    ) -> None:
        settings = EnrichmentSettings(deadline_s=deadline_s)
        self.clock = VirtualClock() if clock is None else clock
        self.api = MemoryApi(states or {})
        self.table = ReferenceTable(
            10_000_000, kinds=settings.event_fields.entities, aliases=aliases_of
        )
        self.tell(*table)
        lookup = CachedLookup(
            self.api, settings, background=background, clock=self.clock, rng=Random(1)
        )
        self.names = Names(self.table, lookup, settings.event_fields, clock=self.clock)
        self.handler = EnrichmentHandler(
            lambda _account_id: self.names, attempts=attempts, topic_prefix=prefix, clock=self.clock
        )

    def tell(self, *snapshots: Snapshot) -> None:
        """Write to the reference topic."""
        for each in snapshots:
            self.table.take(delivery_of(each))
        while not self.table.settle():
            pass

    async def record(self, given: Delivery) -> Record:
        answer = await self.handler(given)
        (record,) = answer.records if isinstance(answer, Deferred) else answer
        return record

    async def member(self, **entity: object) -> dict[str, object]:
        """Return what an event with this object gets at its first attempt."""
        return member_of(await self.record(raw_delivery(raw_body(**entity))))


def member_of(record: Record) -> dict[str, object]:
    member: dict[str, object] = orjson.loads(record.value or b"")["enrichment"]
    return member


def raw_body(**entity: object) -> bytes:
    return orjson.dumps(
        {"event": "e", "event_ts": 1, "payload": {"account_id": "a", "object": entity}}
    )


def raw_delivery(
    value: bytes | None,
    *,
    topic: str = "zcc.engagement.v1",
    headers: Headers = HEADERS,
    attempt: int = 1,
    age_s: float = 0.0,
) -> Delivery:
    """Return a raw record of such an age at the start of a `VirtualClock`."""
    sent_ms = round((VirtualClock().now().timestamp() - age_s) * 1000)
    return Delivery(topic, 3, 7, b"a:e", value, headers, sent_ms, attempt)
