"""The enrichment of commit 0556e3c with all names in its caches; for a checkout of it only."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from processors.enrichment.background import Background
from processors.enrichment.handler import Enrichment
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.references import Entity, queue_ids, references, user_ids
from processors.enrichment.settings import EnrichmentSettings
from runtime.clock import SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Delivery
from schemas.envelope import read_envelope
from schemas.topics import raw_topic
from zoom.entities import Queue, User


class _Nobody:
    """The API, which nobody should have to call."""

    async def get(self, key: str) -> None:
        raise RuntimeError(f"looked up: {key}")


@asynccontextmanager
async def opened(deliveries: Sequence[Delivery], *, prefix: str) -> AsyncIterator[Enrichment]:
    """Open the handler with the names of these events."""
    clock, settings = SystemClock(), EnrichmentSettings(cache_entries=10**6)
    async with Background() as background:
        users = CachedLookup[str, User](
            _Nobody(), settings, names=user_ids, background=background, clock=clock
        )
        queues = CachedLookup[str, Queue](
            _Nobody(), settings, names=queue_ids, background=background, clock=clock
        )
        for delivery in deliveries:
            for one in references(read_envelope(delivery.value or b"").object):
                if one.entity is Entity.USER:
                    users.keep(User(one.id, "Alex Example"))
                else:
                    queues.keep(Queue(one.id, "", "Example queue"))
        yield Enrichment(users=users, queues=queues, topic_prefix=prefix, clock=clock)


async def run(handler: object, *, name: str, kafka: KafkaSettings) -> None:
    """Run the worker until SIGTERM."""
    topics = [raw_topic("engagement", prefix=kafka.topic_prefix)]
    await run_handler(handler, name=name, topics=topics, kafka=kafka, worker=WorkerSettings())


def names(delivery: Delivery) -> int:
    """Return how many entities an event names."""
    return len(references(read_envelope(delivery.value or b"").object))
