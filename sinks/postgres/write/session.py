"""Opens the connections of the sink: for batches, with staging tables, and for upkeep."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import InvalidSchemaName, UndefinedTable

from runtime.errors import ConfigurationError
from sinks.postgres.model.rows import tables
from sinks.postgres.model.tables import schema
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.write.statements import adapt

required_revision: Final = "0009"
"""The lowest revision of the tables that this sink can write to; newer ones work as well."""

sink_name: Final = "zcc sink postgres"
upkeep_name: Final = "zcc sink postgres upkeep"

_no_answer_s: Final = 10
"""A network that drops packets is abandoned after this time; the system's own limit is hours."""

_limit: Final = """
select set_config('synchronous_commit', %(synchronous_commit)s, %(local)s),
       set_config('statement_timeout', %(statement_timeout)s, %(local)s),
       set_config('idle_in_transaction_session_timeout', %(write_timeout)s, %(local)s)
"""


async def connect(settings: PostgresSettings) -> AsyncConnection:
    """Open a connection, with staging tables in a session of its own; the caller closes it.

    Raises:
        psycopg.Error: of the server or the network.
        ConfigurationError: the tables are missing, or older than this sink.
    """
    connection = await connect_plain(settings, name=sink_name)
    try:
        await _prepare(connection, settings)
    except BaseException:
        await connection.close()
        raise
    return connection


async def connect_plain(settings: PostgresSettings, *, name: str) -> AsyncConnection:
    """Open a connection of this name without session state; the caller closes it.

    Raises:
        psycopg.Error: of the server or the network.
    """
    connection = await AsyncConnection.connect(
        settings.dsn.get_secret_value(),
        connect_timeout=settings.connect_timeout_s,
        application_name=name,
        keepalives_idle=_no_answer_s,
        tcp_user_timeout=_no_answer_s * 1000,
    )
    if settings.transaction_pooling:
        connection.prepare_threshold = None
    return connection


async def _prepare(connection: AsyncConnection, settings: PostgresSettings) -> None:
    adapt(connection)
    await _check_revision(connection)
    if not settings.transaction_pooling:
        connection.prepare_threshold = 1
        await limited(connection, settings, local=False)
        await connection.execute("; ".join(table.staging_sql() for table in tables).encode())
    await connection.commit()


async def limited(connection: AsyncConnection, settings: PostgresSettings, *, local: bool) -> None:
    """Set the limits of a session, or with ``local`` those of the present transaction."""
    await connection.execute(
        _limit,
        {
            "synchronous_commit": settings.synchronous_commit,
            "statement_timeout": f"{settings.statement_timeout_s:f}s",
            "write_timeout": f"{settings.write_timeout_s:f}s",
            "local": local,
        },
    )


async def _check_revision(connection: AsyncConnection) -> None:
    try:
        cursor = await connection.execute(f"select version_num from {schema}.alembic_version")  # noqa: S608 - a constant
        row = await cursor.fetchone()
    except (UndefinedTable, InvalidSchemaName):
        row = None
    if row is None or row[0] < required_revision:
        raise ConfigurationError(
            f"the tables of the database are {f'at revision {row[0]}' if row else 'missing'}, this "
            f"sink needs revision {required_revision}: run `zcc migrate`"
        )
