"""Brings the tables up to date, with Alembic set up in code: no file needs to lie anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from io import StringIO
from typing import Final

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from sinks.postgres.errors import errors_by_fault
from sinks.postgres.tables import schema

_connect_timeout_s: Final = 5


def migrate(dsn: str) -> str:
    """Apply all migrations that are missing, in one transaction; return the revision.

    May be called by several processes at once; one of them does it. ``dsn`` is a libpq URL.

    Raises:
        TransientError: Postgres does not answer, or a table stays locked for 4 s.
        ConfigurationError: the login or its rights do not suffice.
    """
    with _connection(dsn) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _revision(connection) or ""


def migration_sql() -> str:
    """Return the statements of all migrations, for an empty database."""
    written = StringIO()
    command.upgrade(_config(written), "head", sql=True)
    return written.getvalue()


def current_revision(dsn: str) -> str | None:
    """Return the revision of a database, or None where `migrate` was never run.

    Raises:
        TransientError: Postgres does not answer.
        ConfigurationError: the login or its rights do not suffice.
    """
    with _connection(dsn) as connection:
        return _revision(connection)


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
        creator=lambda: psycopg.connect(
            dsn, connect_timeout=_connect_timeout_s, application_name="zcc migrate"
        ),
        poolclass=NullPool,
        execution_options={"no_parameters": True},  # several statements in one string
    )
    with errors_by_fault():
        try:
            with engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from error
            raise


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": schema})
    return context.get_current_revision()
