"""`zcc migrate`: brings the tables in Postgres up to date."""

from typing import Annotated, Literal

import typer

from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from sinks.postgres import migrate
from sinks.postgres.settings import PostgresSettings


def migrate_command(
    *,
    phase: Annotated[
        Literal["pre", "post", "all"],
        typer.Option(
            help="pre: before new sinks start; post: after the last old sink has stopped."
        ),
    ] = "pre",
    partition_by: Annotated[
        Literal["month", "day"] | None,
        typer.Option(help="Length of partitions created from now on."),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, change nothing.")] = False,
    since: Annotated[
        str | None,
        typer.Option(help="With --sql: the revision of the database; default: an empty one."),
    ] = None,
) -> None:
    """Bring the tables in Postgres up to date; an empty database gets all steps."""
    warn_of_unknown_settings()
    phases: tuple[migrate.Phase, ...] = ("pre", "post") if phase == "all" else (phase,)
    if sql:
        typer.echo(migrate.migration_sql(since=since, phases=phases))
        return
    dsn = read_settings(PostgresSettings).owner
    typer.echo(migrate.migrate(dsn, phases=phases))
    if partition_by is not None:
        migrate.partition_by(dsn, partition_by)
