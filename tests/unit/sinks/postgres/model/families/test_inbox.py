"""Messages in inboxes."""

from typing import Any

from sinks.postgres.model.families.inbox import inbox_message
from tests.support.enriched_records import START_MS, complete
from tests.support.projections import event, rows_of

MESSAGE: dict[str, Any] = {
    "message_id": "M1",
    "engagement_id": "E1",
    "inbox_id": "I1",
    "inbox_name": "Night",
    "channel": "voice",
    "engagement_direction": "inbound",
}


def test_a_message_goes_through_its_states() -> None:
    events = [
        event("inbox_message_received", **MESSAGE, consumer_number="+15550100000", flow_id="F1"),
        event(
            "voicemail_transcript_completed",
            after_s=1,
            **MESSAGE,
            transcript_url="https://x",
            message_duration=12,
            status="normal",
            consumer_id="C1",
            consumer_display_name="Casey",
        ),
        event(
            "inbox_message_assigned",
            after_s=2,
            **MESSAGE,
            assign_type="Manual",
            user_id="U1",
            user_display_name="Alex",
            previous_user_id="U0",
            previous_user_display_name="Blake",
        ),
        event("inbox_message_opened", after_s=3, **MESSAGE, user_id="U2"),
        event("inbox_message_downloaded", after_s=4, **MESSAGE, download_type="Recording"),
        event("inbox_message_resolved", after_s=5, **MESSAGE, cc_queue_id="Q1", queue_name="Help"),
        event("inbox_message_reopened", after_s=6, **MESSAGE, flow_number="+15550100009"),
    ]
    (row,) = rows_of(inbox_message, *reversed(events))
    assert row == {
        "message_id": "M1",
        "engagement_id": "E1",
        "inbox_id": "I1",
        "inbox_name": "Night",
        "channel": "voice",
        "direction": "inbound",
        "flow_number": "+15550100009",
        "consumer_number": "+15550100000",
        "consumer_id": "C1",
        "consumer_display_name": "Casey",
        "transcript_url": "https://x",
        "duration_seconds": 12,
        "voicemail_status": "normal",
        "cc_queue_id": "Q1",
        "queue_name": "Help",
        "flow_id": "F1",
        "user_id": "U2",
        "assigned_user_id": "U1",
        "assigned_user_display_name": "Alex",
        "assign_type": "Manual",
        "previous_user_id": "U0",
        "previous_user_display_name": "Blake",
        "phase": "reopened",
        "download_type": "Recording",
        "received_at": START_MS,
        "transcript_ready_at": START_MS + 1000,
        "assigned_at": START_MS + 2000,
        "opened_at": START_MS + 3000,
        "downloaded_at": START_MS + 4000,
        "resolved_at": START_MS + 5000,
        "reopened_at": START_MS + 6000,
    }


def test_the_last_word_on_a_deletion_stays_whatever_happens_afterwards() -> None:
    events = [
        event("inbox_message_deleted", after_s=9, **MESSAGE, delete_type="Hard delete"),
        event("inbox_message_deleted", after_s=5, **MESSAGE, delete_type="Soft delete"),
        event("inbox_message_opened", after_s=10, **MESSAGE),
    ]
    (row,) = rows_of(inbox_message, *events)
    assert (row["delete_type"], row["deleted_at"]) == ("Hard delete", START_MS + 9000)


def test_a_user_whom_the_event_does_not_name_is_named_by_the_enrichment() -> None:
    names = {**complete, "users": {"U1": {"user_id": "U1", "display_name": "Alex"}}}
    opened = event("inbox_message_opened", **MESSAGE, user_id="U1", enrichment=names)
    (row,) = rows_of(inbox_message, opened)
    assert row["user_display_name"] == "Alex"


def test_an_event_without_the_id_of_its_message_makes_no_row() -> None:
    assert rows_of(inbox_message, event("inbox_message_opened", engagement_id="E1")) == []


def test_a_message_with_few_members_is_a_row_nevertheless() -> None:
    (row,) = rows_of(inbox_message, event("inbox_message_opened", message_id="M1"))
    assert row == {"message_id": "M1", "phase": "opened", "opened_at": START_MS}
