"""Versions of the sink and of the tables: each sink runs on the tables before and after its own."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from runtime.errors import ConfigurationError, TransientError
from sinks.postgres.migrate import current_revision, migrate, migration_sql
from sinks.postgres.write.session import required_revision
from tests.support.enriched_records import SOURCE, voice_call
from tests.support.postgres import GROUP, owner, query
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


TAKEN_OVER_BEFORE = f"""
insert into zcc.kafka_offset as stored
    (consumer_group, topic, partition, cluster_id, epoch, next_offset)
values ('{GROUP}', '{SOURCE.topic}', {SOURCE.partition}, 'cluster', 1, 0)
on conflict (consumer_group, topic, partition)
do update set epoch = stored.epoch + 1, updated_at = clock_timestamp()
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


async def test_this_sink_runs_before_the_post_steps_and_after_them(database_dsn: str) -> None:
    await at_revision(database_dsn, "0006")
    assert await migrated(database_dsn) == required_revision
    async with owner(database_dsn) as sink:
        assert await sink.store(voice_call()) == ()
        assert await migrated(database_dsn, "post") > required_revision
        assert await sink.store(voice_call(engagement_id="E2")) == ()
    rows = await query(database_dsn, "select engagement_id from zcc.engagement order by 1")
    assert [row["engagement_id"] for row in rows] == ["E1", "E2"]


async def test_sinks_of_the_version_before_and_of_this_one_take_turns(database_dsn: str) -> None:
    """The version before knows no topic ids, and makes its partitions all at once."""
    await at_revision(database_dsn, "0006")
    assert await migrated(database_dsn) == required_revision
    await query(database_dsn, TAKEN_OVER_BEFORE)
    await query(
        database_dsn,
        "select zcc.make_partition(parent, day) "
        "from unnest(array['raw_event', 'engagement_timeline']) parent, "
        "unnest(array['2026-03-01', '2026-03-02']::date[]) day order by parent, day",
    )
    async with owner(database_dsn) as sink:
        await sink.take_over(topic_id="first")
        assert await sink.store(voice_call()) == ()
        await query(database_dsn, TAKEN_OVER_BEFORE)
        await sink.take_over(topic_id="first")
        assert sink.position == len(voice_call())
    rows = await query(database_dsn, "select distinct tableoid::regclass::text from zcc.raw_event")
    assert rows == [{"tableoid": "zcc.raw_event_2026_03"}]
    stored = await query(database_dsn, "select epoch, topic_id from zcc.kafka_offset")
    assert stored == [{"epoch": 5, "topic_id": "first"}]


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
    assert await asyncio.to_thread(current_revision, database_dsn) == required_revision
    await query(database_dsn, migration_sql(since=required_revision, phases=("post",)))
    revision = await asyncio.to_thread(current_revision, database_dsn)
    assert revision is not None
    assert revision > required_revision


async def test_a_locked_table_ends_a_migration_after_a_moment(database_dsn: str) -> None:
    await at_revision(database_dsn, "0001")
    async with await psycopg.AsyncConnection.connect(database_dsn) as reader:
        await reader.execute("select from zcc.engagement")
        with pytest.raises(TransientError, match="55P03"):
            await migrated(database_dsn)
    assert await asyncio.to_thread(current_revision, database_dsn) == "0001"
