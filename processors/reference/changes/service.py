"""Composition of the changes of reference entities: settings in, a running worker out."""

from collections.abc import Sequence
from typing import Final

import structlog

from processors.reference.asking import Asking
from processors.reference.changes.announced import changing_entities
from processors.reference.changes.component import component
from processors.reference.changes.handler import ChangesHandler
from processors.reference.metrics import begin_changes
from processors.reference.news import Account
from processors.reference.service import reference_table
from processors.reference.settings import ReferenceSettings
from runtime.clock import SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from runtime.values import Delivery, Record
from schemas.topics import reference_topic
from zoom.client import connected
from zoom.limits import Label
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings

_log: Final = structlog.get_logger()


async def run(
    settings: ReferenceSettings,
    zoom: ZoomSettings,
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Publish what webhooks announce until stopped; nothing where the account is not set.

    Raises:
        ConfigurationError: Kafka is not set up as needed, or Zoom refuses the credentials.
    """
    if not zoom.account_id:
        _log.info("no account to look into: ZCC_ZOOM_ACCOUNT_ID is not set")
        await run_handler(_pass, component, kafka=kafka, worker=worker)
        return
    clock, topic = SystemClock(), reference_topic(prefix=kafka.topic_prefix)
    begin_changes(changing_entities)
    table = reference_table(settings)
    own = zoom.model_copy(update={"share": zoom.share * settings.changes_budget_part})
    scheduler = RateLimitScheduler(own, clock=clock, member_share=None)
    async with connected(own, clock=clock, scheduler=scheduler) as client:
        asking = Asking(client, Account(zoom.account_id, table), clock)
        handler = ChangesHandler(asking, client.expecting, topic=topic, entities=settings.entities)

        async def handle_when_open(delivery: Delivery) -> Sequence[Record]:
            """Handle it once lookups may go out."""
            await scheduler.wait_until_open(Label.LIGHT)
            return await handler(delivery)

        await run_handler(
            handle_when_open,
            component,
            kafka=kafka,
            worker=worker,
            on_share_changed=scheduler.on_share_changed,
            tables=[FollowedTable(topic, table)],
        )


async def _pass(delivery: Delivery) -> Sequence[Record]:  # noqa: ARG001 - a Handler
    """Publish nothing."""
    return ()
