"""The simulator as a whole: webhooks out, REST API in."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from simulator.clock import MachineClock, SimulatorClock
from simulator.company import Company, make_company
from simulator.rest.app import rest_app
from simulator.rest.server import serving
from simulator.settings import SimulatorSettings
from simulator.state import State, apply_events, state_answers
from simulator.stories import StoryEvent, live_stream
from simulator.webhooks.endpoint import Endpoint, EndpointInvalidError, open_endpoint
from simulator.webhooks.ledger import LedgerWriter, Totals
from simulator.webhooks.retry_schedule import challenge_interval_s
from simulator.webhooks.sender import WebhookSender

_log = structlog.get_logger()

_first_validation_pause_s: Final = 0.5
_system_clock: Final = MachineClock()


class AccountMismatchError(Exception):
    """The settings name another account than the company's."""


async def send(
    settings: SimulatorSettings,
    company: Company,
    events: Iterator[StoryEvent],
    ledger: LedgerWriter,
    *,
    clock: SimulatorClock = _system_clock,
) -> Totals:
    """Validate the endpoint, then deliver all events, each to its outcome.

    After a cancellation, notifications in flight have no outcome, and the ledger's totals count
    them.

    Raises:
        EndpointInvalidError: the endpoint did not validate within ``endpoint_wait_s``.
        AccountMismatchError: the events would name another account than the settings.
    """
    _check_account(settings, company)
    telling, sending = (random.Random(f"{use} {settings.seed}") for use in ("telling", "sending"))
    async with open_endpoint(settings, clock=clock, rng=sending) as endpoint:
        await _validate_first(endpoint, settings, clock)
        courier = WebhookSender(endpoint, settings, ledger, clock=clock, rng=telling)
        async with asyncio.TaskGroup() as group:
            validating = group.create_task(_validate_regularly(endpoint, settings))
            await courier.deliver_all(events)
            validating.cancel()
    return ledger.totals


async def validate_endpoint(
    settings: SimulatorSettings, *, clock: SimulatorClock = _system_clock
) -> None:
    """Send one challenge, as Zoom does on request.

    Raises:
        EndpointInvalidError: no answer, or one without the secret.
    """
    rng = random.Random(f"challenge {settings.seed} {clock.now()}")
    async with open_endpoint(settings, clock=clock, rng=rng) as endpoint:
        await endpoint.validate()


def make_state(settings: SimulatorSettings, company: Company) -> State:
    """Return the state of the REST API before any event."""
    return State(
        company,
        max_engagements=settings.rest_engagements,
        details_delay_s=settings.rest_details_delay_s,
    )


@asynccontextmanager
async def rest_api(
    settings: SimulatorSettings,
    company: Company,
    *,
    state: State | None = None,
    clock: SimulatorClock = _system_clock,
) -> AsyncIterator[str]:
    """Serve the REST API and yield its base URL, without ``/v2``.

    It answers from the company and from the events in ``state``.

    Raises:
        AccountMismatchError: the settings' account would be refused a token.
        OSError: the address is in use.
    """
    _check_account(settings, company)
    app = rest_app(
        settings,
        state_answers(state or make_state(settings, company)),
        account_id=company.account_id,
        clock=clock,
        rng=random.Random(f"rest {settings.seed}"),
    )
    host, port = settings.rest_host, settings.rest_port
    async with serving(app, host=host, port=port, clock=clock) as base_url:
        yield base_url


async def run(settings: SimulatorSettings, *, clock: SimulatorClock = _system_clock) -> Totals:
    """Serve the REST API and send webhooks until the count is reached, or SIGTERM or SIGINT.

    Raises:
        EndpointInvalidError: as `send`.
        AccountMismatchError: as `send`.
        OSError: the ledger cannot be written, or the address of the REST API is in use.
    """
    company = make_company(settings.seed)
    events = live_stream(
        company,
        seed=settings.seed,
        now=clock.now(),
        count=settings.count or None,
        rate_per_s=settings.rate_per_s,
    )
    state = make_state(settings, company)
    with LedgerWriter(settings.ledger_file) as ledger:
        async with rest_api(settings, company, state=state, clock=clock) as rest_url:
            _log.info(
                "simulator_started",
                target=settings.target_url,
                rest=rest_url,
                account_id=company.account_id,
            )
            applied = apply_events(state, events, clock.now)
            await _until_signal(send(settings, company, applied, ledger, clock=clock))
        totals = ledger.totals
        _log.info(
            "simulator_stopped",
            events=totals.events,
            accepted=totals.accepted,
            given_up=totals.given_up,
            lost=totals.lost,
            retries=totals.retries,
            duplicates_sent=totals.duplicates_sent,
        )
        return totals


def _check_account(settings: SimulatorSettings, company: Company) -> None:
    if settings.account_id and settings.account_id != company.account_id:
        raise AccountMismatchError(
            f"ZCC_SIMULATOR_ACCOUNT_ID is {settings.account_id}, but the company of seed "
            f"{settings.seed} has account {company.account_id}: use that, or leave it empty"
        )


async def _validate_first(
    endpoint: Endpoint, settings: SimulatorSettings, clock: SimulatorClock
) -> None:
    """Retry for a while: the receiver may be starting too."""
    end_s = clock.monotonic_s() + settings.endpoint_wait_s
    while True:
        try:
            return await endpoint.validate()
        except EndpointInvalidError:
            if clock.monotonic_s() >= end_s:
                raise
        await asyncio.sleep(_first_validation_pause_s)


async def _validate_regularly(endpoint: Endpoint, settings: SimulatorSettings) -> None:
    """Validate at intervals, like Zoom.

    Zoom would send mail after two and four consecutive failures, and stop after six.
    """
    failures = 0
    while True:
        await asyncio.sleep(challenge_interval_s / settings.time_scale)
        try:
            await endpoint.validate()
            failures = 0
        except EndpointInvalidError as error:
            failures += 1
            _log.warning("endpoint_invalid", failures_in_a_row=failures, reason=str(error))


async def _until_signal(work: Coroutine[None, None, Totals]) -> None:
    """Await the work; a signal acts like an expired time limit."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as limit:

            def stop() -> None:
                if not limit.expired():  # the second of two signals
                    limit.reschedule(loop.time())

            for number in signals:
                loop.add_signal_handler(number, stop)
            try:
                await work
            finally:
                for number in signals:
                    loop.remove_signal_handler(number)
