"""Rows that the database refuses among many that it takes, and what finding them costs."""

import pytest

from runtime.values import Delivery
from tests.support.enriched_records import START_MS, delivery, webhook
from tests.support.postgres import owner, query
from tests.support.postgres_proxy import proxied

COUNT = 5000


def events(count: int, start: int = 0) -> list[Delivery]:
    return [
        delivery(webhook("team_created", {"team_id": f"T{n}"}, at_ms=START_MS + n))
        for n in range(start, start + count)
    ]


@pytest.mark.parametrize("poisoned", [0, 3456, COUNT - 1])
async def test_one_poisoned_row_in_5000_costs_at_most_30_statements(
    dsn: str, poisoned: int
) -> None:
    await query(dsn, f"alter table zcc.raw_event add check (subject <> 'team/T{poisoned}')")
    good, some = events(COUNT, start=COUNT), events(COUNT)
    async with proxied(dsn) as (proxy, through), owner(through) as writer:
        assert not await writer.store(good)  # makes the partitions, prepares the statements
        begun = proxy.statements
        assert not await writer.store(events(COUNT, start=2 * COUNT))
        usual = proxy.statements - begun
        begun = proxy.statements
        (rejection,) = await writer.store(some)
        assert rejection.offset == writer.position + poisoned
        del some[poisoned]
        assert not await writer.store(some)
        extra = proxy.statements - begun - usual
    (stored,) = await query(dsn, "select count(*) from zcc.raw_event")
    assert stored["count"] == 3 * COUNT - 1
    assert 10 < extra <= 30, extra


async def test_rejected_rows_of_several_tables_are_found_one_table_after_the_other(
    dsn: str,
) -> None:
    await query(dsn, "alter table zcc.raw_event add check (subject <> 'team/T3')")
    await query(dsn, "alter table zcc.team add check (team_id not in ('T3', 'T4', 'T5'))")
    some = events(10)
    async with owner(dsn) as writer:
        rejected = [each.offset for each in await writer.store(some)]
        assert rejected == [3]
        rest = [each for n, each in enumerate(some) if n != 3]
        rejected = [each.offset for each in await writer.store(rest)]
        assert len(rejected) == 2
    assert await query(dsn, "select 1 from zcc.raw_event") == []


async def test_rows_refused_only_at_their_copy_are_found_too(dsn: str) -> None:
    some = [
        delivery(webhook("engagement_note_added", {"engagement_id": f"E{n}", "note_id": f"N{n}"}))
        for n in range(400)
    ]
    await query(dsn, "alter table zcc.engagement_timeline add check (engagement_id <> 'E77')")
    async with owner(dsn) as writer:
        (rejection,) = await writer.store(some)
        assert rejection.offset == 77


async def test_without_projections_events_are_stored_raw_only(dsn: str) -> None:
    some = [
        delivery(webhook("engagement_started", {"engagement_id": "E"}, at_ms=START_MS + n))
        for n in range(3)
    ]
    async with owner(dsn, projections=False) as writer:
        await writer.store(some)
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 3
    assert await query(dsn, "select 1 from zcc.engagement_timeline") == []
    assert await query(dsn, "select 1 from zcc.engagement") == []
