"""Composition of outcomes: settings in, a running worker out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from processors.outcomes.component import component
from processors.outcomes.dataset import DatasetRows
from processors.outcomes.handler import OutcomeHandler
from processors.outcomes.member import enriched
from processors.outcomes.questions import Questions
from processors.outcomes.settings import OutcomeSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock, SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from zoom.client import ZoomClient, connected
from zoom.limits import Priority
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings

_attempts: Final = 1 + len(component.retry_delays_s)
"""Of each event; the first one asks nobody."""


async def run(
    settings: OutcomeSettings, zoom: ZoomSettings, kafka: KafkaSettings, worker: WorkerSettings
) -> None:
    """Ask for the outcome of each engagement until stopped.

    Raises:
        ConfigurationError: Kafka is not set up as needed. A refusal of the credentials by Zoom does
            not raise: outcomes go out as unavailable, and the log says why.
    """
    clock = SystemClock()
    zoom = zoom.model_copy(update={"share": zoom.share * settings.share})
    scheduler = RateLimitScheduler(zoom, clock=clock, member_share=None)
    async with (
        connected(zoom, clock=clock, scheduler=scheduler) as client,
        outcome_handler(
            client,
            settings,
            account_id=zoom.account_id,
            topic_prefix=kafka.topic_prefix,
            clock=clock,
        ) as handler,
    ):
        await run_handler(
            handler,
            component,
            kafka=kafka,
            worker=worker,
            on_share_changed=scheduler.on_share_changed,
        )


@asynccontextmanager
async def outcome_handler(
    client: ZoomClient,
    settings: OutcomeSettings,
    *,
    account_id: str,
    topic_prefix: str,
    clock: Clock,
    attempts: int = _attempts,
) -> AsyncIterator[OutcomeHandler]:
    """Open the handler for one account; the client must stay open meanwhile."""
    client = client.at(Priority.OUTCOMES)
    async with BackgroundTasks() as background:
        dataset = DatasetRows(
            client,
            interval_s=settings.dataset_interval_s,
            allowed=settings.allowed,
            clock=clock,
        )
        background.start(dataset.run())
        questions = Questions(client, dataset, allowed=settings.allowed)
        yield OutcomeHandler(
            {account_id: questions}.get,
            settings,
            enrich=enriched,
            attempts=attempts,
            topic_prefix=topic_prefix,
            clock=clock,
        )
