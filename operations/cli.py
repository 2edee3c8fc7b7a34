"""The `zcc` command. Each command builds its settings from the environment and starts one part.

Exit codes: 0 done, 1 the check or the run failed, 2 wrong usage or settings.
"""

import asyncio
import json
import sys
from collections.abc import Coroutine
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from operations.components import ProcessorName, SinkName, run_ingest, run_processor, run_sink
from operations.settings_errors import one_line
from runtime.errors import ConfigurationError, TransientError
from runtime.logs import configure_logs
from runtime.settings import KafkaSettings

app = typer.Typer(
    name="zcc",
    help="Zoom Contact Center events: webhooks in, Kafka, Postgres and Parquet out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
topics_app = typer.Typer(help="The topics of a deployment.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")

Result = TypeVar("Result")
AnySettings = TypeVar("AnySettings", bound=BaseSettings)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def main() -> None:
    """Run the command line; the entry point of `zcc`."""
    try:
        app()
    except (ConfigurationError, TransientError) as error:
        _stop(f"zcc: {error}", 2 if isinstance(error, ConfigurationError) else 1)


def read_settings(settings: type[AnySettings]) -> AnySettings:
    """Build settings from the environment, or end with one clear line and exit code 2."""
    try:
        return settings()
    except ValidationError as error:
        _stop(f"zcc: {one_line(error, settings)}", 2)
    except SettingsError as error:
        _stop(f"zcc: {error}: expected JSON", 2)


@app.callback()
def root(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Set up what all commands share."""
    if version:
        typer.echo(distribution_version("zoom-contact-center-pipeline"))
        raise typer.Exit
    configure_logs(level=log_level)


@app.command()
def ingest() -> None:
    """Receive webhooks and put them on Kafka."""
    from ingest.settings import IngestSettings

    _run(run_ingest(read_settings(IngestSettings), read_settings(KafkaSettings)))
