"""The reference page of the tables says what a real database has."""

import asyncio

from operations.reference_docs.table_page import read_reports, read_tables, read_views
from sinks.postgres.migrate import migrate, migration_sql
from tests.support.postgres import query

COLUMNS = (
    "select class.relname as relation, class.relkind::text as kind, attname as name, "
    "format_type(atttypid, null) as type, col_description(class.oid, attnum) as comment, "
    "obj_description(class.oid) as about "
    "from pg_class as class join pg_attribute on attrelid = class.oid "
    "where relnamespace = 'zcc'::regnamespace and relkind in ('r', 'p', 'v') "
    "and not relispartition and attnum > 0 and not attisdropped "
    "and relname <> 'alembic_version' order by class.relname, attnum"
)
REPORTS = (
    "select proname as name, pg_get_function_arguments(oid) as arguments, "
    "obj_description(oid) as comment from pg_proc "
    "where pronamespace = 'zcc'::regnamespace and proretset order by proname"
)
TYPES = {"timestamp with time zone": "timestamptz"}


async def test_tables_views_and_reports_of_the_page_are_those_of_the_database(
    database_dsn: str,
) -> None:
    await asyncio.to_thread(migrate, database_dsn)
    sql = migration_sql()
    columns: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for row in await query(database_dsn, COLUMNS):
        kind = "view" if row["kind"] == "v" else "table"
        type_ = "" if kind == "view" else TYPES.get(row["type"], row["type"])
        rows = columns.setdefault((kind, row["relation"]), [("", "", row["about"])])
        rows.append((row["name"], type_, row["comment"] or ""))
    read = {
        (kind, relation.name): [("", "", relation.comment), *map(tuple, relation.columns)]
        for kind, relations in (("table", read_tables(sql)), ("view", read_views(sql)))
        for relation in relations
    }
    assert read.keys() == columns.keys()
    for key, rows in columns.items():
        assert read[key] == rows, key
    for (kind, relation), rows in columns.items():
        uncommented = [name for name, _, comment in rows if not comment]
        assert kind == "table" or not uncommented, relation

    reports = await query(database_dsn, REPORTS)
    assert [report.name for report in read_reports(sql)] == [row["name"] for row in reports]
    for report, row in zip(read_reports(sql), reports, strict=True):
        assert report.comment == row["comment"]
        names = [argument.split()[0] for argument in report.arguments.split(", ")]
        assert names == [argument.split()[0] for argument in row["arguments"].split(", ")]
