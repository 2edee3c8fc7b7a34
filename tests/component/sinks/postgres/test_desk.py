"""The desk in a real database: what the views pair, and what references fill."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from runtime.process import metrics_exposition
from runtime.values import Delivery, TopicPartition
from schemas.headers import timestamp
from schemas.reasons import DeadLetterReason
from tests.support.enriched_records import START_MS, delivery, webhook, with_fields
from tests.support.postgres import owner, query
from tests.support.projections import REFERENCE_TOPIC, event, snapshot

REFERENCES = TopicPartition(REFERENCE_TOPIC, 0)
START = datetime.fromtimestamp(START_MS / 1000, UTC)


async def store(dsn: str, *deliveries: Delivery, source: TopicPartition | None = None) -> None:
    async with owner(dsn, **({} if source is None else {"source": source})) as writer:
        assert await writer.store(deliveries) == ()


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - START) / timedelta(seconds=1)


async def stays(dsn: str, task_id: str = "T1") -> list[tuple[Any, ...]]:
    rows = await query(
        dsn,
        f"select * from zcc.task_queue_stay where task_id = '{task_id}' order by entered_at",
    )
    return [
        (row["cc_queue_id"], seconds(row["entered_at"]), seconds(row["ended_at"]), row["ended_by"])
        for row in rows
    ]


def of_task(what: str, after_s: int, task_id: str = "T1", **members: Any) -> Delivery:
    ids = {"engagement_id": "E1", "task_id": task_id, "task_reservation_id": f"of {task_id}"}
    return event(f"task_{what}", after_s=after_s, **ids, **members)


def moved(how: str, queue: str, after_s: int, task_id: str = "T1") -> Delivery:
    return of_task(f"{how}_queue", after_s, task_id, cc_queue_id=queue)


async def test_a_stay_in_a_queue_ends_with_whatever_ended_the_wait(dsn: str) -> None:
    endings = {
        "accepted": of_task("reservation_accepted", 5, "accepted"),
        "assigned": of_task("updated", 5, "assigned", task_status="assigned"),
        "exited": moved("exited", "Q1", 5, "exited"),
        "entered": moved("entered", "Q2", 5, "entered"),
        "completed": of_task("completed", 5, "completed"),
        "canceled": of_task("canceled", 5, "canceled"),
        "deleted": of_task("deleted", 5, "deleted"),
    }
    await store(dsn, *endings.values())
    await store(dsn, *(moved("entered", "Q1", 0, how) for how in endings))
    await store(dsn, *(of_task("updated", 90, how) for how in endings))
    for how in endings:
        assert (await stays(dsn, how))[0] == ("Q1", 0, 5, how)


async def test_a_stay_without_an_end_lasts_and_what_was_before_it_does_not_end_it(
    dsn: str,
) -> None:
    await store(
        dsn,
        of_task("reservation_accepted", 1),
        moved("exited", "Q1", 2),
        moved("entered", "Q1", 3),
        moved("exited", "Q9", 4),
    )
    assert await stays(dsn) == [("Q1", 3, None, None)]


async def test_each_stay_of_a_task_that_moves_on_has_an_end_of_its_own(dsn: str) -> None:
    await store(
        dsn,
        moved("entered", "Q1", 0),
        moved("exited", "Q1", 10),
        moved("entered", "Q2", 10),
        moved("exited", "Q2", 30),
        moved("entered", "Q1", 30),
        of_task("reservation_accepted", 35),
    )
    assert await stays(dsn) == [
        ("Q1", 0, 10, "exited"),
        ("Q2", 10, 30, "exited"),
        ("Q1", 30, 35, "accepted"),
    ]


async def test_a_state_of_work_ends_with_the_next_one(dsn: str) -> None:
    def changed(after_s: int, before: str, now: str, sub: str | None = None) -> Delivery:
        states = {
            "previous_status_id": before,
            "current_status_id": now,
            "current_sub_status_id": sub,
        }
        return event("user_status_changed", after_s=after_s, user_id="U1", **states)

    await store(dsn, changed(60, "3", "1"), changed(10, "1", "2", "20"))
    await store(dsn, changed(20, "2", "2", "21"), changed(0, "0", "1"))
    rows = await query(dsn, "select * from zcc.user_status_history order by started_at")
    assert [
        (
            row["status_id"],
            row["sub_status_id"],
            seconds(row["started_at"]),
            seconds(row["ended_at"]),
            row["followed_by_gap"],
        )
        for row in rows
    ] == [
        ("1", None, 0, 10, False),
        ("2", "20", 10, 20, False),
        ("2", "21", 20, 60, True),
        ("1", None, 60, None, False),
    ]


async def test_a_session_lasts_from_login_to_logout(dsn: str) -> None:
    times = (("logout", 9), ("login", 0), ("login", 20), ("login", 30))
    await store(dsn, *(event(f"user_{how}", after_s=s, user_id="U1") for how, s in times))
    rows = await query(dsn, "select * from zcc.user_session order by login_at")
    assert [
        (seconds(row["login_at"]), seconds(row["logout_at"]), row["replaced"]) for row in rows
    ] == [(0, 9, False), (20, None, True), (30, None, None)]


async def test_the_state_of_a_recording_and_of_a_message_follows_from_what_is_known(
    dsn: str,
) -> None:
    states = []
    for name in ("started", "paused", "completed", "deleted", "permanently_deleted"):
        await store(dsn, event(f"recording_{name}", after_s=len(states), recording_id="R1"))
        (row,) = await query(dsn, "select state from zcc.recording")
        states.append(row["state"])
    assert states == ["started", "paused", "completed", "deleted", "permanently_deleted"]
    await store(dsn, event("inbox_message_opened", message_id="M1"))
    await store(dsn, event("voicemail_transcript_completed", message_id="M2"))
    await store(dsn, event("inbox_message_deleted", message_id="M3", delete_type="Soft delete"))
    rows = await query(dsn, "select state from zcc.inbox_message order by message_id")
    assert [row["state"] for row in rows] == ["opened", "unknown", "deleted"]


async def test_references_fill_their_own_tables_and_are_no_raw_events(dsn: str) -> None:
    visible = "zcc_postgres_visible_seconds_count"
    seen = metrics_exposition.total(metrics_exposition.exposition(), visible)
    deliveries = (
        snapshot("user", "U1", {"user_id": "U1", "display_name": "Alex"}, after_s=5),
        snapshot("queue", "Q1", {"cc_queue_id": "Q1", "max_wait_time": 60}),
        snapshot("queue", "Q1", None, after_s=9),
        snapshot("flow", "F1", {"flow_name": "Main"}),
        snapshot("sms_log", "E1", {"engagement_id": "E1", "sms_types": []}),
    )
    await store(dsn, *deliveries, source=REFERENCES)
    assert metrics_exposition.total(metrics_exposition.exposition(), visible) == seen
    await store(dsn, event("user_login", user_id="U1", display_name="Alex before"))
    (user,) = await query(dsn, "select display_name, looked_up_at from zcc.app_user")
    assert (user["display_name"], seconds(user["looked_up_at"])) == ("Alex", 5)
    (queue,) = await query(dsn, "select max_wait_time, deleted_at from zcc.queue")
    assert (queue["max_wait_time"], seconds(queue["deleted_at"])) == (60, 9)
    (flow,) = await query(dsn, "select state from zcc.reference_entity")
    assert flow["state"] == {"flow_name": "Main"}
    (sms,) = await query(dsn, "select sms_types, user_ids, row from zcc.sms_log")
    assert (sms["sms_types"], sms["user_ids"]) == ([], [])
    (raw,) = await query(dsn, "select count(*) from zcc.raw_event")
    assert raw["count"] == 1


async def test_a_record_that_is_no_reference_is_rejected_alone(dsn: str) -> None:
    good = snapshot("team", "T1", {"team_id": "T1", "team_name": "One"})
    async with owner(dsn, source=REFERENCES) as writer:
        (rejection,) = await writer.store([good, with_fields(good, value=b"[]")])
        assert (rejection.offset, rejection.reason) == (1, DeadLetterReason.UNREADABLE)
        await writer.store([good])
    assert len(await query(dsn, "select 1 from zcc.team")) == 1


async def test_queries_of_the_views_use_indexes(dsn: str) -> None:
    by_index = psycopg.conninfo.make_conninfo(dsn, options="-c enable_seqscan=off")
    for condition in (
        "task_queue_stay where account_id = 'A' and cc_queue_id = 'Q' and entered_at > now()",
        "user_status_history where account_id = 'A' and user_id = 'U' and started_at > now()",
        "user_status_history where account_id = 'A' and started_at > now()",
        "user_session where account_id = 'A' and user_id = 'U' and login_at > now()",
    ):
        plan = await query(by_index, f"explain select * from zcc.{condition}")
        lines = "\n".join(row["QUERY PLAN"] for row in plan)
        assert "Seq Scan" not in lines, condition
        assert lines.count("Index Cond") >= 2, condition


async def test_the_state_of_a_user_is_the_newest_that_happened_whenever_it_arrives(
    dsn: str,
) -> None:
    """The third is late; the fourth happened first, and Zoom reported it last of all."""
    states = (
        ("c-Ready", 60, 0),
        ("c-Occupied", 120, 0),
        ("c-NotReady", 90, 0),
        ("c-Offline", 30, 3600),
    )
    await store(
        dsn,
        *(
            delivery(
                webhook(
                    "user_status_changed",
                    {
                        "user_id": "U1",
                        "current_status_id": status_id,
                        "date_time_ms": timestamp(START_MS + after_s * 1000),
                    },
                    at_ms=START_MS + (after_s + late_s) * 1000,
                )
            )
            for status_id, after_s, late_s in states
        ),
    )
    assert await query(dsn, "select status_id from zcc.app_user") == [{"status_id": "c-Occupied"}]
    history = await query(dsn, "select status_id from zcc.user_status_history order by started_at")
    assert [row["status_id"] for row in history] == [
        "c-Offline",
        "c-Ready",
        "c-NotReady",
        "c-Occupied",
    ]
