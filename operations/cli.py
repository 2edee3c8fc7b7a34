"""The `zcc` command. Each command builds its settings from the environment and starts one part.

Exit codes: 0 done, 1 the check or the run failed, 2 wrong usage or settings.
"""

import asyncio
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from operations.components import ProcessorName, SinkName
from operations.settings_errors import one_line
from runtime.errors import ConfigurationError, TransientError
from runtime.logs import configure_logs
from runtime.settings import KafkaSettings, WorkerSettings

app = typer.Typer(
    name="zcc",
    help="Zoom Contact Center events: webhooks in, Kafka, Postgres and Parquet out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(help="The topics of a deployment.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")

AnySettings = TypeVar("AnySettings", bound=BaseSettings)

checkout_only = "this command needs the checkout: the installed product carries no {part}"


def main() -> None:
    """Run the command line; the entry point of `zcc`."""
    try:
        app()
    except ConfigurationError as error:
        _stop(str(error), exit_code=2)
    except TransientError as error:
        _stop(str(error), exit_code=1)


def read_settings(settings: type[AnySettings]) -> AnySettings:
    """Build settings from the environment.

    Raises:
        ConfigurationError: one line that names each variable at fault.
    """
    try:
        return settings()
    except ValidationError as error:
        raise ConfigurationError(one_line(error, settings)) from None
    except SettingsError as error:
        raise ConfigurationError(f"{error}: expected JSON") from None


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
def ingest() -> None:
    """Receive webhooks and put them on Kafka."""
    from ingest.service import serve
    from ingest.settings import IngestSettings

    asyncio.run(serve(read_settings(IngestSettings), read_settings(KafkaSettings)))


@app.command()
def processor(name: ProcessorName) -> None:
    """Run a processor: records in, records out."""
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
def simulate() -> None:
    """Play Zoom: send signed webhooks and serve the REST API (not part of the installed product)."""
    try:
        from simulator.service import run
        from simulator.settings import SimulatorSettings
    except ModuleNotFoundError:
        raise ConfigurationError(checkout_only.format(part="simulator")) from None

    totals = asyncio.run(run(read_settings(SimulatorSettings)))
    typer.echo(totals)


@app.command()
def devstack(
    *,
    directory: Annotated[
        Path, typer.Option(help="Where data and logs are kept.")
    ] = Path(".devstack"),
    part: Annotated[
        list[str] | None, typer.Option(help="kafka, postgres or s3; all where none is named.")
    ] = None,
    kafka_port: Annotated[int, typer.Option(help="0 = free.")] = 0,
    postgres_port: Annotated[int, typer.Option(help="0 = free.")] = 0,
    s3_port: Annotated[int, typer.Option(help="0 = free.")] = 0,
) -> None:
    """Start Kafka, Postgres and an S3 server here, without containers, until Ctrl-C."""


@topics_app.command("apply")
def topics_apply() -> None:
    """Create and alter the topics."""
    from operations.topics import apply

    asyncio.run(apply(read_settings(KafkaSettings)))


@topics_app.command("check")
def topics_check() -> None:
    """Report what `apply` would change; exit 1 if anything."""
    from operations.topics import check

    raise typer.Exit(asyncio.run(check(read_settings(KafkaSettings))))


@app.command()
def migrate(
    *, sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, change nothing.")] = False
) -> None:
    """Bring the tables in Postgres up to date."""
    from sinks.postgres.migrate import migrate as run
    from sinks.postgres.migrate import migration_sql
    from sinks.postgres.settings import PostgresSettings

    if sql:
        typer.echo(migration_sql())
    else:
        typer.echo(run(read_settings(PostgresSettings).dsn.get_secret_value()))


def _stop(message: str, *, exit_code: int) -> NoReturn:
    typer.echo(f"zcc: {message}", err=True)
    raise SystemExit(exit_code)
