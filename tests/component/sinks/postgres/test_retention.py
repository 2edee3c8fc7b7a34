"""What is older than it may be goes, and nothing else."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from runtime.errors import TransientError
from runtime.values import Delivery
from sinks.postgres.model.rows import tables
from sinks.postgres.privacy.retention import ExpiredRows, apply_retention
from sinks.postgres.privacy.retention_classes import classes
from tests.support.enriched_records import delivery, webhook
from tests.support.participants import Participants
from tests.support.postgres import owner, query, settings

ALL = {
    "retention_raw_days": 30,
    "retention_timeline_days": 30,
    "retention_conversation_days": 30,
    "retention_history_days": 30,
}


class ClockAt:
    """Stands still."""

    def __init__(self, *moment: int) -> None:
        self._moment = datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]  # as many as given

    def now(self) -> datetime:
        return self._moment

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, delay_s: float) -> None:
        raise AssertionError


def event(
    month: int, day: int, name: str = "engagement_started", year: int = 2024, **entity: Any
) -> Delivery:
    at_ms = int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000
    return delivery(webhook(name, {"engagement_id": "E1", **entity}, at_ms=at_ms))


async def removed(dsn: str, *now: int, apply: bool = True, **days: int | None) -> list[ExpiredRows]:
    return await asyncio.to_thread(
        apply_retention,
        dsn,
        settings(dsn, **(days or ALL)).retention_days,
        ClockAt(*now),
        apply=apply,
    )


async def counts(dsn: str) -> dict[str, int]:
    counted = {}
    for table in tables:
        (row,) = await query(dsn, f"select count(*) as rows from zcc.{table.name}")
        counted[table.name] = row["rows"]
    return {name: rows for name, rows in counted.items() if rows}


def test_each_table_belongs_to_one_class() -> None:
    named = [table for each in classes.values() for table in each]
    assert sorted(named) == sorted(table.name for table in tables)


async def test_without_settings_nothing_is_too_old(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store([event(1, 1)])
    assert await removed(dsn, 2030, 1, 1, retention_raw_days=None) == []
    assert await query(dsn, "select 1 as one from zcc.audit") == []


async def test_partitions_go_once_all_of_their_time_is_over(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store([event(1, 31), event(2, 1), event(3, 1)])
        removals = await removed(dsn, 2024, 3, 30, retention_raw_days=30)
        assert [(old.table, old.partition) for old in removals] == [
            ("raw_event", "raw_event_2024_01")
        ]
        assert await removed(dsn, 2024, 3, 30, retention_raw_days=30) == []
        await sink.store([event(1, 30), event(3, 2)])  # late, and in time
    rows = await query(dsn, "select event_ts::date::text as day from zcc.raw_event order by 1")
    assert [row["day"] for row in rows] == [
        "2024-01-30",
        "2024-02-01",
        "2024-03-01",
        "2024-03-02",
    ]
    assert (await counts(dsn))["engagement_timeline"] == 5


async def test_a_dry_run_says_what_would_go(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(Participants("ann", "+15550107001").deliveries())
        await sink.store([event(1, 1, year=1999)])
    before = await counts(dsn)
    would = await removed(dsn, 2026, 4, 1, apply=False)
    assert await counts(dsn) == before
    assert await query(dsn, "select 1 as one from zcc.audit") == []
    assert {(old.table, old.partition) for old in would} == {
        (old.table, old.partition) for old in await removed(dsn, 2026, 4, 1)
    }
    assert ("raw_event_default", None, 1) in would


async def test_all_that_has_been_goes_and_what_is_stays(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(Participants("ann", "+15550107001").deliveries())
        before = await counts(dsn)
        await removed(dsn, 2026, 4, 1)
        after = await counts(dsn)
        lasting = {"user_status_change": 1, "user_presence": 1}
        kept = {name: before[name] for name in classes["kept"] if name in before}
        assert after == kept | lasting
        assert {"consent", "app_user", "queue", "team", "asset"} <= after.keys()
        (stored,) = await query(dsn, "select next_offset from zcc.kafka_offset")
        assert stored == {"next_offset": sink.position}
    (audit,) = await query(dsn, "select * from zcc.audit")
    assert (audit["act"], audit["digest"]) == ("retention", None)
    assert audit["asked"] == {"raw": 30, "timeline": 30, "conversation": 30, "history": 30}
    assert audit["counts"]["engagement"] == before["engagement"]
    assert audit["finished_at"] is not None


async def test_nothing_goes_before_its_time(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store(Participants("ann", "+15550107001").deliveries())
    before = await counts(dsn)
    assert await removed(dsn, 2026, 2, 14, 9, retention_history_days=30) == []
    assert await counts(dsn) == before


async def test_what_belongs_to_a_living_engagement_stays_with_it(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store([event(1, 1, channel="voice"), event(3, 1, "engagement_ended")])
    await removed(dsn, 2024, 3, 20, retention_history_days=30)
    assert {"engagement", "engagement_channel"} <= (await counts(dsn)).keys()
    await removed(dsn, 2024, 4, 20, retention_history_days=30)
    assert not {"engagement", "engagement_channel"} & (await counts(dsn)).keys()


async def test_the_state_that_a_user_is_in_stays_however_old_it_is(dsn: str) -> None:
    def states(name: str, *days: tuple[int, int], **entity: Any) -> list[Delivery]:
        return [event(*day, name, engagement_id=None, user_id="U1", **entity) for day in days]

    async with owner(dsn) as sink:
        await sink.store(
            states("user_status_changed", (1, 1), (1, 5), (3, 1), current_status_id="s")
        )
        await sink.store(states("user_login", (1, 1), (1, 2)))
    await removed(dsn, 2024, 3, 20, retention_history_days=30)
    changes = await query(
        dsn, "select occurred_at::date::text as day from zcc.user_status_change order by 1"
    )
    assert [row["day"] for row in changes] == ["2024-01-05", "2024-03-01"]  # of which one lasted
    logins = await query(dsn, "select occurred_at::date::text as day from zcc.user_presence")
    assert [row["day"] for row in logins] == ["2024-01-02"]


async def test_a_call_back_stays_until_it_was_due(dsn: str) -> None:
    booking: dict[str, Any] = {
        "cc_queue_id": "Q1",
        "start_time": "2024-03-10T10:00:00Z",
        "attendees": [{"attendee_id": "A1", "first_name": "Ann"}],
    }
    async with owner(dsn) as sink:
        booked = event(1, 1, "queue_scheduled_callback_created", **booking)
        await sink.store([booked])
    await removed(dsn, 2024, 4, 9, retention_history_days=30)
    assert (await counts(dsn))["scheduled_callback"] == 1
    await removed(dsn, 2024, 4, 11, retention_history_days=30)
    assert "scheduled_callback" not in await counts(dsn)


async def test_a_table_that_is_read_all_the_while_is_left_for_later(dsn: str) -> None:
    async with owner(dsn) as sink:
        await sink.store([event(1, 1)])
    async with await psycopg.AsyncConnection.connect(dsn) as reader:
        await reader.execute("select 1 as one from zcc.raw_event")
        with pytest.raises(TransientError, match="locked by others"):
            await removed(dsn, 2024, 6, 1, retention_raw_days=30)
    (audit,) = await query(dsn, "select * from zcc.audit")
    assert audit["finished_at"] is None
    await removed(dsn, 2024, 6, 1, retention_raw_days=30)
    assert "raw_event" not in await counts(dsn)


async def test_the_sink_goes_on_while_what_is_old_is_removed(dsn: str) -> None:
    async with owner(dsn) as sink, asyncio.TaskGroup() as tasks:
        await sink.store([event(1, 1), event(2, 1)])
        removing = tasks.create_task(removed(dsn, 2024, 6, 1))
        stored = 0
        while not removing.done() or stored < 5:
            stored += 1
            await sink.store([event(6, 1, note_id=f"N{stored}"), event(7, 1, note_id=f"N{stored}")])
    rows = await query(dsn, "select event_ts::date::text as day from zcc.raw_event")
    assert sorted(row["day"] for row in rows) == ["2024-06-01"] * stored + ["2024-07-01"] * stored
