"""Zoom's durations beside those of the events, in the database."""

import asyncio
import random
from typing import Any

import orjson
import pytest

from sinks.postgres.migrate import migrate
from tests.support.outcome_records import OUTCOMES, outcome_snapshot
from tests.support.postgres import owner, query
from tests.support.postgres_day import at, engagements, query_in_utc, store_events

DETAILS: dict[str, Any] = {
    "queue_wait_type": "live_waiting",
    "dispositions": [{"disposition_id": "D1", "disposition_name": "Solved"}],
    "notes": [{"note_id": "N1", "note": "call +15550100001 back", "user_id": "U1"}],
    "recordings": [{"recording_id": "R1", "duration_ms": 90_000}, {"recording_id": "R2"}],
    "survey": {"answered": True},
    "voicemails": 0,
}
DIFFERENCES = (
    "select duration, ours_ms, zoom_ms, difference_ms from zcc.engagement_duration_difference "
    "where engagement_id = 'E1' order by duration"
)


@pytest.fixture
async def dsn(database_dsn: str) -> str:
    await asyncio.to_thread(migrate, database_dsn)
    return database_dsn


async def store_outcomes(dsn: str, *outcomes: Any) -> None:
    async with owner(dsn, source=OUTCOMES) as writer:
        for each in outcomes:
            assert await writer.store([each]) == ()


def durations(**changed: int) -> dict[str, int]:
    """What the events of E1 give, in the words of an outcome, but for what is changed."""
    known = {"total_ms": 180_000, "waiting_ms": 11_000, "talking_ms": 134_000}
    return known | {"hold_ms": 30_000, "wrap_up_ms": 60_000} | changed


@pytest.mark.parametrize("seed", range(4))
async def test_a_view_shows_where_zoom_and_the_events_differ_whichever_came_first(
    dsn: str, seed: int
) -> None:
    same = outcome_snapshot({"durations": durations(total_ms=180_999)}, after_s=300)
    differs = outcome_snapshot(
        {"durations": durations(talking_ms=130_000, wrap_up_ms=61_000)}, after_s=400
    )
    steps = [
        lambda: store_events(dsn, engagements()),
        lambda: store_outcomes(dsn, same, differs),
        lambda: store_outcomes(dsn, differs, same),
    ]
    random.Random(seed).shuffle(steps)
    for step in steps:
        await step()
    assert await query(dsn, DIFFERENCES) == [
        {"duration": "talking", "ours_ms": 134_000, "zoom_ms": 130_000, "difference_ms": -4_000},
        {"duration": "wrap_up", "ours_ms": 60_000, "zoom_ms": 61_000, "difference_ms": 1_000},
    ]


async def test_durations_that_agree_to_the_second_are_no_difference(dsn: str) -> None:
    await store_events(dsn, engagements())
    await store_outcomes(dsn, outcome_snapshot({"durations": durations(total_ms=180_999)}))
    assert await query(dsn, DIFFERENCES) == []


async def test_what_the_events_do_not_give_is_a_difference_without_a_number(dsn: str) -> None:
    await store_events(dsn, engagements()[:1])
    await store_outcomes(dsn, outcome_snapshot({"durations": {"talking_ms": 7_000}}))
    assert await query(dsn, DIFFERENCES) == [
        {"duration": "talking", "ours_ms": None, "zoom_ms": 7_000, "difference_ms": None}
    ]


async def test_readers_see_the_outcome_of_each_engagement(dsn: str) -> None:
    await store_events(dsn, engagements())
    await store_outcomes(
        dsn,
        outcome_snapshot(
            {**DETAILS, "durations": durations()},
            status="partial",
            missing=[{"part": "timeline", "reason": "not_ready"}],
        ),
    )
    (row,) = await query_in_utc(dsn, "select * from zcc.engagement_report")
    known = {name: cell for name, cell in row.items() if not name.startswith("zoom")}
    assert known == {
        "account_id": "ACCOUNT",
        "engagement_id": "E1",
        "channel": "voice",
        "first_occurred_at": at(10),
        "ended_at": at(10, 3),
        "status": "partial",
        "missing": ["timeline: not_ready"],
        "queue_wait_type": "live_waiting",
        "dispositions": ["Solved"],
        "survey_answered": True,
        "voicemails": 0,
        "notes": 1,
        "recordings": 2,
        "recorded_ms": 90_000,
        "as_of": at(10),
    }
    assert (row["zoom_talking_ms"], row["zoom_hold_ms"]) == (134_000, 30_000)


async def test_an_outcome_without_events_is_neither_open_nor_counted(dsn: str) -> None:
    await store_outcomes(dsn, outcome_snapshot({"durations": durations()}))
    assert await query(dsn, "select 1 from zcc.open_engagement") == []
    assert await query(dsn, "select 1 from zcc.daily_volume('2020-01-01', '2100-01-01')") == []
    (row,) = await query(
        dsn,
        "select state, zoom_total_ms from zcc.engagement_summary s "
        "join zcc.engagement using (account_id, engagement_id, state)",
    )
    assert row == {"state": "unknown", "zoom_total_ms": 180_000}


async def test_a_document_that_jsonb_cannot_hold_as_it_is_is_stored_nevertheless(dsn: str) -> None:
    await store_outcomes(dsn, outcome_snapshot({"dispositions": [{"disposition_name": "a\0b"}]}))
    (row,) = await query(dsn, "select dispositions, outcome from zcc.engagement_outcome")
    assert row["dispositions"] == ["a�b"]
    assert orjson.dumps(row["outcome"]).count("�".encode()) == 1
