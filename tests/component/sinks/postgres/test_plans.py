"""How Postgres answers the queries of docs/how-to/ask-postgres.md where the tables are large."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest

from sinks.postgres.migrate import migrate
from tests.support.postgres import query
from tests.support.postgres_page import QUERIES

ENGAGEMENTS = 60_000
LARGE = 10_000  # rows: a table with more is not to be read as a whole
EVENTS = (
    "contact_center.engagement_started",
    "contact_center.task_entered_queue",
    "contact_center.engagement_user_answered",
    "contact_center.engagement_ended",
)
REPORTS = (
    "zcc.queue_performance_today where account_id = 'ACCOUNT'",
    "zcc.agent_state_time_today where account_id = 'ACCOUNT'",
    "zcc.agent_state_time_today where account_id = 'ACCOUNT' and user_id = 'U7'",
    "zcc.daily_volume_of_31_days where account_id = 'ACCOUNT'",
    "zcc.engagement_summary where account_id = 'ACCOUNT' and engagement_id = 'E7000'",
    "zcc.user_session where account_id = 'ACCOUNT' and user_id = 'U7'",
)

# Four events each of the engagements of half a year, 100 users, 10 queues.
MOMENT = "timestamptz '2026-01-01 00:00Z' + number * interval '250 seconds'"
FILL: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "engagement": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {
            "engagement_id": "'E' || number",
            "channel": "'voice'",
            "direction": "'inbound'",
            "phase": "'connected'",
            "cc_queue_id": "'Q' || number % 10",
            "last_user_id": "'U' || number % 100",
            "consumer_number": "'+1' || number",
            "first_occurred_at": MOMENT,
            "last_occurred_at": MOMENT,
            "last_event_id": "'X'",
            "ended_at": f"case when number % 1000 <> 0 then {MOMENT} + interval '2 minutes' end",
        },
    ),
    "engagement_timeline": (
        (
            f"generate_series(1, {ENGAGEMENTS}) as number, "
            f"unnest(array{list(EVENTS)}) with ordinality as events (event, place)"
        ),
        {
            "engagement_id": "'E' || number",
            "occurred_at": f"{MOMENT} + place * interval '10 seconds'",
            "event_ts": f"{MOMENT} + place * interval '10 seconds'",
            "event_id": "number || '-' || place",
            "event": "event",
            "family": "'engagement'",
            "user_id": "'U' || number % 100",
            "revision": "1",
        },
    ),
    "task": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {"task_id": "'T' || number", "engagement_id": "'E' || number", "completed_at": MOMENT},
    ),
    "task_reservation": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {
            "task_reservation_id": "'R' || number",
            "task_id": "'T' || number",
            "assigned_user_id": "'U' || number % 100",
            "accepted_at": f"{MOMENT} + interval '7 seconds'",
        },
    ),
    "task_queue_move": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {
            "task_id": "'T' || number",
            "engagement_id": "'E' || number",
            "cc_queue_id": "'Q' || number % 10",
            "occurred_at": MOMENT,
            "event_ts": MOMENT,
            "event_id": "'M' || number",
            "move": "'entered'",
            "revision": "1",
        },
    ),
    "user_status_change": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {
            "user_id": "'U' || number % 100",
            "occurred_at": MOMENT,
            "event_ts": MOMENT,
            "event_id": "'S' || number",
            "status_id": "(number % 4)::text",
            "revision": "1",
        },
    ),
    "user_presence": (
        f"generate_series(1, {ENGAGEMENTS}) as number",
        {
            "user_id": "'U' || number % 100",
            "occurred_at": MOMENT,
            "event_ts": MOMENT,
            "event_id": "'P' || number",
            "presence": "case number / 100 % 2 when 0 then 'login' else 'logout' end",
            "revision": "1",
        },
    ),
    "app_user": ("generate_series(0, 99) as number", {"user_id": "'U' || number"}),
    "queue": ("generate_series(0, 9) as number", {"cc_queue_id": "'Q' || number"}),
}


async def fill(connection: psycopg.AsyncConnection) -> None:
    await connection.execute("set synchronous_commit = off")
    await connection.execute(
        "select zcc.ensure_partition('engagement_timeline', month::date, 0) from "
        "generate_series(timestamp '2026-01-01', '2026-07-01', '1 month') as month"
    )
    for table, (source, cells) in FILL.items():
        cursor = await connection.execute(
            "select column_name from information_schema.columns where table_schema = 'zcc' and "
            f"table_name = '{table}' and column_name like '%stamp' and is_nullable = 'NO'"
        )
        values = {"account_id": "'ACCOUNT'", **cells}
        values |= {column: "''" for (column,) in await cursor.fetchall()}
        statement = (
            f"insert into zcc.{table} ({', '.join(values)}) "
            f"select {', '.join(values.values())} from {source}"
        )
        await connection.execute(statement.encode())
        await connection.execute(f"analyze zcc.{table}".encode())


@pytest.fixture
async def large_dsn(database_dsn: str) -> str:
    migrate(database_dsn)
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        await fill(connection)
    return database_dsn


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def executed(dsn: str, statement: str) -> list[Mapping[str, Any]]:
    """The nodes of the plan of a statement, with what each of them read."""
    (row,) = await query(dsn, f"explain (analyze, format json) {statement}")
    return list(nodes(row["QUERY PLAN"][0]["Plan"]))


def rows_read(node: Mapping[str, Any]) -> float:
    """All rows that a node looked at."""
    read: float = node["Actual Rows"]
    read += sum(node[name] for name in node if name.startswith("Rows Removed by"))
    return read * node["Actual Loops"]


async def test_queries_read_what_they_ask_for_and_not_whole_tables(large_dsn: str) -> None:
    relations = await query(
        large_dsn,
        "select relname, reltuples from pg_class where relnamespace = 'zcc'::regnamespace",
    )
    sizes = {row["relname"]: row["reltuples"] for row in relations if row["reltuples"] > LARGE}
    assert sizes.keys() > {"engagement", "task", "task_queue_move", "user_status_change"}
    for statement in (*(each for each, _ in QUERIES), *(f"select * from {r}" for r in REPORTS)):
        plan = await executed(large_dsn, statement)
        assert any("Index Cond" in node for node in plan), statement
        for node in plan:
            table = node.get("Relation Name", "")
            if table in sizes:
                assert node["Node Type"] != "Seq Scan", statement
                assert rows_read(node) < sizes[table] / 10, (statement, node["Node Type"], table)

    # The moments of one day are found in its partition and the neighbouring ones.
    plan = await executed(large_dsn, QUERIES[0][0])
    timeline = [
        node for node in plan if node.get("Relation Name", "").startswith("engagement_timeline")
    ]
    read = {node["Relation Name"] for node in timeline if node["Actual Loops"]}
    assert read == {"engagement_timeline_2026_02", "engagement_timeline_2026_03"}
    # What needs names and times alone does not look at the timeline at all.
    for view in ("zcc.daily_volume_of_31_days", "zcc.open_engagement"):
        plan = await executed(large_dsn, f"select * from {view} where account_id = 'ACCOUNT'")
        assert not any("timeline" in node.get("Relation Name", "") for node in plan)
