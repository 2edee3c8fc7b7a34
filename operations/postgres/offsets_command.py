"""`zcc offsets show` and `reset`: the offsets that the Postgres sink stores with its rows."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from operations.settings.loading import read_settings
from runtime.settings import KafkaSettings
from sinks.postgres.component import component
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.write.offsets import reset_offsets, stored_offsets

offsets_app = typer.Typer(help="Offsets from which sinks resume.", no_args_is_help=True)

if TYPE_CHECKING:  # the choice follows from the component, which types cannot read
    _Name = str
else:
    _Name = Literal[component.name]

Store = Annotated[_Name, typer.Argument(help="Sink that stores its own offsets.")]


@offsets_app.command("show")
def offsets_show(store: Store) -> None:
    """Print where the sink continues reading each partition."""
    for stored in stored_offsets(read_settings(PostgresSettings).owner, _group(store)):
        typer.echo(
            f"{stored.topic}/{stored.partition}  next {stored.next_offset}  epoch {stored.epoch}  "
            f"{stored.updated_at:%Y-%m-%dT%H:%M:%SZ}  cluster {stored.cluster_id}  "
            f"topic id {stored.topic_id or 'not known'}"
        )


@offsets_app.command("reset")
def offsets_reset(
    store: Store,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete the offsets in Postgres: its sinks, stopped now, will read all topics again."""
    group, settings = _group(store), read_settings(PostgresSettings)
    if not yes:
        typer.confirm(f"Delete all offsets of {group}? Its sinks must be stopped.", abort=True)
    count = reset_offsets(settings.owner, group)
    typer.echo(f"deleted the offsets of {count} partitions of {group}")


def _group(store: str) -> str:
    return f"{read_settings(KafkaSettings).topic_prefix}.{store}"
