"""All rows of a database of the Postgres sink, and how those of two differ."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
import psycopg

from tests.support.postgres import query

moments = frozenset({"stored_at"})
"""Columns that say when a row was stored, which no two runs share. There is no other kind of
difference: a partition is stored in its order, so even the place of what came first is the same."""

Contents = Mapping[str, Counter[str]]
"""By table, how often it holds each row; a row is its columns as JSON."""


async def contents(dsn: str, *, without: frozenset[str] = moments) -> Contents:
    """All rows of all tables but the offsets, without some columns."""
    tables = await query(
        dsn,
        "select relname as name from pg_class where relnamespace = 'zcc'::regnamespace "
        "and relkind in ('r', 'p') and not relispartition "
        "and relname not in ('alembic_version', 'kafka_offset') order by relname",
    )
    return {row["name"]: await _rows(dsn, row["name"], without) for row in tables}


async def _rows(dsn: str, table: str, without: frozenset[str]) -> Counter[str]:
    columns = "{" + ",".join(without) + "}"
    async with (
        await psycopg.AsyncConnection.connect(dsn) as connection,
        connection.cursor() as all_,
    ):
        await all_.execute(f"select (to_jsonb(t) - '{columns}'::text[])::text from zcc.{table} t")
        return Counter([row async for (row,) in all_])


def differences(one: Contents, other: Contents, *, shown: int = 3) -> dict[str, Any]:
    """Tables that differ: how many rows only the one and only the other has, and some of them."""
    contents = {}
    for table in one.keys() | other.keys():
        ours, theirs = one.get(table, Counter()), other.get(table, Counter())
        if ours != theirs:
            sides = (ours - theirs, theirs - ours)
            contents[table] = [
                (side.total(), [orjson.loads(row) for row in sorted(side)[:shown]])
                for side in sides
            ]
    return contents
