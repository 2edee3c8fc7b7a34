"""`zcc retention`: removes rows that are older than the settings allow."""

from typing import Annotated

import typer

from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.clock import SystemClock
from sinks.postgres.privacy.retention import ExpiredRows, apply_retention
from sinks.postgres.settings import PostgresSettings


def retention_command(
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the changes; without it, only print them.")
    ] = False,
) -> None:
    """Remove data older than ZCC_POSTGRES_RETENTION_*_DAYS; without --apply, only list it."""
    warn_of_unknown_settings()
    settings = read_settings(PostgresSettings)
    if not settings.retention_days:
        typer.echo("no retention is set, so nothing expires: see ZCC_POSTGRES_RETENTION_*_DAYS")
        return
    expired = apply_retention(settings.owner, settings.retention_days, SystemClock(), apply=apply)
    for each in expired:
        typer.echo(_line(each))
    done = "removed" if apply else "to be removed with --apply"
    typer.echo(
        f"{done}: {len(expired)} partitions and tables" if expired else "nothing has expired"
    )


def _line(expired: ExpiredRows) -> str:
    if expired.partition is None:
        return f"{expired.table}: {expired.rows} rows"
    return f"{expired.table}: partition {expired.partition}, about {expired.rows} rows"
