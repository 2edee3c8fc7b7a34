"""The queries of docs/how-to/ask-postgres.md, run as they stand there, against figures by hand.

The events go through the real sink, in several orders.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from runtime.clock import SystemClock
from tests.support.enriched_records import delivery, webhook
from tests.support.outcome_records import OUTCOMES, outcome_snapshot
from tests.support.postgres import owner, query
from tests.support.postgres_day import (
    ALEX,
    BILLING,
    SALES,
    SAM,
    VOICE,
    agent_states,
    at,
    engagements,
    events_of,
    query_in_utc,
    status_changed,
    store_events,
    store_references,
)
from tests.support.postgres_page import QUERIES
from tests.support.projections import event

EXPECTED: Sequence[Sequence[tuple[Any, ...]]] = (
    (  # engagements with names and durations
        # E1 waits :05 to :16; is connected 0:16 to 3:00 = 164 s, of which 1:00 to 1:30 on hold;
        # wrap-ups 2:00 to 2:20 and 3:00 to 3:40; lasts 0:00 to 3:00
        ("E1", "voice", "Billing", "Sam", 11_000, 134_000, 30_000, 60_000, 180_000),
        # E2 waits 0:02 to 0:47 and E3 0:01 to 0:04, both from 0:00 on
        ("E2", "voice", "Sales", None, 45_000, None, None, None, 47_000),
        ("E3", "voice", "Sales", None, 3_000, None, None, None, 4_000),
        # E4 waits 29:55 to 30:40, then is answered until 45:00 = 14 min 20 s; began at 29:50
        ("E4", "messaging", "Billing", "Sam", 45_000, 860_000, 0, None, 910_000),
        # E5: the consumer answers at 50:20, 60 s before the end; began at 50:00
        ("E5", "voice", "Sales", "Alex", None, 60_000, 0, None, 80_000),
        ("E6", "voice", "Sales", None, None, None, None, None, None),
    ),
    (("E1", "ended", at(10), at(10, 0, 16), at(10, 3)),),  # an engagement by its number
    (("E6", "voice", "queued", "Sales", at(10, 58)),),  # open engagements
    (  # queue performance
        # Sales from 10:00: E1 to E4. E1 is accepted after 10 s of 15; E2 and E3 give up, E3 within
        # 5 s; E4 moves on after 20 s. Service level: E1 of E1 and E2. Longest: E2, 45 s.
        (at(10), "Sales", 4, 1, 1, 2, 1, 1, 0, 50.0, 10_000, 45_000),
        # Billing from 10:30: E4, accepted 30:15 to 30:40, later than the 20 s taken for unknown
        (at(10, 30), "Billing", 1, 1, 0, 0, 0, 0, 0, 0.0, 25_000, 25_000),
        (at(10, 30), "Sales", 1, 0, 0, 0, 0, 0, 1, None, None, None),
    ),
    (("E4", "Billing", at(10, 30, 15), "answered", 25_000, 20),),  # offers to Billing
    (  # agent state time until 10:45
        # Alex: ready from 9:50, occupied 10:05 to 10:20, on a break since: 5 + 15 + 10 min
        (at(10), "Alex", "Ready", None, 300_000),
        (at(10), "Alex", "Not Ready", "Break", 600_000),
        (at(10), "Alex", "Occupied", None, 900_000),
        # Sam: ready from 8:00, offline since 10:10, deleted at 10:40: 10 + 20, then 10 min
        (at(10), "Sam", "Offline", None, 1_200_000),
        (at(10), "Sam", "Ready", None, 600_000),
        (at(10, 30), "Alex", "Not Ready", "Break", 900_000),
        (at(10, 30), "Sam", "Offline", None, 600_000),
    ),
    (  # daily volumes: (180 + 47 + 4 + 80) s / 4 calls that ended; E7 lasts 0:30 to 5:30
        (date(2026, 3, 1), "messaging", 1, 1, 0, 1, 910_000),
        (date(2026, 3, 1), "voice", 5, 4, 1, 4, 77_750),
        (date(2026, 3, 2), "messaging", 1, 1, 0, 1, 300_000),
    ),
    (  # Zoom says 130 s of talk and 61 s of wrap-up of E1, and the same as the events otherwise
        ("E1", "talking", 134_000, 130_000, -4_000),
        ("E1", "wrap_up", 60_000, 61_000, 1_000),
    ),
)


def shown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as psql would print them, without frames."""
    lines = [list(rows[0]), *([cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numeric = [all(number(row[name]) for row in rows) for name in rows[0]]
    return "".join(
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)


def number(value: object) -> bool:
    return value is None or not isinstance(value, str | date)


@pytest.mark.parametrize("seed", [None, 1])
async def test_the_queries_of_the_page_answer_what_is_computed_by_hand_whatever_the_order(
    dsn: str, seed: int | None
) -> None:
    deliveries = [*engagements(), *agent_states()]
    if seed is None:  # everything as it happened, in one batch
        await store_references(dsn)
        await store_events(dsn, deliveries)
    else:
        rng = random.Random(seed)
        deliveries += rng.choices(deliveries, k=20)
        rng.shuffle(deliveries)
        await store_events(dsn, deliveries, size=7)
        await store_references(dsn)
    async with owner(dsn, source=OUTCOMES) as writer:
        durations = {"total_ms": 180_000, "waiting_ms": 11_000, "talking_ms": 130_000}
        durations |= {"hold_ms": 30_000, "wrap_up_ms": 61_000}
        assert await writer.store([outcome_snapshot({"durations": durations})]) == ()
    assert len(QUERIES) == len(EXPECTED)
    for (statement, result), expected in zip(QUERIES, EXPECTED, strict=True):
        rows = await query_in_utc(dsn, statement)
        assert [tuple(row.values()) for row in rows] == list(expected)
        assert result == shown(rows)


async def test_a_conversation_that_more_than_one_user_is_in_counts_once(dsn: str) -> None:
    event_of = events_of("E1", VOICE)
    await store_events(
        dsn,
        [
            event_of("engagement_user_answered", (10, 0, 0), ALEX),
            event_of("engagement_user_answered", (10, 0, 10), SAM),
            event_of("engagement_user_ended", (10, 0, 20), ALEX),
            event_of("engagement_user_hold", (10, 0, 30), SAM),  # until Sam is gone
            event_of("engagement_user_ended", (10, 0, 40), SAM),
            event_of("engagement_user_answered", (10, 1, 0), ALEX),
            event_of("engagement_ended", (10, 1, 5)),
            event_of("engagement_wrap_up_started", (10, 1, 5), ALEX),
        ],
    )
    (row,) = await query(dsn, "select * from zcc.engagement_summary")
    assert (row["talking_ms"], row["hold_ms"], row["wrap_up_ms"]) == (35_000, 10_000, None)


async def test_times_that_contradict_each_other_give_no_duration_and_no_error(dsn: str) -> None:
    event_of = events_of("E1", VOICE)
    await store_events(
        dsn,
        [
            event_of("engagement_ended", (10, 0, 0)),
            event_of("engagement_started", (10, 0, 10)),
            event_of("engagement_user_answered", (10, 0, 10), ALEX),
            event_of("task_entered_queue", (10, 0, 20), SALES),
            event_of("engagement_user_unhold", (10, 0, 20), ALEX),
            event_of("engagement_user_hold", (10, 0, 30), ALEX),
        ],
    )
    (row,) = await query(dsn, "select * from zcc.engagement_summary")
    durations = {name: row[name] for name in row if name.endswith("_ms")}
    assert set(durations.values()) == {None}
    (offer,) = await query(dsn, "select * from zcc.queue_offer")
    assert (offer["outcome"], offer["wait_ms"]) == ("waiting", None)


async def test_a_call_that_a_user_accepts_and_nobody_answers_has_no_conversation(
    dsn: str,
) -> None:
    for engagement_id, direction in (("E1", "inbound"), ("E2", "outbound")):
        event_of = events_of(engagement_id, {**VOICE, "engagement_direction": direction})
        await store_events(
            dsn,
            [
                event_of("engagement_started", (10, 0, 0)),
                event_of("task_reservation_accepted", (10, 0, 5), {"assigned_user_id": "U1"}),
                event_of("engagement_consumer_notified", (10, 0, 6), ALEX),
                event_of("engagement_user_ended", (10, 0, 9), ALEX),
                event_of("engagement_ended", (10, 0, 9)),
            ],
        )
    for row in await query(dsn, "select * from zcc.engagement_summary"):
        assert (row["answered_at"], row["talking_ms"], row["total_ms"]) == (None, None, 9_000)


async def test_what_ends_a_wait_decides_what_became_of_an_offer(dsn: str) -> None:
    endings: Sequence[tuple[str, Mapping[str, Any], str, int | None]] = (
        ("task_updated", {"task_status": "assigned"}, "answered", 9_000),
        ("task_completed", {}, "answered", None),
        ("task_canceled", {}, "abandoned", 9_000),
        ("task_deleted", {}, "abandoned", 9_000),
        ("engagement_ended", {}, "abandoned", 9_000),
        ("task_entered_queue", BILLING, "moved", 9_000),
        ("engagement_user_muted", {}, "waiting", None),
    )
    deliveries = []
    for name, members, _, _ in endings:
        event_of = events_of(name, VOICE)
        deliveries.append(event_of("task_entered_queue", (10, 0, 0), SALES))
        deliveries.append(event_of(name, (10, 0, 9), members))
    await store_events(dsn, deliveries)
    rows = await query(dsn, "select * from zcc.queue_offer where cc_queue_id = 'Q1'")
    assert {(row["engagement_id"], row["outcome"], row["wait_ms"]) for row in rows} == {
        (name, outcome, wait_ms) for name, _, outcome, wait_ms in endings
    }
    for row in rows:
        assert row["in_service_level"] == (row["outcome"] in {"answered", "abandoned"})
        assert not row["short_abandoned"]  # the queue has no threshold


async def test_long_abandoned_offers_are_left_out_where_the_queue_says_so(dsn: str) -> None:
    rule = {"service_level_exclude_long_abandoned_calls": True}
    await store_events(
        dsn,
        [
            *engagements(),
            event("queue_inbound_sla_updated", after_s=-60, cc_queue_id="Q1", updates=rule),
        ],
    )
    rows = await query(dsn, "select engagement_id, in_service_level from zcc.queue_offer")
    counted = {row["engagement_id"] for row in rows if row["in_service_level"]}
    assert counted == {"E1", "E3", "E4"}


async def test_the_parts_of_a_state_are_as_long_as_the_state(dsn: str) -> None:
    await store_events(
        dsn, [status_changed("U1", (9, 47), "Ready"), status_changed("U1", (12, 3), "Occupied")]
    )
    for width in ("7 minutes", "15 minutes", "1 hour", "1 day", "1 week"):
        (row,) = await query(
            dsn,
            "select sum(state_ms) as total from zcc.agent_state_time("
            f"'2026-03-01 09:50Z', '2026-03-01 13:00Z', '{width}') where status_id = '1'",
        )
        assert row["total"] == (2 * 60 + 13) * 60_000


async def test_of_two_changes_at_one_moment_the_state_is_one_and_the_other_has_no_time(
    dsn: str,
) -> None:
    await store_events(
        dsn, [status_changed("U1", (9, 0), "Ready"), status_changed("U1", (9, 0), "Occupied")]
    )
    (row,) = await query(
        dsn,
        "select * from zcc.agent_state_time('2026-03-01 10:00Z', '2026-03-01 10:10Z', '1 day')",
    )
    (open_,) = await query(dsn, "select * from zcc.user_status_history where ended_at is null")
    assert (row["status_id"], row["state_ms"]) == (open_["status_id"], 600_000)


async def test_views_of_today_begin_at_midnight_and_those_of_31_days_hold_no_more(
    dsn: str,
) -> None:
    # One of both midnights is today's, even if a day begins while this runs.
    midnight = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight + timedelta(days=offset) for offset in (-40, -1, 0, 1)]
    members = {"engagement_id": "E", "task_id": "T", **SALES, **VOICE}
    deliveries = []
    for number_, day in enumerate(days):
        at_ms = int(day.timestamp() * 1000)
        mine = {"engagement_id": f"E{number_}", "task_id": f"T{number_}"}
        deliveries.append(delivery(webhook("task_entered_queue", members | mine, at_ms=at_ms)))
        state = {"user_id": "U1", "current_status_id": str(number_)}
        deliveries.append(delivery(webhook("user_status_changed", state, at_ms=at_ms)))
    await store_events(dsn, deliveries)
    (row,) = await query(
        dsn,
        "select sum(offered) as offered, min(interval_start) as since, "
        "date_trunc('day', now(), 'UTC') as midnight from zcc.queue_performance_today",
    )
    assert (row["offered"], row["since"]) == (1, row["midnight"])
    (row,) = await query(
        dsn,
        "select count(distinct status_id) as states, sum(state_ms) as total, zcc.milliseconds("
        "now() - date_trunc('day', now(), 'UTC')) as expected from zcc.agent_state_time_today",
    )
    assert row["states"] == 1
    assert abs(row["total"] - row["expected"]) <= 1  # a moment is no whole millisecond
    rows = await query(dsn, "select day, engagements from zcc.daily_volume_of_31_days")
    assert {row["engagements"] for row in rows} == {1}
    assert len(rows) in {2, 3}


async def test_the_oldest_open_engagement_is_the_one_of_the_greatest_age(dsn: str) -> None:
    await store_events(
        dsn,
        [
            events_of("E1", VOICE)("engagement_started", (10, 0, 0)),
            events_of("E2", VOICE)("engagement_started", (11, 0, 0)),
            events_of("E3", VOICE)("engagement_note_added", (9, 0, 0), {"note_id": "N"}),
        ],
    )
    rows = await query(dsn, "select engagement_id, age_ms from zcc.open_engagement")
    ages = {row["engagement_id"]: row["age_ms"] for row in rows}
    assert ages["E1"] - ages["E2"] == 3_600_000
    assert ages.keys() == {"E1", "E2"}
