"""Composition of outcomes: settings in, a running worker out."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import structlog

from processors.entities.kinds import aliases_of
from processors.entities.settings import EventFieldSettings
from processors.entities.table import ReferenceTable
from processors.outcomes.component import component
from processors.outcomes.dataset import DatasetRows
from processors.outcomes.handler import OutcomeHandler
from processors.outcomes.member import EnrichedBodies, named
from processors.outcomes.questions import Questions
from processors.outcomes.settings import OutcomeSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock, SystemClock
from runtime.service import run_handler
from runtime.settings import KafkaSettings, WorkerSettings
from runtime.tables.follower import FollowedTable
from runtime.values import Delivery, Record
from schemas.topics import reference_topic
from zoom.accounts import Accounts
from zoom.client import ZoomClient
from zoom.limits import Priority
from zoom.settings import ZoomSettings

_log: Final = structlog.get_logger()

_attempts: Final = 1 + len(component.retry_delays_s)
"""Of each event; the first one asks nobody."""


class Outcomes(NamedTuple):
    """An open handler, and the table that it reads."""

    handler: OutcomeHandler
    table: ReferenceTable


async def run(
    settings: OutcomeSettings,
    fields: EventFieldSettings,
    zoom: ZoomSettings,
    kafka: KafkaSettings,
    worker: WorkerSettings,
) -> None:
    """Ask for the outcome of each engagement until stopped; of none unless the mode is full.

    Raises:
        ConfigurationError: Kafka is not set up as needed, or the file of accounts cannot be used. A
            refusal of the credentials by Zoom does not raise: outcomes go out as unavailable, and
            the log says why.
    """
    prefix, clock = kafka.topic_prefix, SystemClock()
    if fields.mode != "full":
        _log.info("outcomes are off: ZCC_ENRICHMENT_MODE is not full", mode=fields.mode)
        await run_handler(_pass, component, kafka=kafka, worker=worker)
        return
    async with (
        Accounts(
            zoom, clock=clock, member_share=None, budget_part=settings.budget_part
        ) as accounts,
        outcomes(accounts.client, settings, fields, topic_prefix=prefix, clock=clock) as opened,
    ):
        await run_handler(
            opened.handler,
            component,
            kafka=kafka,
            worker=worker,
            on_share_changed=accounts.on_share_changed,
            tables=[FollowedTable(reference_topic(prefix=prefix), opened.table)],
        )


async def _pass(delivery: Delivery) -> Sequence[Record]:  # noqa: ARG001 - a Handler
    """Ask nobody about any engagement."""
    return ()


@asynccontextmanager
async def outcomes(
    client_of: Callable[[str], ZoomClient | None],
    settings: OutcomeSettings,
    fields: EventFieldSettings,
    *,
    topic_prefix: str,
    clock: Clock,
    attempts: int = _attempts,
) -> AsyncIterator[Outcomes]:
    """Open the handler; ``client_of`` returns the API of an account, None without credentials.

    The clients must stay open meanwhile.
    """
    table = ReferenceTable(settings.flows_mib * 1024 * 1024, kinds=named, aliases=aliases_of)
    async with BackgroundTasks() as background:
        handler = OutcomeHandler(
            _QuestionsOfAccounts(client_of, settings, background, clock),
            settings,
            enrich=EnrichedBodies(table, fields.event_fields),
            attempts=attempts,
            topic_prefix=topic_prefix,
            clock=clock,
        )
        yield Outcomes(handler, table)


class _QuestionsOfAccounts:
    """The questions to each account, made when they are first needed."""

    def __init__(
        self,
        client_of: Callable[[str], ZoomClient | None],
        settings: OutcomeSettings,
        background: BackgroundTasks,
        clock: Clock,
    ) -> None:
        self._client_of = client_of
        self._settings = settings
        self._background = background
        self._clock = clock
        self._questions: dict[str, tuple[ZoomClient, Questions]] = {}

    def __call__(self, account_id: str) -> Questions | None:
        client = self._client_of(account_id)
        if client is None:
            return None
        known = self._questions.get(account_id)
        if known is None or known[0] is not client:  # an account may go and come back
            known = self._questions[account_id] = client, self._new(client)
        return known[1]

    def _new(self, client: ZoomClient) -> Questions:
        settings, client = self._settings, client.at(Priority.OUTCOMES)
        dataset = DatasetRows(
            client,
            interval_s=settings.dataset_interval_s,
            allowed=settings.allowed,
            clock=self._clock,
        )
        self._background.start(dataset.run())
        return Questions(client, dataset, allowed=settings.allowed, clock=self._clock)
