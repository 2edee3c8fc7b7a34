"""Opens connections that are ready to take batches."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import InvalidSchemaName, UndefinedTable

from runtime.errors import ConfigurationError
from sinks.postgres.rows import tables
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.tables import schema

required_revision: Final = "0005"
"""The least revision of the tables that this sink can write to; a newer one does as well."""

_application_name: Final = "zcc sink postgres"
_no_answer_s: Final = 10
"""A network that swallows packets is given up after this; the system's own limit is hours."""

_configure: Final = """
select set_config('synchronous_commit', %s, false),
       set_config('statement_timeout', %s, false),
       set_config('idle_in_transaction_session_timeout', %s, false),
       set_config('timezone', 'UTC', false)
"""


async def connect(settings: PostgresSettings) -> AsyncConnection:
    """Open a connection with the staging tables; the caller closes it.

    Raises:
        psycopg.Error: as the server or the network gives it.
        ConfigurationError: the tables are missing, or older than this sink.
    """
    connection = await AsyncConnection.connect(
        settings.dsn.get_secret_value(),
        connect_timeout=settings.connect_timeout_s,
        application_name=_application_name,
        keepalives_idle=_no_answer_s,
        tcp_user_timeout=_no_answer_s * 1000,
    )
    try:
        await _prepare(connection, settings)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _prepare(connection: AsyncConnection, settings: PostgresSettings) -> None:
    limits = (settings.statement_timeout_s, settings.write_timeout_s)
    await connection.execute(
        _configure, (settings.synchronous_commit, *(f"{seconds:f}s" for seconds in limits))
    )
    await _check_revision(connection)
    for table in tables:
        await connection.execute(table.staging_sql())
    await connection.commit()


async def _check_revision(connection: AsyncConnection) -> None:
    try:
        found = await connection.execute(f"select version_num from {schema}.alembic_version")  # noqa: S608 - a constant
        row = await found.fetchone()
    except (UndefinedTable, InvalidSchemaName):
        row = None
    if row is None or row[0] < required_revision:
        raise ConfigurationError(
            f"the tables of the database are {f'at revision {row[0]}' if row else 'missing'}, this "
            f"sink needs revision {required_revision}: run `zcc migrate`"
        )
