"""Versions of the sink and of the tables: each sink runs on the tables before and after its own."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.migrate import current_revision, migrate, migration_sql
from sinks.postgres.model.families.engagement import engagement, zoom
from sinks.postgres.write.session import required_revision
from tests.support.enriched_records import voice_call
from tests.support.outcome_records import OUTCOMES, outcome_snapshot
from tests.support.postgres import owner, query
from tests.support.postgres_first_sink import FirstSink

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
EVENT: dict[str, dict[str, Any]] = {
    "raw_event": {
        "event_id": "a" * 64,
        "event_ts": AT,
        "occurred_at": AT,
        "received_at": AT,
        "account_id": "ACCOUNT",
        "event": "contact_center.engagement_started",
        "family": "engagement",
        "source_topic": "topic",
        "source_partition": 0,
        "source_offset": 0,
        "revision": 1,
        "payload": "{}",
    },
    "engagement_timeline": {
        "account_id": "ACCOUNT",
        "engagement_id": "E1",
        "occurred_at": AT,
        "event_id": "a" * 64,
        "event_ts": AT,
        "event": "contact_center.engagement_started",
        "family": "engagement",
        "revision": 1,
    },
    "engagement": {
        "account_id": "ACCOUNT",
        "engagement_id": "E1",
        "phase": "started",
        "last_event_id": "a" * 64,
        "last_occurred_at": AT,
        "first_occurred_at": AT,
        **{
            f"{register}_stamp": b""
            for register in (
                "direction",
                "channel",
                "channel_source",
                "started",
                "first_flow",
                "last_flow",
                "queue",
                "last_user",
                "consumer_id",
                "consumer_number",
                "consumer_display_name",
                "campaign",
            )
        },
        "phase_stamp": b"1",
        "last_event_stamp": b"1",
    },
}


BEFORE = "0008"
"""Where a deployment of the version before is, after its post steps."""

REGISTERS = [register.stamp.name for register in engagement.registers if register is not zoom]
ENGAGEMENT_BEFORE = f"""
insert into zcc.engagement as stored (
    account_id, engagement_id, phase, first_occurred_at, last_occurred_at, last_event_id,
    {", ".join(REGISTERS)}
) values (
    'ACCOUNT', 'E0', 'started', '{AT}', '{AT}', '{"a" * 64}', {", ".join(["'1'"] * len(REGISTERS))}
)
on conflict (account_id, engagement_id) do update
set phase = excluded.phase,
    first_occurred_at = least(stored.first_occurred_at, excluded.first_occurred_at),
    last_occurred_at = excluded.last_occurred_at
"""


async def migrated(dsn: str, *phases: Any) -> str:
    return await asyncio.to_thread(migrate, dsn, phases=phases or ("pre",))


async def at_revision(dsn: str, revision: str) -> None:
    """Bring an empty database to where a deployment of that revision was."""
    steps, later, _ = migration_sql().partition(f"-- Running upgrade {revision} ->")
    assert later
    await query(dsn, f"{steps} commit")


async def test_the_first_sink_runs_on_all_pre_steps(database_dsn: str) -> None:
    await at_revision(database_dsn, "0001")
    assert await asyncio.to_thread(current_revision, database_dsn) == "0001"
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        sink = FirstSink(connection)
        await sink.start()
        rows = {table: [row] for table, row in EVENT.items()}
        assert set((await sink.store(rows, month="2026-03-01")).values()) == {1}
        assert await migrated(database_dsn) == "0005"
        assert set((await sink.store(rows, month="2026-03-01")).values()) == {0}
        later = {
            table: [{**row, "engagement_id": "E2"} if "engagement_id" in row else row]
            for table, row in EVENT.items()
        }
        later["raw_event"] = [{**EVENT["raw_event"], "event_id": "b" * 64}]
        assert set((await sink.store(later, month="2026-04-01")).values()) == {1}
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        again = FirstSink(connection)
        await again.start()
        assert again.position == 3


async def test_this_sink_runs_on_the_pre_steps_of_its_version(database_dsn: str) -> None:
    await at_revision(database_dsn, BEFORE)
    await query(database_dsn, ENGAGEMENT_BEFORE)
    assert await migrated(database_dsn) == required_revision
    async with owner(database_dsn) as sink:
        assert await sink.store(voice_call()) == ()
    async with owner(database_dsn, source=OUTCOMES) as sink:
        assert await sink.store([outcome_snapshot({"durations": {"hold_ms": 5}})]) == ()
    rows = await query(database_dsn, "select engagement_id, zoom_hold_ms from zcc.engagement")
    assert {row["engagement_id"]: row["zoom_hold_ms"] for row in rows} == {"E0": None, "E1": 5}


async def test_sinks_of_the_version_before_and_of_this_one_take_turns(database_dsn: str) -> None:
    """The version before knows no outcomes."""
    await at_revision(database_dsn, BEFORE)
    assert await migrated(database_dsn) == required_revision
    async with owner(database_dsn, source=OUTCOMES) as sink:
        outcome = outcome_snapshot({"durations": {"hold_ms": 5}}, engagement_id="E0")
        assert await sink.store([outcome]) == ()
        await query(database_dsn, ENGAGEMENT_BEFORE)
        later = outcome_snapshot({"durations": {"hold_ms": 6}}, engagement_id="E0", after_s=1)
        assert await sink.store([later]) == ()
    rows = await query(
        database_dsn, "select engagement_id, phase, zoom_hold_ms from zcc.engagement"
    )
    assert rows == [{"engagement_id": "E0", "phase": "started", "zoom_hold_ms": 6}]


async def test_an_empty_database_gets_all_steps(database_dsn: str) -> None:
    assert await migrated(database_dsn) == await migrated(database_dsn, "pre", "post")


async def test_post_steps_do_not_overtake_pre_steps(database_dsn: str) -> None:
    await at_revision(database_dsn, "0001")
    with pytest.raises(ConfigurationError, match="run `zcc migrate --phase pre`"):
        await migrated(database_dsn, "post")
    assert await asyncio.to_thread(current_revision, database_dsn) == "0001"


async def test_a_database_of_a_later_version_is_left_alone(database_dsn: str) -> None:
    await migrated(database_dsn)
    await query(database_dsn, "update zcc.alembic_version set version_num = '9999'")
    with pytest.raises(ConfigurationError, match="revision 9999, which this version does not know"):
        await migrated(database_dsn)


async def test_the_printed_sql_goes_on_from_a_revision(database_dsn: str) -> None:
    await at_revision(database_dsn, "0006")
    await query(database_dsn, migration_sql(since="0006"))
    await query(database_dsn, migration_sql(since="0007", phases=("post",)))
    assert await asyncio.to_thread(current_revision, database_dsn) == BEFORE
    await query(database_dsn, migration_sql(since=BEFORE))
    assert await asyncio.to_thread(current_revision, database_dsn) == required_revision


async def test_a_locked_table_ends_a_migration_after_a_moment(database_dsn: str) -> None:
    await at_revision(database_dsn, "0001")
    async with await psycopg.AsyncConnection.connect(database_dsn) as reader:
        await reader.execute("select from zcc.engagement")
        with pytest.raises(TransientError, match="55P03"):
            await migrated(database_dsn)
    assert await asyncio.to_thread(current_revision, database_dsn) == "0001"
