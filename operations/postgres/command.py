"""`zcc migrate`, `retention`, `erase`, `offsets`: what the person on call does to Postgres."""

import secrets
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from operations.postgres.person_file import Named, read_person
from operations.settings.loading import read_settings
from operations.settings.unknown import warn_of_unknown_settings
from runtime.clock import SystemClock
from runtime.errors import ConfigurationError
from runtime.settings import KafkaSettings

if TYPE_CHECKING:  # at run time, a command loads the driver when it starts
    from sinks.postgres.privacy.erasure import Erased
    from sinks.postgres.privacy.person_search import ErasureRequest
    from sinks.postgres.privacy.retention import ExpiredRows
    from sinks.postgres.settings import PostgresSettings

_out_of_reach: Final = (
    "Not reached: the topics in Kafka, objects, dead letters, backups, and what others have read. "
    "What the topics still hold comes back if it is read anew: run this again then."
)

offsets_app = typer.Typer(help="Where sinks go on reading.", no_args_is_help=True)

Store = Annotated[Literal["postgres"], typer.Argument(help="The sink that keeps its own.")]
Apply = Annotated[bool, typer.Option("--apply", help="Do it; else say what would be done.")]


def migrate_command(
    *,
    phase: Annotated[
        Literal["pre", "post", "all"],
        typer.Option(help="pre: before new sinks start; post: once no older one runs."),
    ] = "pre",
    partition_by: Annotated[
        Literal["month", "day"] | None,
        typer.Option(help="How long partitions are that are made from now on."),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL, change nothing.")] = False,
    since: Annotated[
        str | None, typer.Option(help="With --sql: the database's revision; else it is empty.")
    ] = None,
) -> None:
    """Bring the tables in Postgres up to date; an empty database gets all steps."""
    from sinks.postgres import migrate

    warn_of_unknown_settings()
    phases: tuple[migrate.Phase, ...] = ("pre", "post") if phase == "all" else (phase,)
    if sql:
        typer.echo(migrate.migration_sql(since=since, phases=phases))
        return
    dsn = _settings().owner
    typer.echo(migrate.migrate(dsn, phases=phases))
    if partition_by is not None:
        migrate.partition_by(dsn, partition_by)


def retention_command(*, apply: Apply = False) -> None:
    """Remove what is older than ZCC_POSTGRES_RETENTION_*_DAYS; without --apply, only list it."""
    from sinks.postgres.privacy.retention import apply_retention

    warn_of_unknown_settings()
    settings = _settings()
    if not settings.retention_days:
        typer.echo("no retention is set, so nothing is removed: see ZCC_POSTGRES_RETENTION_*_DAYS")
        return
    found = apply_retention(settings.owner, settings.retention_days, SystemClock(), apply=apply)
    for old in found:
        typer.echo(_old_line(old))
    done = "removed" if apply else "to be removed with --apply"
    typer.echo(f"{done}: {len(found)} partitions and tables" if found else "nothing is too old")


def erase_command(
    *,
    person: Annotated[
        typer.FileText,
        typer.Argument(
            help="File with lines `consumer-number: …`, `consumer-id: …`, `email: …` of a "
            "consumer, or one `user: …` (id or e-mail address); - reads standard input."
        ),
    ],
    apply: Apply = False,
) -> None:
    """Erase one person from all tables; without --apply, only count the rows."""
    from sinks.postgres.privacy.erasure import erase

    settings = _settings()
    found = erase(
        settings.owner,
        _asked(settings, read_person(person)),
        key=settings.key,
        token=lambda: f"erased-{secrets.token_hex(8)}",
        apply=apply,
    )
    _print_erased(found, applied=apply)


@offsets_app.command("show")
def offsets_show(store: Store) -> None:
    """Print where the sink goes on reading each partition."""
    from sinks.postgres.write.offsets import stored_offsets

    group = _group(store)
    for stored in stored_offsets(_settings().owner, group):
        typer.echo(
            f"{stored.topic}/{stored.partition}  next {stored.next_offset}  epoch {stored.epoch}  "
            f"{stored.updated_at:%Y-%m-%dT%H:%M:%SZ}  cluster {stored.cluster_id}  "
            f"topic id {stored.topic_id or 'not known'}"
        )


@offsets_app.command("reset")
def offsets_reset(
    store: Store, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Forget the offsets in Postgres: its sinks, stopped now, then read all that topics hold."""
    from sinks.postgres.write.offsets import reset_offsets

    group, settings = _group(store), _settings()
    if not yes:
        typer.confirm(f"Forget all offsets of {group}? Its sinks must be stopped.", abort=True)
    count = reset_offsets(settings.owner, group)
    typer.echo(f"forgot the offsets of {count} partitions of {group}")


def _settings() -> "PostgresSettings":
    from sinks.postgres.settings import PostgresSettings

    return read_settings(PostgresSettings)


def _group(store: str) -> str:
    return f"{read_settings(KafkaSettings).topic_prefix}.{store}"


def _asked(settings: "PostgresSettings", named: Named) -> "ErasureRequest":
    from sinks.postgres.privacy.erasure import users_of_email
    from sinks.postgres.privacy.person_search import ErasureRequest

    if not named["user"]:
        kinds = (named[name] for name in ("consumer-id", "consumer-number", "email"))
        return ErasureRequest("consumer", *map(tuple, kinds))
    (user,) = named["user"]
    if "@" not in user:
        return ErasureRequest("user", (user,))
    ids = users_of_email(settings.owner, user)
    if not ids:
        raise ConfigurationError("user: nobody has this e-mail address; try the id")
    return ErasureRequest("user", ids)


def _old_line(old: "ExpiredRows") -> str:
    if old.partition is None:
        return f"{old.table}: {old.rows} rows"
    return f"{old.table}: partition {old.partition}, about {old.rows} rows"


def _print_erased(found: "Erased", *, applied: bool) -> None:
    for table, count in found.rows.items():
        typer.echo(f"{table}: {count} rows")
    total = sum(found.rows.values())
    done = "erased from" if applied else "to be erased with --apply from"
    typer.echo(
        f"{done} {total} rows; {found.values} values tell who it is, "
        f"{found.engagements} engagements belong to it"
    )
    typer.echo(_out_of_reach)
