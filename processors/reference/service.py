"""Composition of the walk over Zoom's lists: settings in, a running worker out."""

from collections.abc import Sequence
from datetime import datetime
from random import SystemRandom
from typing import Final

import structlog

from processors.entities.kinds import aliases_of
from processors.entities.table import ReferenceTable
from processors.reference.asking import Asking, most_lookups
from processors.reference.component import component
from processors.reference.metrics import begin_walks, metrics
from processors.reference.news import Account
from processors.reference.overwritten import WatchedTable
from processors.reference.poller import ReferencePoller
from processors.reference.settings import ReferenceSettings
from runtime.clock import SystemClock
from runtime.service import run_poller
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from runtime.values import Feed, Fetched
from schemas.topics import reference_topic
from zoom.client import connected
from zoom.limits import Label, Priority
from zoom.settings import ZoomSettings

_log: Final = structlog.get_logger()

_lists_at_once: Final = 4
"""More would only wait for the budget, each with a page that grows old."""
_page_s: Final = 60.0
"""A page that takes minutes would count as stuck."""
_budget_wait_s: Final = 60.0
"""A call may wait for its turn: nobody waits for the walk, and a page that fails begins again."""


async def run(
    settings: ReferenceSettings,
    zoom: ZoomSettings,
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Walk over the account's lists until stopped; over none where the account is not set.

    Raises:
        ConfigurationError: Kafka is not set up as needed, or Zoom refuses the credentials.
    """
    if not zoom.account_id:
        _log.info("no account to walk over: ZCC_ZOOM_ACCOUNT_ID is not set")
        await run_poller(_NoWalk(), component, kafka=kafka, worker=worker)
        return
    clock, topic = SystemClock(), reference_topic(prefix=kafka.topic_prefix)
    begin_walks(settings.entities)
    for name, kind in settings.kinds.items():
        metrics.walked_at.labels(name).set(clock.now().timestamp())
        metrics.ttl.labels(name).set(settings.ttl_s(kind))
    table = reference_table(settings)
    watched = WatchedTable(table, settings.entities)
    part = zoom.share * settings.budget_part
    own = {"share": part, "budget_wait_s": _budget_wait_s}
    async with connected(zoom.model_copy(update=own), clock=clock) as client:
        caller = client.at(Priority.BACKFILL)
        poller = ReferencePoller(
            Asking(
                caller,
                Account(zoom.account_id, table),
                clock,
                lookups_per_page=lookups_per_page(zoom.limits[Label.LIGHT].per_second * part),
            ),
            settings,
            topic=topic,
            clock=clock,
            rng=SystemRandom(),
            corrections=watched.corrections,
        )
        concurrency = min(worker.concurrency, _lists_at_once)
        await run_poller(
            poller,
            component,
            kafka=kafka,
            worker=worker.model_copy(update={"concurrency": concurrency}),
            tables=[FollowedTable(topic, watched)],
        )


class _NoWalk:
    """A `runtime.contracts.Poller` without lists."""

    feeds: Final[Sequence[Feed]] = ()
    page_records: Final = 1

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        raise NotImplementedError(feed, watermark, now)

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        raise NotImplementedError(feed, watermark)


def lookups_per_page(calls_per_second: float) -> int:
    """Return how many lookups a page may have, so that it ends within a minute."""
    return max(1, min(most_lookups, int(_page_s * calls_per_second / _lists_at_once)))


def reference_table(settings: ReferenceSettings) -> ReferenceTable:
    """Return an empty table of the entities that the settings name."""
    return ReferenceTable(settings.table_bytes, kinds=settings.entities, aliases=aliases_of)
