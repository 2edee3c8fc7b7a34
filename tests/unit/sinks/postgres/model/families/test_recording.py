"""Recordings."""

from typing import Any

import orjson

from schemas.headers import timestamp
from sinks.postgres.model.families.recording import recording
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of

CALL: dict[str, Any] = {
    "recording_id": "R1",
    "engagement_id": "E1",
    "engagement_direction": "inbound",
    "channel": "voice",
}
USERS = [{"user_id": "U1", "user_display_name": "Alex", "teams": []}, {"user_id": "U2"}]
CONSUMERS = [{"consumer_id": "C1", "consumer_number": "+15550100000"}, {}]

HOW = ("started", "stopped")


def test_a_recording_is_what_its_newest_events_say() -> None:
    events = [
        event("recording_started", **CALL, users=USERS[:1], recording_type="automatic"),
        event("recording_paused", after_s=1, **CALL, users=USERS),
        event("recording_resumed", after_s=2, **CALL, users=USERS, consumers=CONSUMERS),
        event("recording_stopped", after_s=9, **CALL, cc_queue_id="Q1", queue_name="Sales"),
        event(
            "recording_completed",
            after_s=12,
            **CALL,
            recording_start_time_ms=timestamp(START_MS + 1),
            recording_end_time_ms=timestamp(START_MS + 9001),
            recording_duration=8,
            owner_type="user",
            owner_id="U1",
            owner_name="Alex",
        ),
        event("recording_transcript_completed", after_s=20, **CALL, transcript_url="https://x"),
    ]
    (row,) = rows_of(recording, *reversed(events))
    assert row == {
        "recording_id": "R1",
        "engagement_id": "E1",
        "direction": "inbound",
        "channel": "voice",
        "type": "automatic",
        "duration_seconds": 8,
        "owner_type": "user",
        "owner_id": "U1",
        "owner_name": "Alex",
        "cc_queue_id": "Q1",
        "queue_name": "Sales",
        "user_ids": ("U1", "U2"),
        "users": orjson.dumps(USERS),
        "consumer_ids": ("C1",),
        "consumer_numbers": ("+15550100000",),
        "consumers": orjson.dumps(CONSUMERS),
        "phase": "stopped",
        "transcript_url": "https://x",
        "started_at": START_MS,
        "ended_at": START_MS + 9001,
        "completed_at": START_MS + 12_000,
        "transcript_ready_at": START_MS + 20_000,
    }


def test_a_deletion_that_comes_first_meets_its_engagement_later() -> None:
    deleted = event("recording_deleted", after_s=30, recording_id="R1")
    purged = event("recording_permanently_deleted", after_s=40, recording_id="R1")
    started = event("recording_started", **CALL, flow_id="F1", flow_name="Main")
    (alone,) = rows_of(recording, purged, deleted)
    assert "engagement_id" not in alone
    (row,) = rows_of(recording, purged, deleted, started)
    assert (row["engagement_id"], row["flow_name"]) == ("E1", "Main")
    assert (row["deleted_at"], row["purged_at"]) == (START_MS + 30_000, START_MS + 40_000)


def test_the_times_of_events_stand_where_the_vendor_tells_none() -> None:
    events = [event(f"recording_{how}", after_s=n, **CALL) for n, how in enumerate(HOW)]
    (row,) = rows_of(recording, *events)
    assert (row["started_at"], row["ended_at"]) == (START_MS, START_MS + 1000)


def test_an_event_without_the_id_of_its_recording_makes_no_row() -> None:
    assert rows_of(recording, event("recording_started", engagement_id="E1")) == []


def test_null_instead_of_a_list_takes_nothing_away() -> None:
    events = [
        event("recording_started", **CALL, users=USERS, consumers=CONSUMERS),
        event("recording_stopped", after_s=1, **CALL, users=None, consumers=None),
    ]
    (row,) = rows_of(recording, *events)
    assert (row["user_ids"], row["consumer_ids"]) == (("U1", "U2"), ("C1",))
