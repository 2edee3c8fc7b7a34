"""Partitions by month or day, made ahead and on demand."""

import asyncio
from datetime import UTC, datetime

import psycopg

from runtime import exposition
from runtime.clock import SystemClock
from runtime.values import Delivery
from sinks.postgres.migrate import partition_by
from sinks.postgres.partitions import Partitions, following
from tests.component.postgres_rig import owner, query
from tests.enriched import delivery, webhook


def event(year: int, month: int = 1, day: int = 15) -> Delivery:
    at_ms = int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
    return delivery(webhook("engagement_started", {"engagement_id": "E1"}, at_ms=at_ms))


async def partitions(dsn: str, parent: str = "raw_event") -> set[str]:
    rows = await query(
        dsn, f"select relid::text as name from pg_partition_tree('zcc.{parent}') where isleaf"
    )
    return {row["name"].removeprefix(f"zcc.{parent}_") for row in rows}


async def where_stored(dsn: str, table: str) -> list[str]:
    rows = await query(dsn, f"select tableoid::regclass::text as name from zcc.{table}")
    return sorted(row["name"].removeprefix(f"zcc.{table}_") for row in rows)


async def test_this_month_and_the_next_ones_are_made_ahead(dsn: str) -> None:
    async with owner(dsn, partitions_ahead=3) as found:
        await found.store([])
    this_month = SystemClock().now().date().replace(day=1)
    ahead = {f"{month:%Y_%m}" for month in following(this_month, "month", ahead=3)}
    assert await partitions(dsn) == {"default", *ahead}
    assert await partitions(dsn, "engagement_timeline") == {"default", *ahead}


async def test_a_late_event_lands_in_its_own_month_and_nonsense_in_the_default(dsn: str) -> None:
    async with owner(dsn) as found:
        await found.store([event(2024, 2), event(2024, 2), event(1970), event(9999, 12)])
    for table in ("raw_event", "engagement_timeline"):
        assert await where_stored(dsn, table) == ["2024_02", "default", "default"]


async def test_a_locked_table_holds_up_no_batch_and_its_rows_move_later(dsn: str) -> None:
    async with owner(dsn) as found:
        await found.store([])
        async with await psycopg.AsyncConnection.connect(dsn) as reader:
            await reader.execute("select 1 from zcc.raw_event_default")
            await found.store([event(2024, 3)])
            assert await where_stored(dsn, "raw_event") == ["default"]
        await found.store([event(2024, 3)])
        assert await where_stored(dsn, "raw_event") == ["default"]  # it does not try at once
    async with owner(dsn) as patient:
        await patient.store([event(2024, 3), event(2024, 4)])
    for table in ("raw_event", "engagement_timeline"):
        assert await where_stored(dsn, table) == ["2024_03", "2024_04"]


async def test_making_a_month_twice_is_no_error(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        for _ in range(2):
            await Partitions(SystemClock(), ahead=0).make(connection, [])
    assert len(await partitions(dsn)) == 2


async def test_a_database_may_have_partitions_by_day(dsn: str) -> None:
    await asyncio.to_thread(partition_by, dsn, "day")
    async with owner(dsn, partitions_ahead=1) as found:
        await found.store([event(2024, 2, 28), event(2024, 2, 29)])
    today = SystemClock().now().date()
    ahead = {f"{day:%Y_%m_%d}" for day in following(today, "day", ahead=1)}
    assert await partitions(dsn) == {"default", "2024_02_28", "2024_02_29", *ahead}
    assert await where_stored(dsn, "raw_event") == ["2024_02_28", "2024_02_29"]


async def test_after_a_change_of_length_the_partitions_that_are_there_stay(dsn: str) -> None:
    async with owner(dsn) as found:
        await found.store([event(2024, 2)])
    await asyncio.to_thread(partition_by, dsn, "day")
    async with owner(dsn, partitions_ahead=0) as found:
        await found.store([event(2024, 2, 3), event(2024, 3, 1)])
    await asyncio.to_thread(partition_by, dsn, "month")
    async with owner(dsn, partitions_ahead=0) as found:
        await found.store([event(2024, 3, 2), event(2024, 4, 1)])
    assert await where_stored(dsn, "raw_event") == [
        "2024_02",
        "2024_02",
        "2024_03_01",
        "2024_03_02",
        "2024_04",
    ]


async def test_rows_that_no_partition_takes_are_counted(dsn: str) -> None:
    async with owner(dsn) as found:
        await found.store([event(1970)])
    async with owner(dsn) as found:
        await found.store([])
    shown = exposition.exposition()
    assert 'zcc_postgres_default_partition_rows{table="raw_event"} 1.0' in shown.decode()
