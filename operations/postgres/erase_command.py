"""`zcc erase`: erases one person from all tables."""

import secrets
from typing import Annotated, Final

import typer

from operations.postgres.person_file import Named, read_person
from operations.settings.loading import read_settings
from runtime.errors import ConfigurationError
from sinks.postgres.privacy.erasure import Erased, erase, users_of_email
from sinks.postgres.privacy.person_search import ErasureRequest
from sinks.postgres.settings import PostgresSettings

_out_of_reach: Final = (
    "Not erased: topics in Kafka, objects, dead letters, backups, and copies of other readers. "
    "Data in the topics comes back when they are read again: repeat this command then."
)


def erase_command(
    *,
    person: Annotated[
        typer.FileText,
        typer.Argument(
            help="File with lines `consumer-number: …`, `consumer-id: …`, `email: …` of a "
            "consumer, or one `user: …` (id or e-mail address); - reads standard input."
        ),
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Make the changes; without it, only print them.")
    ] = False,
) -> None:
    """Erase one person from all tables; without --apply, only count the rows."""
    settings = read_settings(PostgresSettings)
    erased = erase(
        settings.owner,
        _request(settings, read_person(person)),
        key=settings.key,
        token=lambda: f"erased-{secrets.token_hex(8)}",
        apply=apply,
    )
    _print_erased(erased, applied=apply)


def _request(settings: PostgresSettings, named: Named) -> ErasureRequest:
    if not named["user"]:
        kinds = (named[name] for name in ("consumer-id", "consumer-number", "email"))
        return ErasureRequest("consumer", *map(tuple, kinds))
    (user,) = named["user"]
    if "@" not in user:
        return ErasureRequest("user", (user,))
    ids = users_of_email(settings.owner, user)
    if not ids:
        raise ConfigurationError("user: no user has this e-mail address; try the id")
    return ErasureRequest("user", ids)


def _print_erased(erased: Erased, *, applied: bool) -> None:
    for table, count in erased.rows.items():
        typer.echo(f"{table}: {count} rows")
    total = sum(erased.rows.values())
    done = "erased from" if applied else "to be erased with --apply from"
    typer.echo(
        f"{done} {total} rows; {erased.values} values identify the person, "
        f"{erased.engagements} engagements belong to the person"
    )
    typer.echo(_out_of_reach)
