"""Migrations: applied once, by the process that comes first; printed as the SQL that they are."""

import asyncio
import sys

import psycopg
import pytest
from psycopg import sql

from runtime.clock import SystemClock
from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.migrate import current_revision, migrate, migration_sql
from sinks.postgres.model.rows import tables
from sinks.postgres.sink import PostgresSink
from sinks.postgres.write.session import required_revision
from tests.support.postgres import query, settings

COLUMNS = (
    "select table_name, column_name, data_type, is_nullable, column_default, collation_name, "
    "is_generated from information_schema.columns where table_schema = 'zcc' "
    "order by table_name, ordinal_position"
)


async def test_several_at_once_migrate_an_empty_database_once(database_dsn: str) -> None:
    assert await asyncio.to_thread(current_revision, database_dsn) is None
    code = "import sys; from sinks.postgres.migrate import migrate; print(migrate(sys.argv[1]))"
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, database_dsn, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    last = await asyncio.to_thread(current_revision, database_dsn)
    assert last is not None
    assert last >= required_revision
    assert [output for output, _ in outputs] == [f"{last}\n".encode()] * 3


async def test_the_printed_sql_makes_the_same_tables(database_dsn: str) -> None:
    await query(database_dsn, migration_sql())
    printed = await query(database_dsn, COLUMNS)
    await query(database_dsn, "drop schema zcc cascade")
    await asyncio.to_thread(migrate, database_dsn)
    assert await query(database_dsn, COLUMNS) == printed
    assert {row["table_name"] for row in printed} > {table.name for table in tables}


async def test_the_tables_have_the_columns_that_the_sink_writes(database_dsn: str) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    types = {"timestamptz": "timestamp with time zone", "text[]": "ARRAY"}
    existing = {
        (row["table_name"], row["column_name"], row["data_type"])
        for row in await query(database_dsn, COLUMNS)
    }
    written = {
        (table.name, column.name, types.get(column.type, column.type))
        for table in tables
        for column in table.columns
    }
    assert written <= existing


@pytest.mark.parametrize(
    ("prepare", "state"),
    [
        ("select", "missing"),
        ("create schema zcc", "missing"),
        (
            "create schema zcc; create table zcc.alembic_version as select '0000' version_num",
            "at revision 0000",
        ),
    ],
)
async def test_a_sink_refuses_tables_that_are_missing_or_old(
    database_dsn: str, prepare: str, state: str
) -> None:
    await query(database_dsn, prepare)
    with pytest.raises(ConfigurationError, match=f"are {state}, .* run `zcc migrate`"):
        async with PostgresSink(settings(database_dsn), SystemClock()):
            pass


async def test_a_sink_works_on_tables_of_a_later_revision(database_dsn: str) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    await query(database_dsn, "update zcc.alembic_version set version_num = '9999'")
    async with PostgresSink(settings(database_dsn), SystemClock()):
        pass


async def test_a_migration_without_rights_is_the_operators_fault(database_dsn: str) -> None:
    wrong = psycopg.conninfo.make_conninfo(database_dsn, user="nobody_of_that_name")
    with pytest.raises(ConfigurationError, match="nobody_of_that_name"):
        await asyncio.to_thread(migrate, wrong)
    role = sql.Identifier(f"r{database_dsn[-12:]}")
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as admin:
        await admin.execute(sql.SQL("create role {} login").format(role))
        try:
            poor = psycopg.conninfo.make_conninfo(database_dsn, user=f"r{database_dsn[-12:]}")
            with pytest.raises(ConfigurationError, match="42501"):
                await asyncio.to_thread(migrate, poor)
        finally:
            await admin.execute(sql.SQL("drop role {}").format(role))


async def test_a_server_that_is_not_there_is_a_transient_error(database_dsn: str) -> None:
    nowhere = psycopg.conninfo.make_conninfo(database_dsn, host="127.0.0.1", port=1)
    with pytest.raises(TransientError):
        await asyncio.to_thread(migrate, nowhere)
