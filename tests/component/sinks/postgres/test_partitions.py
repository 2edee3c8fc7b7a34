"""Partitions by month or day, made ahead and on demand."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest
from prometheus_client import REGISTRY

from runtime.clock import SystemClock
from runtime.errors import TransientError
from runtime.values import Delivery, TopicPartition
from sinks.postgres.migrate import partition_by
from sinks.postgres.write.partitions import Partitions, Step, following
from tests.support.enriched_records import delivery, webhook
from tests.support.patience import until
from tests.support.postgres import owner, query
from tests.support.projections import event as event_named

TABLES = ("raw_event", "engagement_timeline")
OTHER = TopicPartition("zcc.enriched.user.v1", 0)


INSERT = """
insert into zcc.raw_event (event_id, event_ts, occurred_at, received_at, account_id, event, family,
    source_topic, source_partition, source_offset, revision, payload)
select md5(number::text), {moment}, {moment}, {moment}, 'A', 'e', 'f', 't', 0, number, 1, '{{}}'
from generate_series(1, {count}) as number
"""
ROWS_OUTSIDE = INSERT.format(moment="timestamptz '2024-03-15 12:00Z'", count=3)
MANY_ROWS = INSERT.format(moment="timestamptz '2024-03-16 12:00Z'", count=50_001)


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


async def is_stored_in(dsn: str, table: str, names: list[str]) -> bool:
    return await where_stored(dsn, table) == names


async def somebody_waits(dsn: str, table: str) -> bool:
    """For the lock of a table."""
    waiting = f"select 1 from pg_locks where not granted and relation = 'zcc.{table}'::regclass"
    return bool(await query(dsn, waiting))


async def until_empty(dsn: str, table: str) -> None:
    """Wait until no row is left, as long as they become fewer."""
    left: list[int] = []

    async def is_empty() -> bool:
        (row,) = await query(dsn, f"select count(*) from zcc.{table}")
        left[:] = [row["count"]]
        return left == [0]

    await until(is_empty, f"an empty {table}", progress=left.copy)


async def rows_outside_are(table: str, count: int) -> bool:
    shown = REGISTRY.get_sample_value("zcc_postgres_default_partition_rows", {"table": table})
    return shown == count


def spread(count: int) -> list[Delivery]:
    """One event of each of so many days, up to today."""
    today = SystemClock().now().replace(hour=0, minute=0)
    days = [today - timedelta(days=number) for number in range(count)]
    return [event(day.year, day.month, day.day) for day in days]


async def test_this_month_and_the_next_ones_are_made_ahead(dsn: str) -> None:
    async with owner(dsn, partitions_ahead=3) as writer:
        await writer.store([])
    this_month = SystemClock().now().date().replace(day=1)
    ahead = {f"{month:%Y_%m}" for month in following(this_month, "month", ahead=3)}
    assert await partitions(dsn) == {"default", *ahead}
    assert await partitions(dsn, "engagement_timeline") == {"default", *ahead}


async def test_a_late_event_lands_in_its_own_month_and_nonsense_in_the_default(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store([event(2024, 2), event(2024, 2), event(1970), event(9999, 12)])
    for table in ("raw_event", "engagement_timeline"):
        assert await where_stored(dsn, table) == ["2024_02", "default", "default"]


async def test_a_locked_table_holds_up_no_batch_and_its_rows_move_later(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as reader:
        await reader.execute("select 1 from zcc.raw_event_default")
        async with owner(dsn) as writer:
            await writer.store([event(2024, 3)])
            assert await where_stored(dsn, "raw_event") == ["default"]
    async with owner(dsn):  # which has nothing to write
        for table in ("raw_event", "engagement_timeline"):
            await until(partial(is_stored_in, dsn, table, ["2024_03"]), "the row's move")


async def test_making_a_month_twice_is_no_error(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        for _ in range(2):
            await Partitions(SystemClock(), ahead=0).make(connection, [])
    assert len(await partitions(dsn)) == 2


async def test_a_database_may_have_partitions_by_day(dsn: str) -> None:
    await asyncio.to_thread(partition_by, dsn, "day")
    async with owner(dsn, partitions_ahead=1) as writer:
        await writer.store([event(2024, 2, 28), event(2024, 2, 29)])
    today = SystemClock().now().date()
    ahead = {f"{day:%Y_%m_%d}" for day in following(today, "day", ahead=1)}
    assert await partitions(dsn) == {"default", "2024_02_28", "2024_02_29", *ahead}
    assert await where_stored(dsn, "raw_event") == ["2024_02_28", "2024_02_29"]


async def test_after_a_change_of_length_the_partitions_that_are_there_stay(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store([event(2024, 2)])
    await asyncio.to_thread(partition_by, dsn, "day")
    async with owner(dsn, partitions_ahead=0) as writer:
        await writer.store([event(2024, 2, 3), event(2024, 3, 1)])
    await asyncio.to_thread(partition_by, dsn, "month")
    async with owner(dsn, partitions_ahead=0) as writer:
        await writer.store([event(2024, 3, 2), event(2024, 4, 1)])
    assert await where_stored(dsn, "raw_event") == [
        "2024_02",
        "2024_02",
        "2024_03_01",
        "2024_03_02",
        "2024_04",
    ]


async def test_rows_that_no_partition_takes_are_counted(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store([event(1970)])
    async with owner(dsn):
        await until(partial(rows_outside_are, "raw_event", 1), "a figure of 1")


@pytest.mark.parametrize(
    ("step", "days"),
    [
        ("month", 2_000),
        pytest.param("day", 400, marks=pytest.mark.long),
    ],
)
async def test_a_batch_over_many_days_is_stored_in_bounded_steps_and_nobody_waits(
    dsn: str, step: Step, days: int
) -> None:
    """Each statement is short, whatever the number of partitions."""
    await asyncio.to_thread(partition_by, dsn, step)
    limits = {"partitions_ahead": 0, "statement_timeout_s": 5.0}
    async with owner(dsn, **limits) as writer, owner(dsn, source=OTHER, **limits) as other:
        assert await writer.store(spread(days)) == ()
        assert await other.store([event_named("user_login", user_id="U1")]) == ()
        assert await query(dsn, "select count(*) from zcc.raw_event") == [{"count": days + 1}]
        for table in TABLES:
            await until_empty(dsn, f"{table}_default")
            await until(partial(rows_outside_are, table, 0), "a figure of 0")
    made = await query(
        dsn, "select count(*) from pg_inherits where inhparent = 'zcc.raw_event'::regclass"
    )
    assert made[0]["count"] >= (days if step == "day" else days / 31)


async def test_rows_are_seen_by_everybody_while_they_move(dsn: str) -> None:
    """Steps: rows wait in the default partition, they move, somebody reads in that moment."""
    async with await psycopg.AsyncConnection.connect(dsn) as maker:
        await query(dsn, ROWS_OUTSIDE)
        await maker.execute("select zcc.ensure_partition('raw_event', '2024-03-15', 10)")
        reading = asyncio.create_task(query(dsn, "select count(*) from zcc.raw_event"))
        await until(partial(somebody_waits, dsn, "raw_event"), "who waits for the lock")
        await maker.commit()
        assert await reading == [{"count": 3}]
    assert await where_stored(dsn, "raw_event") == ["2024_03"] * 3


async def test_partitions_of_the_past_are_bounded_in_number(dsn: str) -> None:
    await query(dsn, ROWS_OUTSIDE)  # in the one partition that there is
    ensured = (
        "select first_day is null as refused from zcc.ensure_partition('raw_event', {}, 10, 1)"
    )
    assert await query(dsn, ensured.format("'2024-03-15'")) == [{"refused": True}]
    assert await query(dsn, ensured.format("current_date")) == [{"refused": False}]
    assert await where_stored(dsn, "raw_event") == ["default"] * 3


async def test_a_month_of_very_many_rows_is_divided_into_days(dsn: str) -> None:
    await query(dsn, ROWS_OUTSIDE)
    await query(dsn, MANY_ROWS)
    ensured = "select first_day::text as first from zcc.ensure_partition('raw_event', '{}', {})"
    assert await query(dsn, ensured.format("2024-03-15", 2)) == [{"first": None}]
    assert await query(dsn, ensured.format("2024-03-15", 3)) == [{"first": "2024-03-15"}]
    assert await query(dsn, ensured.format("2024-03-16", 3)) == [{"first": None}]
    async with owner(dsn):
        await until_empty(dsn, "raw_event_default")
    assert set(await where_stored(dsn, "raw_event")) == {"2024_03_15", "2024_03_16"}


async def test_a_row_whose_partition_is_made_on_its_way_is_tried_again(dsn: str) -> None:
    async with owner(dsn) as writer, await psycopg.AsyncConnection.connect(dsn) as maker:
        await writer.store([])
        await maker.execute("select zcc.ensure_partition('raw_event', '2024-03-15', 0)")
        storing = asyncio.create_task(writer.store([event(2024, 3)]))
        await until(partial(somebody_waits, dsn, "raw_event_default"), "who waits for the lock")
        await maker.commit()
        with pytest.raises(TransientError, match="23514"):
            await storing
        assert await writer.store([event(2024, 3)]) == ()
    assert await where_stored(dsn, "raw_event") == ["2024_03"]
