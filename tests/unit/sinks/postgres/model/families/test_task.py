"""Tasks, reservations and moves between queues."""

from typing import Any

from schemas.headers import timestamp
from sinks.postgres.model.families.task import queue_move, reservation, task
from tests.support.enriched_records import START_MS, complete
from tests.support.projections import event, rows_of

TASK: dict[str, Any] = {"engagement_id": "E1", "task_id": "T1"}
OFFER: dict[str, Any] = {
    **TASK,
    "task_reservation_id": "R1",
    "assigned_user_id": "U1",
    "channel": "voice",
}


def test_a_task_is_what_its_newest_events_say() -> None:
    created = event(
        "task_created",
        **TASK,
        task_status="pending",
        task_priority=3,
        channel_name="in_app_chat",
        channel_id="C1",
        cc_queue_id="Q1",
        queue_name="Sales",
        flow_id="F1",
        flow_name="Main",
        created_time_ms=timestamp(START_MS - 5),
        last_modified_time_ms=timestamp(START_MS),
        auto_assign=True,
        task_timeout=30,
        caller_number="+15550100001",
        callee_number="+15550100002",
    )
    updated = event(
        "task_updated",
        after_s=2,
        **TASK,
        task_status="assigned",
        task_priority=5,
        last_modified_time_ms=timestamp(START_MS + 1999),
    )
    (row,) = rows_of(task, updated, created)
    assert row == {
        "task_id": "T1",
        "engagement_id": "E1",
        "status": "assigned",
        "priority": 5,
        "channel": "messaging",
        "channel_source": "in_app_chat",
        "channel_id": "C1",
        "cc_queue_id": "Q1",
        "queue_name": "Sales",
        "flow_id": "F1",
        "flow_name": "Main",
        "auto_assign": True,
        "timeout_seconds": 30,
        "caller_number": "+15550100001",
        "callee_number": "+15550100002",
        "created_at": START_MS - 5,
        "modified_at": START_MS + 1999,
        "assigned_at": START_MS + 2000,
    }


def test_the_end_of_a_task_follows_from_the_kind_of_its_event() -> None:
    ends = [
        event(f"task_{end}", after_s=n, **TASK)
        for n, end in enumerate(("completed", "canceled", "deleted"))
    ]
    (row,) = rows_of(task, *ends)
    assert [row[f"{end}_at"] for end in ("completed", "canceled", "deleted")] == [
        START_MS,
        START_MS + 1000,
        START_MS + 2000,
    ]


def test_a_number_that_no_column_takes_is_left_out() -> None:
    odd = event("task_created", **TASK, task_priority=2**40, task_timeout="soon", auto_assign=1)
    (row,) = rows_of(task, odd)
    assert row == {"task_id": "T1", "engagement_id": "E1"}


def test_a_task_with_few_members_is_a_row_nevertheless() -> None:
    (row,) = rows_of(task, event("task_completed", task_id="T1"))
    assert row == {"task_id": "T1", "completed_at": START_MS}


def test_an_event_without_the_id_of_its_task_or_reservation_makes_no_row() -> None:
    nameless = [
        event("task_created", engagement_id="E1"),
        event("task_reservation_created", engagement_id="E1"),
        event("task_entered_queue", engagement_id="E1", cc_queue_id="Q1"),
        event("task_entered_queue", **TASK),
    ]
    assert [rows_of(table, *nameless) for table in (task, reservation, queue_move)] == [[], [], []]


def test_a_reservation_is_an_offer_with_its_outcome_and_tells_of_its_task() -> None:
    events = [
        event("task_reservation_completed", after_s=9, **OFFER, engagement_direction="inbound"),
        event("task_reservation_created", **OFFER, request_id="P1", cc_queue_id="Q1"),
        event("task_reservation_accepted", after_s=3, **OFFER),
    ]
    (row,) = rows_of(reservation, *events)
    assert row == {
        "task_reservation_id": "R1",
        "task_id": "T1",
        "engagement_id": "E1",
        "assigned_user_id": "U1",
        "direction": "inbound",
        "request_id": "P1",
        "state": "completed",
        "created_at": START_MS,
        "accepted_at": START_MS + 3000,
        "ended_at": START_MS + 9000,
    }
    (of_task,) = rows_of(task, *events)
    assert (of_task["cc_queue_id"], of_task["channel"]) == ("Q1", "voice")


def test_an_offer_that_is_not_taken_ends_without_having_been_accepted() -> None:
    for state in ("rejected", "timeout", "canceled"):
        (row,) = rows_of(
            reservation,
            event("task_reservation_created", **OFFER),
            event(f"task_reservation_{state}", after_s=4, **OFFER),
        )
        assert (row["state"], row["ended_at"]) == (state, START_MS + 4000)
        assert "accepted_at" not in row


def test_each_entry_and_exit_is_a_row_with_the_settings_of_the_queue() -> None:
    wait: dict[str, Any] = {**TASK, "cc_queue_id": "Q1", "channel": "voice", "max_wait_time": 60}
    entered = event("task_entered_queue", **wait, short_abandon_enable=True, flow_id="F1")
    exited = event("task_exited_queue", after_s=5, **wait, queue_name="Sales")
    first, second = rows_of(queue_move, exited, entered, exited)
    assert (first["move"], first["occurred_at"], first["event_ts"]) == (
        "entered",
        START_MS,
        START_MS,
    )
    assert (first["max_wait_time"], first["short_abandon_enable"], first["flow_id"]) == (
        60,
        True,
        "F1",
    )
    assert (second["move"], second["queue_name"], second["engagement_id"]) == (
        "exited",
        "Sales",
        "E1",
    )


def test_a_later_revision_gives_a_move_the_name_of_its_queue() -> None:
    names = {**complete, "queues": {"Q1": {"cc_queue_id": "Q1", "queue_name": "Found"}}}
    wait: dict[str, Any] = {**TASK, "cc_queue_id": "Q1"}
    unknown = event("task_entered_queue", **wait)
    known = event("task_entered_queue", **wait, enrichment=names, revision=2)
    for order in ((unknown, known), (known, unknown)):
        (row,) = rows_of(queue_move, *order)
        assert row["queue_name"] == "Found"


def test_a_follow_up_task_is_no_task() -> None:
    created = event("engagement_follow_up_task_created", **TASK, user_id="U1", content="x")
    assert rows_of(task, created) == []
