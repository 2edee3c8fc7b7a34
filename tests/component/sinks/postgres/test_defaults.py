"""What operators set on a database changes nothing of what is stored."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from runtime.errors import TransientError
from runtime.values import Delivery
from sinks.postgres.connection import command_connection
from tests.support.enriched_records import delivery, webhook
from tests.support.postgres import Owner, owner, query

STATEMENTS = (
    "create publication cdc for all tables",
    "alter database {name} set default_transaction_isolation = 'serializable'",
    "alter database {name} set default_transaction_isolation = 'repeatable read'",
    "alter database {name} set timezone = 'America/St_Johns'",
    "alter database {name} set datestyle = 'SQL, DMY'",
    "alter database {name} set bytea_output = 'escape'",
    "alter database {name} set intervalstyle = 'sql_standard'",
    "alter database {name} set search_path = 'nowhere'",
)
"""Each stays while the next ones are set."""

END_SESSIONS = (
    "select pg_terminate_backend(pid) from pg_stat_activity "
    "where application_name like 'zcc sink postgres%' and datname = current_database()"
)


def event(month: int) -> Delivery:
    """In the last minutes of a month, as UTC has it."""
    at_ms = int(datetime(2024, month, 28, 23, 50, tzinfo=UTC).timestamp()) * 1000
    entity = {"engagement_id": f"E{month}", "consumer_display_name": "Zoë \\ 'x'"}
    return delivery(webhook("engagement_started", entity, at_ms=at_ms))


async def store(writer: Owner, record: Delivery) -> None:
    """As the runtime does it: again after an error of the world."""
    for _ in range(3):
        try:
            assert await writer.store([record]) == ()
        except TransientError:
            continue
        return
    raise AssertionError("not stored")


async def test_settings_of_a_database_change_nothing_of_what_is_stored(dsn: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    async with owner(dsn) as writer:
        for month, statement in enumerate(STATEMENTS, start=1):
            await query(dsn, statement.format(name=name))
            await query(dsn, END_SESSIONS)
            await store(writer, event(month))
    rows: list[dict[str, Any]] = await query(
        dsn,
        "select tableoid::regclass::text as partition, extract(epoch from event_ts)::bigint as at, "
        "payload #>> '{payload,object,consumer_display_name}' as name "
        "from zcc.raw_event order by event_ts",
    )
    assert [row["partition"] for row in rows] == [
        f"zcc.raw_event_2024_{month:02}" for month in range(1, len(STATEMENTS) + 1)
    ]
    assert {row["name"] for row in rows} == {"Zoë \\ 'x'"}
    assert [row["at"] for row in rows] == [
        int(datetime(2024, month, 28, 23, 50, tzinfo=UTC).timestamp())
        for month in range(1, len(STATEMENTS) + 1)
    ]


async def test_commands_read_times_whatever_style_a_database_has(dsn: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    for style in ("datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'"):
        await query(dsn, f"alter database {name} set {style}")
    with command_connection(dsn, "zcc test") as connection:
        row = connection.execute(
            "select timestamptz '2024-01-31 23:50Z', interval '1 day 2 hours'"
        ).fetchone()
    assert row == (datetime(2024, 1, 31, 23, 50, tzinfo=UTC), timedelta(days=1, hours=2))


async def test_a_database_that_takes_no_writes_for_a_while_is_waited_for(dsn: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    async with owner(dsn) as writer:
        await query(dsn, f"alter database {name} set default_transaction_read_only = on")
        await query(dsn, END_SESSIONS)
        for _ in range(2):  # a session that has ended, then one that may not write
            try:
                await writer.store([event(1)])
            except TransientError:
                continue
            raise AssertionError("stored")
        await query(dsn, f"begin read write; alter database {name} reset all; commit")
        await query(dsn, END_SESSIONS)
        await store(writer, event(1))
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 1
