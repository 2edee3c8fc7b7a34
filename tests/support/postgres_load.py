"""What the topics of the Postgres sink are given: the stories of a company, at a steady pace."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from random import Random

from runtime.clock import SystemClock
from runtime.kafka import KafkaPublisher, TopicAdmin
from runtime.settings import KafkaSettings
from runtime.values import Delivery, Record
from schemas.headers import ce_partitionkey, event_id_header, family_of
from schemas.topics import enriched_topic, reference_topic, topic_specs
from simulator.company import make_company
from simulator.stories import event_stream
from tests.support.enriched_records import complete, delivery
from tests.support.kafka_records import publish_once
from tests.support.patience import HANG_GUARD_S
from tests.support.projections import snapshot
from tests.support.simulated_stories import START

reach_timeout_s = HANG_GUARD_S


class Load:
    """Records at a steady pace; ``sent`` of them are acknowledged."""

    def __init__(self, produced: Iterator[Record], publisher: KafkaPublisher) -> None:
        self.sent = 0
        self.event_ids: set[str] = set()
        self._records = produced
        self._publisher = publisher

    async def send(self, count: int) -> None:
        """Send so many at once."""
        async with asyncio.TaskGroup() as tasks:
            for record in islice(self._records, count):
                tasks.create_task(publish_once(self._publisher, record))
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


@asynccontextmanager
async def publishing(kafka: KafkaSettings) -> AsyncIterator[KafkaPublisher]:
    """A publisher that has reached the broker."""
    async with KafkaPublisher(kafka, client_id="load", clock=SystemClock()) as publisher:
        async with asyncio.timeout(reach_timeout_s):
            while not publisher.ready:
                await asyncio.sleep(0.01)
        yield publisher


async def make_topics(kafka: KafkaSettings) -> None:
    async with TopicAdmin(kafka) as admin:
        await admin.apply(list(topic_specs(kafka.topic_plan, {"postgres": ()})))


def records(prefix: str, *, seed: int) -> Iterator[Record]:
    """What the topics are given, without end: the users, then events; some again, some corrected.

    The events tell the stories of a company; the first 600 are of every kind.
    """
    company, rng = make_company(seed), Random(seed)
    for user in company.users:
        state = {"user_id": user.user_id, "display_name": user.display_name}
        reference = snapshot("user", user.user_id, state)
        yield Record(
            reference_topic(prefix=prefix), reference.key, reference.value, reference.headers
        )
    names = {u.user_id: {"user_id": u.user_id, "display_name": "Found"} for u in company.users}
    later: list[Record] = []
    for event in event_stream(company, seed=seed, start=START, count=None):
        topic = enriched_topic(family_of(event.event), prefix=prefix)
        first = _record(topic, delivery(event.body, enrichment={**complete, "status": "partial"}))
        yield first
        if rng.random() < 0.1:
            enrichment = {**complete, "users": names}
            later.append(_record(topic, delivery(event.body, enrichment=enrichment, revision=2)))
        if rng.random() < 0.05:
            later.append(first)
        if later and rng.random() < 0.2:
            yield later.pop(rng.randrange(len(later)))


def _record(topic: str, delivery: Delivery) -> Record:
    return Record(topic, dict(delivery.headers)[ce_partitionkey], delivery.value, delivery.headers)


def event_id_of(record: Record) -> str | None:
    """The event that a record tells of, if it does."""
    event_id = dict(record.headers).get(event_id_header)
    return None if event_id is None else event_id.decode()
