"""The enrichment with all names in its table."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from processors.enrichment.component import component
from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.service import enrichment
from processors.enrichment.settings import EnrichmentSettings
from processors.entities.fields import fields_of
from processors.entities.plan import EntityPlan
from processors.entities.references import EntityReference
from runtime.clock import SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery, Record
from schemas.envelope import read_envelope
from schemas.reference_record import ReferenceKey, Snapshot
from schemas.topics import enriched_topic, raw_topic, reference_topic

_plan: Final = EntityPlan(EnrichmentSettings().entities)


class _Nobody:
    """The API, which nobody should have to call, and a publisher without records."""

    async def call(self, name: str, **arguments: object) -> object:
        raise RuntimeError(f"looked up: {name} {arguments}")

    async def publish(self, record: Record) -> None:
        raise RuntimeError(f"published: {record.key!r}")


@asynccontextmanager
async def opened(
    deliveries: Sequence[Delivery], *, prefix: str
) -> AsyncIterator[EnrichmentHandler]:
    """Open the handler with the names of these events."""
    nobody = _Nobody()
    async with enrichment(
        lambda _account_id: nobody,
        EnrichmentSettings(),
        publisher=nobody,
        topic_prefix=prefix,
        clock=SystemClock(),
    ) as enriching:
        for snapshot in {each.key: each for one in deliveries for each in _snapshots(one)}.values():
            topic, key = reference_topic(prefix=prefix), snapshot.key.encode()
            headers = snapshot.headers
            enriching.table.take(Delivery(topic, 0, 0, key, snapshot.value, headers, 1))
        while not enriching.table.settle():
            pass
        yield enriching.handler


async def run(handler: object, *, name: str, kafka: KafkaSettings) -> None:
    """Run the worker until SIGTERM."""
    prefix = kafka.topic_prefix
    one_topic = replace(
        component,
        name=name,
        reads=lambda **_: (raw_topic("engagement", prefix=prefix),),
        writes=lambda **_: (enriched_topic("engagement", prefix=prefix),),
        retry_delays_s=(),
    )
    await run_handler(handler, one_topic, kafka=kafka, worker=WorkerSettings())


def names(delivery: Delivery) -> int:
    """Return how many entities an event names."""
    return len(_references(delivery)[1])


def _snapshots(delivery: Delivery) -> Sequence[Snapshot]:
    account_id, references = _references(delivery)
    return [
        Snapshot(
            ReferenceKey(account_id, kind, id_),
            as_of_ms=1,
            state={name: f"Example {name}" for name in fields_of(kind)},
        )
        for kind, id_ in references
    ]


def _references(delivery: Delivery) -> tuple[str, Sequence[EntityReference]]:
    envelope = read_envelope(delivery.value or b"")
    return envelope.account_id, _plan.references(envelope.event, envelope.entity)
