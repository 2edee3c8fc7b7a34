"""Queues, their members, calls back."""

from typing import Any

import pytest

from schemas.headers import timestamp
from sinks.postgres.model.families.queue import member, queue, scheduled_callback
from sinks.postgres.model.families.user import user
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of

SETTINGS: dict[str, Any] = {
    "queue_name": "Sales",
    "channel_types": ["voice", "sms"],
    "max_wait_time": 60,
    "short_abandon_enable": True,
    "service_level_threshold_in_seconds": 20,
    "service_level_target_in_percentage": 80,
}
COLUMNS: dict[str, Any] = {
    **SETTINGS,
    "channel_types": ("voice", "sms"),
}


def test_updates_change_what_they_name_and_nothing_else() -> None:
    created = event(
        "queue_created",
        cc_queue_id="Q1",
        queue_id="old",
        **SETTINGS,
        queue_created_time=timestamp(START_MS - 1),
    )
    sla = event(
        "queue_inbound_sla_updated",
        after_s=1,
        cc_queue_id="Q1",
        updates={
            "service_level_target_in_percentage": 90,
            "service_level_exclude_short_abandoned_calls": True,
        },
    )
    hours = event(
        "queue_operating_hours_updated",
        after_s=2,
        cc_queue_id="Q1",
        updates={"business_hour_id": "B1", "account_default_business_hour": False},
    )
    (row,) = rows_of(queue, hours, sla, created)
    assert row == {
        **COLUMNS,
        "cc_queue_id": "Q1",
        "legacy_queue_id": "old",
        "queue_created_time": START_MS - 1,
        "service_level_target_in_percentage": 90,
        "service_level_exclude_short_abandoned_calls": True,
        "business_hour_id": "B1",
        "account_default_business_hour": False,
    }


def test_a_deleted_queue_stays_so_until_it_is_created_again() -> None:
    events = [
        event("queue_deleted", after_s=5, cc_queue_id="Q1", **SETTINGS),
        event("queue_created", cc_queue_id="Q1"),
        event("queue_agent_assigned", after_s=6, cc_queue_id="Q1", user_id="U1"),
    ]
    (row,) = rows_of(queue, *events)
    assert row["deleted_at"] == START_MS + 5000
    (row,) = rows_of(queue, *events, event("queue_created", after_s=9, cc_queue_id="Q1"))
    assert "deleted_at" not in row


@pytest.mark.parametrize("persona", ["agent", "supervisor"])
def test_a_member_says_whether_it_still_is_one(persona: str) -> None:
    who = {"cc_queue_id": "Q1", "user_id": "U1", "display_name": "Alex"}
    events = [
        event(f"queue_{persona}_unassigned", after_s=5, **who),
        event(f"queue_{persona}_assigned", **who),
    ]
    expected = {"cc_queue_id": "Q1", "user_id": "U1", "persona": persona}
    assert rows_of(member, events[1]) == [{**expected, "assigned": True}]
    assert rows_of(member, *events) == [{**expected, "assigned": False}]
    assert rows_of(user, *events) == [{"user_id": "U1", "display_name": "Alex"}]


def test_an_agent_opts_in_and_out_without_ceasing_to_be_a_member() -> None:
    who = {"cc_queue_id": "Q1", "queue_name": "Sales", "queue_id": "old", "user_id": "U1"}
    events = [
        event("queue_agent_assigned", **who),
        event("user_opt_out", after_s=2, **who),
        event("user_opt_in", after_s=1, **who),
    ]
    (row,) = rows_of(member, *events)
    assert (row["assigned"], row["opted_in"]) == (True, False)
    (row,) = rows_of(queue, *events)
    assert row == {"cc_queue_id": "Q1", "queue_name": "Sales", "legacy_queue_id": "old"}


def test_a_call_back_is_a_row_for_each_attendee() -> None:
    attendee = {
        "attendee_id": "A1",
        "first_name": "Casey",
        "last_name": "Example",
        "email": "casey@example.com",
        "phone_number": "+15550100000",
    }
    booked = event(
        "queue_scheduled_callback_created",
        cc_queue_id="Q1",
        queue_name="Sales",
        queue_channel="voice",
        start_time=timestamp(START_MS + 86_400_000),
        attendees=[attendee, {"attendee_id": "A2"}, {}],
    )
    first, second = rows_of(scheduled_callback, booked, booked)
    assert first == {
        **attendee,
        "cc_queue_id": "Q1",
        "start_time": START_MS + 86_400_000,
        "channel": "voice",
        "booked_at": START_MS,
        "event_id": first["event_id"],
    }
    assert second["attendee_id"] == "A2"


def test_an_event_that_lacks_a_part_of_a_key_makes_no_row() -> None:
    attendees = [{"attendee_id": "A1"}]
    incomplete = [
        event("queue_created"),
        event("queue_agent_assigned", cc_queue_id="Q1"),
        event("queue_agent_assigned", user_id="U1"),
        event("queue_scheduled_callback_created", cc_queue_id="Q1", attendees=attendees),
        event(
            "queue_scheduled_callback_created",
            start_time=timestamp(START_MS),
            attendees=attendees,
        ),
    ]
    assert rows_of(member, *incomplete) == []
    assert rows_of(scheduled_callback, *incomplete) == []
    assert [row["cc_queue_id"] for row in rows_of(queue, *incomplete)] == ["Q1"]
