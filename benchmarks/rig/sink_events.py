"""Events as the enriched topics hold them, made up and put on one topic."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import orjson

from ingest.webhook.routing import RoutedEvent, RoutingSettings, SignedRequest, decide
from processors.entities.fields import event_fields, named_kinds
from processors.entities.member import Answer, Missing, enrichment, with_member_appended
from processors.entities.plan import EntityPlan
from processors.entities.references import Entity, EntityReference
from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from runtime.values import Headers, Record
from schemas.envelope import envelope_of
from schemas.headers import event_id_header, received_at_header, timestamp
from simulator.company import Company, make_company
from simulator.stories import event_stream

first_moment: Final = datetime(2026, 1, 1, tzinfo=UTC)

_routing: Final = RoutingSettings("zcc", b"pseudonym-key-of-a-benchmark")
_plan: Final = EntityPlan(named_kinds)
_at_once: Final = 2_000
_connect_s: Final = 30.0


def events(topic: str, count: int) -> Iterator[Record]:
    """Yield different events of a made-up company, enriched, in the order of the stories."""
    company = make_company(1)
    answers = _answers(company)
    for event in event_stream(company, seed=1, start=first_moment, count=count):
        decision = decide(SignedRequest("default", event.body, b"secret", 1), _routing)
        if isinstance(decision, RoutedEvent):
            yield _enriched(decision.record, topic, answers)


def as_new(record: Record, ordinal: int) -> Record:
    """Return the record as if another event with the same words had been accepted just now."""
    now = timestamp(int(datetime.now(UTC).timestamp() * 1000)).encode()
    event_id = f"{ordinal:064x}".encode()
    changed = {event_id_header: event_id, received_at_header: now}
    return Record(record.topic, record.key, record.value, _with(record.headers, changed))


@asynccontextmanager
async def connected(kafka: KafkaSettings) -> AsyncIterator[KafkaPublisher]:
    """Open a publisher that has reached the broker."""
    async with KafkaPublisher(kafka, client_id="benchmark", clock=SystemClock()) as publisher:
        if not await publisher.reached(within_s=_connect_s):
            raise TransientError("the broker does not answer")
        yield publisher


async def fill(kafka: KafkaSettings, topic: str, count: int) -> Mapping[str, int]:
    """Produce so many events; return their number and mean size in bytes."""
    size = number = 0
    batch: list[Record] = []
    async with connected(kafka) as publisher:
        for record in events(topic, count):
            number, size = number + 1, size + len(record.value or b"")
            batch.append(record)
            if len(batch) == _at_once:
                await _publish(publisher, batch)
                batch.clear()
        await _publish(publisher, batch)
    return {"events": number, "mean_bytes": round(size / number)}


async def _publish(publisher: KafkaPublisher, records: list[Record]) -> None:
    await asyncio.gather(*(publisher.publish(record) for record in records))


def _answers(company: Company) -> Mapping[EntityReference, Answer]:
    fields = event_fields(named_kinds, fields=(), allowed=())
    users = {
        EntityReference(Entity.USER, user.user_id): fields.fragment(
            Entity.USER, {"user_id": user.user_id, "display_name": user.display_name}
        )
        for user in company.users
    }
    queues = {
        EntityReference(Entity.QUEUE, queue.cc_queue_id): fields.fragment(
            Entity.QUEUE, {"cc_queue_id": queue.cc_queue_id, "queue_name": queue.queue_name}
        )
        for queue in company.queues
    }
    return {**users, **queues}


def _enriched(record: Record, topic: str, answers: Mapping[EntityReference, Answer]) -> Record:
    body = record.value or b""
    envelope = envelope_of(orjson.loads(body))
    named = _plan.references(envelope.event, envelope.object)
    answered = {one: answers.get(one, Missing.ABSENT) for one in named}
    at = timestamp(envelope.event_ts_ms + 400)
    value = with_member_appended(body, enrichment(answered, revision=1, enriched_at=at))
    return Record(
        topic, record.key, value, _with(record.headers, {received_at_header: at.encode()})
    )


def _with(headers: Headers, changed: Mapping[str, bytes]) -> Headers:
    return tuple((name, changed.get(name, value)) for name, value in headers)
