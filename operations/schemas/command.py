"""`zcc schemas`: the contract of events, written, compared, and held against live events."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from operations.schemas.contract_files import diff, generate
from operations.schemas.drift import run
from operations.settings.loading import read_settings
from runtime.settings import KafkaSettings

schemas_app = typer.Typer(help="The contract of events.", no_args_is_help=True)


@schemas_app.command("generate")
def schemas_generate(
    *,
    webhooks: Annotated[Path, typer.Option(help="The vendor's OpenAPI document of webhooks.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("schemas"),
) -> None:
    """Write JSON Schemas, models and examples; print new and changed files."""
    for path in generate(webhooks, out):
        typer.echo(path)


@schemas_app.command("diff")
def schemas_diff(
    old: Annotated[Path, typer.Argument(help="An OpenAPI document of webhooks.")],
    new: Annotated[Path, typer.Argument(help="A later one.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two documents of the vendor; exit 1 if a change breaks consumers."""
    raise typer.Exit(diff(old, new, as_json=as_json))


@schemas_app.command("drift")
def schemas_drift(
    *,
    topic: Annotated[
        list[str] | None, typer.Option(help="Raw topic to read; default: all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print how live events differ from the contract, with a suggested patch."""
    asyncio.run(run(read_settings(KafkaSettings), topics=topic or (), as_json=as_json))
