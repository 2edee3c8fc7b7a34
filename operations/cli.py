"""The `zcc` command. Each command builds its settings from the environment and starts one part.

Commands are loaded when they are called. Exit codes: 0 done, 1 the check or the run failed, 2 wrong
usage or settings.
"""

import sys
from typing import Annotated, Final, NoReturn

import typer

from operations.command_group import LazyCommand, group_of
from runtime.errors import ConfigurationError, TransientError
from runtime.lazy import load_function, load_without

commands: Final = {
    "migrate": LazyCommand(
        "operations.postgres.migrate_command:migrate_command",
        "Bring the tables in Postgres up to date; an empty database gets all steps.",
    ),
    "retention": LazyCommand(
        "operations.postgres.retention_command:retention_command",
        "Remove data older than ZCC_POSTGRES_RETENTION_*_DAYS; without --apply, only list it.",
    ),
    "erase": LazyCommand(
        "operations.postgres.erase_command:erase_command",
        "Erase one person from all tables; without --apply, only count the rows.",
    ),
    "doctor": LazyCommand(
        "operations.doctor.command:doctor",
        "Check settings, Zoom's token and scopes, clock, Kafka and stores; exit 1 on a fault.",
    ),
    "lag": LazyCommand(
        "operations.lag.command:lag",
        "Print the lag of each group; exit 1 if a group with lag has no member.",
    ),
    "monitor": LazyCommand(
        "operations.roles.monitor:monitor",
        "Measure lag and dead letters at the brokers, for Prometheus.",
    ),
    "ingest": LazyCommand(
        "operations.roles.ingest:ingest", "Receive webhooks and put them on Kafka."
    ),
    "processor": LazyCommand(
        "operations.roles.workers:processor", "Run a processor: records in, records out."
    ),
    "sink": LazyCommand("operations.roles.workers:sink", "Run a sink: records in, a store out."),
    "simulate": LazyCommand(
        "operations.local.commands:simulate",
        "Play Zoom: send signed webhooks and serve the REST API; needs the checkout.",
    ),
    "devstack": LazyCommand(
        "operations.local.commands:devstack",
        "Run Kafka, Postgres and an S3 server here, without containers, until Ctrl-C.",
    ),
    "up": LazyCommand(
        "operations.local.commands:up",
        "Run everything on this machine, with Zoom simulated. Ctrl-C drains.",
    ),
    "rehearse": LazyCommand(
        "operations.local.commands:rehearse",
        "Stop or start a store of a running `zcc up`, to see what an outage does.",
    ),
    "reconcile": LazyCommand(
        "operations.reconcile.command:reconcile",
        "Compare topics, Postgres and objects; exit 1 if an event is missing anywhere.",
    ),
    "topics": LazyCommand("operations.topics.command:topics_app", "The topics of a deployment."),
    "schemas": LazyCommand("operations.schemas.command:schemas_app", "The contract of events."),
    "offsets": LazyCommand(
        "operations.postgres.offsets_command:offsets_app", "Offsets from which sinks resume."
    ),
    "api": LazyCommand("operations.api.command:api_app", "Zoom's REST API."),
    "dead-letters": LazyCommand(
        "operations.dead_letters.commands:dead_letters_app",
        "Dead letters of the workers: list, show, replay, discard.",
    ),
    "spill": LazyCommand("operations.spill.command:spill_app", "Events that wait for the broker."),
}
"""In the order of the help."""

app = typer.Typer(
    name="zcc",
    cls=group_of(commands),
    help="Zoom Contact Center events: webhooks in, Kafka, Postgres and Parquet out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: to load rich for it costs 0.4 s
)


def main() -> None:
    """Run the command line; the entry point of `zcc`."""
    if sys.argv[1:] == ["--version"]:  # to read options, the library imports pydantic: 0.2 s
        typer.echo(_version())
        return
    try:
        app()
    except ConfigurationError as error:
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
        typer.echo(_version())
        raise typer.Exit
    # Its renderer of tracebacks in colour, which nothing uses, takes 0.2 s of CPU and 7 MiB.
    load_without("rich", "structlog")
    load_function("runtime.process.logs:configure_logs")(level=log_level)


def _version() -> str:
    version = load_function("importlib.metadata:version")
    return str(version("zoom-contact-center-pipeline"))


def _stop(message: str, *, exit_code: int) -> NoReturn:
    typer.echo(f"zcc: {message}", err=True)
    raise SystemExit(exit_code)
