"""Migrates the tables, with Alembic configured in code, without a configuration file.

A revision is a pre step, which the sinks of the previous version tolerate, or a post step (its
module says so), which removes what only they needed. So a rollout is: pre steps, new sinks, post
steps. The chain is one line: the pre steps of the next version follow the post steps of this one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from io import StringIO
from itertools import takewhile
from typing import Final, Literal, NamedTuple

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import Diagnostic
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from runtime.errors import ConfigurationError
from sinks.postgres.connection import command_connection
from sinks.postgres.errors import errors_by_fault
from sinks.postgres.model.tables import schema
from sinks.postgres.write.partitions import Step

Phase = Literal["pre", "post"]

_connect_timeout_s: Final = 5

log = structlog.get_logger()


class Revision(NamedTuple):
    """One step of the chain."""

    name: str
    phase: Phase


def migrate(dsn: str, *, phases: Sequence[Phase] = ("pre",)) -> str:
    """Apply the missing migrations of these phases, in one transaction.

    An empty database gets all of them, because no older sink writes to it. Several processes may
    call it at once; one of them migrates. ``dsn`` is a libpq URL.

    Returns:
        The revision of the database.

    Raises:
        TransientError: Postgres does not answer, or a table stays locked for 4 s.
        ConfigurationError: the login or its rights do not suffice, or steps of another phase come
            first.
    """
    with _connection(dsn) as connection:
        config = _config()
        config.attributes["connection"] = connection
        target = last_step(_revisions(config), _revision(connection), phases)
        connection.rollback()
        command.upgrade(config, target)
        return _revision(connection) or ""


def migration_sql(*, since: str | None = None, phases: Sequence[Phase] = ("pre",)) -> str:
    """Return the statements that `migrate` applies to a database of a revision, or an empty one.

    Raises:
        ConfigurationError: there is no such revision, or steps of another phase come first.
    """
    written = StringIO()
    config = _config(written)
    target = last_step(_revisions(config), since, phases)
    command.upgrade(config, f"{since}:{target}" if since else target, sql=True)
    return written.getvalue()


def partition_by(dsn: str, step: Step) -> None:
    """Set the length of future partitions; sinks read it when they start.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with command_connection(dsn, "zcc migrate") as connection:
        connection.execute("update zcc.partitioning set step = %s", (step,))


def current_revision(dsn: str) -> str | None:
    """Return the revision of a database, or None where `migrate` has never run.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with _connection(dsn) as connection:
        return _revision(connection)


def last_step(chain: Sequence[Revision], present: str | None, phases: Sequence[Phase]) -> str:
    """Return the target revision of a database with a present revision.

    Raises:
        ConfigurationError: the present revision is not in the chain, or missing steps of the other
            phase precede the requested ones.
    """
    if present is None:
        return chain[-1].name
    names = [revision.name for revision in chain]
    if present not in names:
        raise ConfigurationError(
            f"the tables are at revision {present}, which this version does not know: "
            f"its last one is {names[-1]}"
        )
    missing = chain[names.index(present) + 1 :]
    steps = list(takewhile(lambda revision: revision.phase in phases, missing))
    if not steps and any(revision.phase in phases for revision in missing):
        other = missing[0].phase
        raise ConfigurationError(
            f"revision {missing[0].name} comes first: run `zcc migrate --phase {other}`"
            + (", once no sink older than it is running" if other == "post" else "")
        )
    return steps[-1].name if steps else present


def _revisions(config: Config) -> list[Revision]:
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    chain = [Revision(each.revision, getattr(each.module, "phase", "pre")) for each in scripts]
    return chain[::-1]


def _config(output: StringIO | None = None) -> Config:
    config = Config(output_buffer=output or StringIO())
    folder = str(files("sinks.postgres") / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connection(dsn: str) -> Iterator[Connection]:
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: _connect(dsn),
        poolclass=NullPool,
        execution_options={"no_parameters": True},  # a string holds several statements
    )
    with errors_by_fault():
        try:
            with engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from error
            raise


def _connect(dsn: str) -> psycopg.Connection:
    connection = psycopg.connect(
        dsn, connect_timeout=_connect_timeout_s, application_name="zcc migrate"
    )
    connection.add_notice_handler(_pass_on)
    return connection


def _pass_on(notice: Diagnostic) -> None:
    """Log a migration's warnings; the server's many notices say nothing."""
    if notice.severity_nonlocalized == "WARNING":
        log.warning("postgres warns", warning=notice.message_primary)


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()
