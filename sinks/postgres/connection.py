"""Opens the connections of commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg import Connection
from psycopg.rows import RowFactory, tuple_row

from sinks.postgres.errors import errors_by_fault

_command_timeout_s: Final = 5

_readable_times: Final = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres"
"""The driver reads times in no other style, even if a role or a database sets one."""


@contextmanager
def command_connection(
    dsn: str,
    name: str,
    *,
    lock_timeout: str = "0",
    row_factory: RowFactory[Any] = tuple_row,
) -> Iterator[Connection[Any]]:
    """Yield a connection for the command of this name, and commit at its end; its times are UTC.

    Raises:
        TransientError: Postgres does not answer, or a lock did not become free in time.
        ConfigurationError: the login or its rights do not suffice.
    """
    with (
        errors_by_fault(),
        Connection.connect(
            dsn,
            connect_timeout=_command_timeout_s,
            application_name=name,
            options=f"{_readable_times} -c lock_timeout={lock_timeout}",
            row_factory=row_factory,
        ) as connection,
    ):
        yield connection
