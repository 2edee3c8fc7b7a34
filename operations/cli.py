"""The `zcc` command. Each command builds its settings from the environment and starts one part.

Exit codes: 0 done, 1 the check or the run failed, 2 wrong usage or settings.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvloop

from operations.api.command import api_app
from operations.components import DevstackPart, ProcessorName, RehearsedAction, SinkName
from operations.dead_letters.commands import dead_letters_app
from operations.doctor.command import doctor
from operations.lag.command import lag, monitor
from operations.postgres.command import (
    erase_command,
    migrate_command,
    offsets_app,
    retention_command,
)
from operations.schemas.command import schemas_app
from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from operations.spill.command import spill_app
from operations.topics.command import topics_app
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from runtime.process.logs import configure_logs
from runtime.process.open_files import raise_open_files_limit
from runtime.retries.loop import RetriesExhaustedError
from runtime.settings import KafkaSettings, WorkerSettings

app = typer.Typer(
    name="zcc",
    help="Zoom Contact Center events: webhooks in, Kafka, Postgres and Parquet out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(topics_app, name="topics")
app.add_typer(schemas_app, name="schemas")
app.add_typer(offsets_app, name="offsets")
app.add_typer(api_app, name="api")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(spill_app, name="spill")
app.command("migrate")(migrate_command)
app.command("retention")(retention_command)
app.command("erase")(erase_command)
app.command()(doctor)
app.command()(lag)
app.command()(monitor)


def main() -> None:
    """Run the command line; the entry point of `zcc`."""
    try:
        app()
    except (ConfigurationError, RetriesExhaustedError) as error:  # the second: the work had halted
        _stop(str(error), exit_code=2)
    except TransientError as error:
        _stop(str(error), exit_code=1)


@app.callback(invoke_without_command=True)
def root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Zoom Contact Center events: webhooks in, Kafka, Postgres and Parquet out."""
    if version:
        typer.echo(distribution_version("zoom-contact-center-pipeline"))
        raise typer.Exit
    configure_logs(level=log_level)


@app.command()
def ingest(
    *,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; else ZCC_INGEST_WORKERS.")
    ] = None,
) -> None:
    """Receive webhooks and put them on Kafka."""
    from ingest.settings import IngestSettings
    from ingest.supervisor import follow_parent, own_command, run_processes

    followed = follow_parent()
    if followed is None:
        warn_of_unknown_settings()
    settings, kafka = read_settings(IngestSettings), read_settings(KafkaSettings)
    if workers is not None:
        settings = settings.model_copy(update={"workers": workers})
    raise_open_files_limit()
    if settings.workers > 1 and followed is None:
        raise typer.Exit(uvloop.run(run_processes(settings, own_command(), clock=SystemClock())))

    from ingest.service import serve
    from ingest.spill.settings import SpillSettings

    uvloop.run(serve(settings, kafka, read_settings(SpillSettings), followed=followed))


@app.command()
def processor(name: ProcessorName) -> None:
    """Run a processor: records in, records out."""
    warn_of_unknown_settings()
    match name:
        case ProcessorName.ENRICHMENT:
            from processors.enrichment.service import run
            from processors.enrichment.settings import EnrichmentSettings
            from zoom.settings import ZoomSettings

            asyncio.run(
                run(
                    read_settings(EnrichmentSettings),
                    read_settings(ZoomSettings),
                    read_settings(KafkaSettings),
                    read_settings(WorkerSettings),
                )
            )


@app.command()
def sink(name: SinkName) -> None:
    """Run a sink: records in, a store out."""
    warn_of_unknown_settings()
    kafka, worker = read_settings(KafkaSettings), read_settings(WorkerSettings)
    match name:
        case SinkName.POSTGRES:
            from sinks.postgres.service import run as run_postgres
            from sinks.postgres.settings import PostgresSettings

            asyncio.run(run_postgres(read_settings(PostgresSettings), kafka, worker))
        case SinkName.OBJECT_STORAGE:
            from sinks.object_storage.service import run as run_objects
            from sinks.object_storage.settings import ObjectStorageSettings

            asyncio.run(run_objects(read_settings(ObjectStorageSettings), kafka, worker))


@app.command()
def simulate(
    *,
    faults: Annotated[
        str | None,
        typer.Option(help="What goes wrong with REST; else ZCC_SIMULATOR_REST_FAULTS."),
    ] = None,
) -> None:
    """Play Zoom: send signed webhooks and serve the REST API; needs the checkout."""
    with _checkout_needed("simulator"):
        from simulator.service import AccountMismatchError, run
        from simulator.settings import SimulatorSettings
        from simulator.webhooks.endpoint import EndpointInvalidError

    try:
        if faults is not None:
            os.environ["ZCC_SIMULATOR_REST_FAULTS"] = faults
        asyncio.run(run(read_settings(SimulatorSettings)))
    except AccountMismatchError as error:
        raise ConfigurationError(str(error)) from None
    except EndpointInvalidError as error:
        raise TransientError(str(error)) from None


@app.command()
def devstack(
    *,
    directory: Annotated[Path, typer.Option(help="Where data and logs are kept.")] = Path(
        ".devstack"
    ),
    part: Annotated[
        list[DevstackPart] | None, typer.Option(help="Start only this; may be given again.")
    ] = None,
    kafka_port: Annotated[int, typer.Option(help="0 = a free one.")] = 0,
    postgres_port: Annotated[int, typer.Option(help="0 = a free one.")] = 0,
    s3_port: Annotated[int, typer.Option(help="0 = a free one.")] = 0,
) -> None:
    """Run Kafka, Postgres and an S3 server here, without containers, until Ctrl-C."""
    with _checkout_needed("devstack"):
        from devstack import Part
        from operations.local.devstack import run

    wanted: frozenset[Part] = frozenset(each.value for each in part or DevstackPart)
    ports: dict[Part, int] = {"kafka": kafka_port, "postgres": postgres_port, "s3": s3_port}
    asyncio.run(run(directory, wanted, ports))


@app.command()
def up(  # noqa: PLR0913 - each is an option of the command
    *,
    events: Annotated[int, typer.Option(min=0, help="Events to send; 0 = until Ctrl-C.")] = 0,
    leave: Annotated[
        bool, typer.Option("--exit", help="End when all is settled (needs --events).")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0, help="Events per second; 0 = no limit.")
    ] = None,
    duplicates: Annotated[float, typer.Option(min=0, max=1, help="Share told twice.")] = 0.02,
    reorder: Annotated[float, typer.Option(min=0, max=1, help="Share told late.")] = 0.02,
    time_scale: Annotated[float, typer.Option(min=1, help="How fast Zoom's time runs.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="From which everything sent follows.")] = 1,
    settle_timeout: Annotated[
        float, typer.Option(min=1, help="Seconds without progress until events count as missing.")
    ] = 60,
    directory: Annotated[
        Path | None, typer.Option(help="Keep data and logs here; else they go if all went well.")
    ] = None,
) -> None:
    """Run everything on this machine, with Zoom simulated. Ctrl-C drains."""
    with _checkout_needed("simulator and devstack"):
        from operations.local.up import UpOptions
        from operations.local.up_command import run

    if leave and not events:
        raise ConfigurationError("--exit needs --events: an endless run does not end by itself")
    options = UpOptions(
        events=events,
        rate_per_s=_default_rate(events) if rate is None else rate,
        duplicates=duplicates,
        reorder=reorder,
        time_scale=time_scale,
        seed=seed,
        settle_timeout_s=settle_timeout,
        linger=bool(events) and not leave,
    )
    raise typer.Exit(run(options, directory=directory, report=report))


@app.command()
def rehearse(
    action: Annotated[RehearsedAction, typer.Argument(help="kill is a power cut.")],
    store: Annotated[DevstackPart, typer.Argument(help="Which store.")],
    *,
    socket: Annotated[
        str, typer.Option(envvar="ZCC_UP_SOCKET", help="Of the running `zcc up`.")
    ] = "",
) -> None:
    """Stop or start a store of a running `zcc up`, to see what an outage does."""
    with _checkout_needed("devstack"):
        from operations.local.rehearsal import rehearse as ask

    asyncio.run(ask(action, store.value, socket=socket))


@app.command()
def reconcile(
    *,
    ledger: Annotated[
        Path | None, typer.Option(help="What Zoom's side saw accepted; else the raw topics count.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare topics, Postgres and objects; exit 1 if an event is missing anywhere."""
    from operations.reconcile.command import run
    from operations.reconcile.stores import DataStores
    from sinks.object_storage.settings import ObjectStorageSettings
    from sinks.postgres.settings import PostgresSettings

    places = DataStores(
        kafka=read_settings(KafkaSettings),
        postgres=read_settings(PostgresSettings),
        object_storage=read_settings(ObjectStorageSettings),
    )
    raise typer.Exit(asyncio.run(run(places, ledger=ledger, as_json=as_json)))


@contextmanager
def _checkout_needed(what: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"simulator", "devstack"}:
            raise
        raise ConfigurationError(
            f"this command needs the checkout: the installed product carries no {what}"
        ) from None


def _default_rate(events: int) -> float:
    return 200.0 if events else 20.0


def _stop(message: str, *, exit_code: int) -> NoReturn:
    typer.echo(f"zcc: {message}", err=True)
    raise SystemExit(exit_code)
