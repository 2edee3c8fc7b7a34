"""Composition of enrichment: settings in, a running worker out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import SystemRandom
from typing import NamedTuple

from processors.enrichment.answers import AnswerPublisher
from processors.enrichment.component import component
from processors.enrichment.handler import EnrichmentHandler
from processors.enrichment.lookup import CachedLookup
from processors.enrichment.names import Names
from processors.enrichment.settings import EnrichmentSettings
from processors.enrichment.zoom_source import ZoomSource
from processors.entities.kinds import aliases_of
from processors.entities.table import ReferenceTable
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock, SystemClock
from runtime.contracts import Publisher
from runtime.kafka import KafkaPublisher
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from schemas.topics import reference_topic
from zoom.accounts import Accounts
from zoom.messages import Caller
from zoom.settings import ZoomSettings


class OpenedEnrichment(NamedTuple):
    """An open handler, and the table that it reads."""

    handler: EnrichmentHandler
    table: ReferenceTable


async def run(
    settings: EnrichmentSettings,
    zoom: ZoomSettings,
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Enrich all raw topics until stopped.

    Raises:
        ConfigurationError: Kafka is not set up as needed, or the file of accounts cannot be used. A
            refusal of the credentials by Zoom does not raise: events go out without names, and the
            log says why.
    """
    prefix, clock = kafka.topic_prefix, SystemClock()
    if settings.mode == "off":
        handler = EnrichmentHandler(no_names, attempts=1, topic_prefix=prefix, clock=clock)
        await run_handler(handler, component, kafka=kafka, worker=worker)
        return
    client_id = f"{component.group(prefix=prefix)}-answers"
    async with (
        Accounts(
            zoom, clock=clock, member_share=None, budget_part=settings.budget_part
        ) as accounts,
        KafkaPublisher(kafka, client_id=client_id, clock=clock) as publisher,
        enrichment(
            accounts.client, settings, publisher=publisher, topic_prefix=prefix, clock=clock
        ) as opened,
    ):
        await run_handler(
            opened.handler,
            component,
            kafka=kafka,
            worker=worker,
            on_share_changed=accounts.on_share_changed,
            tables=[FollowedTable(reference_topic(prefix=prefix), opened.table)],
        )


@asynccontextmanager
async def enrichment(
    caller_of: Callable[[str], Caller | None],
    settings: EnrichmentSettings,
    *,
    publisher: Publisher,
    topic_prefix: str,
    clock: Clock,
) -> AsyncIterator[OpenedEnrichment]:
    """Open the handler; ``caller_of`` returns the API of an account, None without credentials.

    The clients and the publisher must stay open meanwhile.
    """
    fields, topic = settings.event_fields, reference_topic(prefix=topic_prefix)
    table = ReferenceTable(
        settings.table_mib * 1024 * 1024, kinds=fields.entities, aliases=aliases_of
    )
    async with BackgroundTasks() as background:
        answers = AnswerPublisher(publisher, table, topic=topic, clock=clock)
        background.start(answers.run())
        source = ZoomSource(caller_of, answered=answers.offer, clock=clock)
        lookup = CachedLookup(
            source, settings, background=background, clock=clock, rng=SystemRandom()
        )
        names = Names(table, lookup, fields, clock=clock)

        def names_of(account_id: str) -> Names | None:
            return None if caller_of(account_id) is None else names

        handler = EnrichmentHandler(
            names_of,
            attempts=1 + len(component.retry_delays_s),
            topic_prefix=topic_prefix,
            clock=clock,
        )
        yield OpenedEnrichment(handler, table)


def no_names(_account_id: str) -> None:
    """Return None for each account: all events pass as skipped."""
