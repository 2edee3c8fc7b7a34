"""The tables of the database are those that the model declares."""

import asyncio
from importlib.resources import files

from sinks.postgres.migrate import migrate
from sinks.postgres.model.rows import tables
from sinks.postgres.model.tables import Column
from tests.support.postgres import query

COLUMNS = """
select c.relname as table_name, a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
       a.attnotnull as required, l.collname as "collation",
       col_description(c.oid, a.attnum) as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'zcc'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_collation l on l.oid = a.attcollation
where c.relkind in ('r', 'p') and not c.relispartition
"""
KEYS = """
select conrelid::regclass::text as table_name,
       (select array_agg(attname::text order by place)
        from unnest(conkey) with ordinality as key (number, place)
        join pg_attribute on attrelid = conrelid and attnum = number) as key
from pg_constraint where contype = 'p' and connamespace = 'zcc'::regnamespace
"""
TABLES = """
select relname as name, obj_description(oid) as comment, pg_get_partkeydef(oid) as partitioned,
       exists (select from pg_inherits join pg_class d on d.oid = inhrelid
               where inhparent = c.oid and d.relname = c.relname || '_default') as with_default
from pg_class c
where relnamespace = 'zcc'::regnamespace and relkind in ('r', 'p') and not relispartition
"""
TYPES = {"timestamptz": "timestamp with time zone"}


async def test_each_declared_column_is_there_with_its_type(dsn: str) -> None:
    actual = {(row["table_name"], row["name"]): row["type"] for row in await query(dsn, COLUMNS)}
    declared = {
        (table.name, column.name): TYPES.get(column.type, column.type)
        for table in tables
        for column in table.columns
    }
    assert {place: actual.get(place) for place in declared} == declared


async def test_nothing_but_declared_columns_must_be_given(dsn: str) -> None:
    """What the sink does not write is made by the database, or may be absent."""
    declared = {(table.name, column.name) for table in tables for column in table.columns}
    required = await query(
        dsn,
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'zcc' and is_nullable = 'NO' and column_default is null "
        "and is_generated = 'NEVER'",
    )
    names = {table.name for table in tables}
    places = {tuple(row.values()) for row in required if row["table_name"] in names}
    assert places <= declared


async def test_an_older_sink_may_leave_out_what_came_to_its_tables_later(
    database_dsn: str,
) -> None:
    columns = (
        "select table_name, column_name, is_nullable = 'YES' or column_default is not null "
        "or is_generated = 'ALWAYS' as optional "
        "from information_schema.columns where table_schema = 'zcc'"
    )
    first = files("sinks.postgres.migrations.versions") / "m0001_events.sql"
    await query(database_dsn, f"create schema zcc; {first.read_text()}")
    known = {tuple(row.values())[:2] for row in await query(database_dsn, columns)}
    await query(database_dsn, "drop schema zcc cascade")
    await asyncio.to_thread(migrate, database_dsn)
    later = [
        row
        for row in await query(database_dsn, columns)
        if row["table_name"] in {table for table, _ in known}
        and tuple(row.values())[:2] not in known
    ]
    assert later
    assert [row for row in later if not row["optional"]] == []


async def test_keys_are_the_declared_ones_and_their_texts_sort_by_bytes(dsn: str) -> None:
    primary_keys = {
        row["table_name"].removeprefix("zcc."): row["key"] for row in await query(dsn, KEYS)
    }
    assert {table.name: primary_keys[table.name] for table in tables} == {
        table.name: list(table.key) for table in tables
    }
    keys = {(table.name, name) for table in tables for name in table.key}
    collations = {
        row["collation"]
        for row in await query(dsn, COLUMNS)
        if row["type"] == "text" and (row["table_name"], row["name"]) in keys
    }
    assert collations == {"C"}


async def test_every_table_says_what_it_is_for(dsn: str) -> None:
    rows = await query(dsn, TABLES)
    assert [r["name"] for r in rows if not r["comment"] and r["name"] != "alembic_version"] == []


async def test_partitioned_are_the_tables_that_are_declared_so(dsn: str) -> None:
    rows = {row["name"]: row for row in await query(dsn, TABLES)}
    for table in tables:
        by = "RANGE (event_ts)" if table.partitioned else None
        assert rows[table.name]["partitioned"] == by, table.name
        assert rows[table.name]["with_default"] is table.partitioned, table.name
        assert "event_ts" in table.key or not table.partitioned, table.name


async def test_personal_columns_are_marked_in_the_database_as_in_the_declarations(
    dsn: str,
) -> None:
    names = {table.name for table in tables}
    marked = {
        (row["table_name"], row["name"]): row["comment"].split(";")[0]
        for row in await query(dsn, COLUMNS)
        if (row["comment"] or "").startswith("personal:") and row["table_name"] in names
    }
    assert marked == {
        (table.name, column.name): mark(column)
        for table in tables
        for column in table.columns
        if column.personal
    }


def mark(column: Column) -> str:
    return f"personal: {column.personal}"
