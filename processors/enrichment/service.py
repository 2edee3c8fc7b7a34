"""Composition of enrichment: settings in, a running worker out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from processors.enrichment.component import component
from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.preload import keep_preloaded
from processors.enrichment.references import queue_ids, user_ids
from processors.enrichment.settings import EnrichmentSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock, SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.values import Deferred, Delivery, Record
from zoom.client import ZoomClient, connected
from zoom.limits import Label
from zoom.lookups import queue_lookup, user_lookup
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings

_budget_part: Final = 0.7
"""Of ZCC_ZOOM_SHARE; the walk over the reference entities and their changes take the rest."""


async def run(
    settings: EnrichmentSettings,
    zoom: ZoomSettings,
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Enrich all raw topics until stopped.

    Raises:
        ConfigurationError: Kafka is not set up as needed. A refusal of the credentials by Zoom does
            not raise: events go out without names, and the log says why.
    """
    prefix, clock = kafka.topic_prefix, SystemClock()
    own = zoom.model_copy(update={"share": zoom.share * _budget_part})
    scheduler = RateLimitScheduler(own, clock=clock, member_share=None)
    async with (
        connected(own, clock=clock, scheduler=scheduler) as client,
        enrichment(client, settings, topic_prefix=prefix, clock=clock) as handler,
    ):

        async def handle_when_open(delivery: Delivery) -> Sequence[Record] | Deferred:
            """Handle it once lookups may go out: a new share takes longer than their deadline."""
            await scheduler.wait_until_open(Label.LIGHT)
            return await handler(delivery)

        await run_handler(
            handle_when_open,
            component,
            kafka=kafka,
            worker=worker,
            on_share_changed=scheduler.on_share_changed,
        )


@asynccontextmanager
async def enrichment(
    client: ZoomClient, settings: EnrichmentSettings, *, topic_prefix: str, clock: Clock
) -> AsyncIterator[EnrichmentHandler]:
    """Open the handler; the client must stay open meanwhile."""
    async with BackgroundTasks() as background:
        user_source, queue_source = user_lookup(client), queue_lookup(client)
        users = CachedLookup(
            user_source, settings, names=user_ids, background=background, clock=clock
        )
        queues = CachedLookup(
            queue_source, settings, names=queue_ids, background=background, clock=clock
        )
        background.start(keep_preloaded(user_source, users, settings, clock=clock))
        background.start(keep_preloaded(queue_source, queues, settings, clock=clock))
        yield EnrichmentHandler(users=users, queues=queues, topic_prefix=topic_prefix, clock=clock)
