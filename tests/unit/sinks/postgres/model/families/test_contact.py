"""Transfers, conferences, conversations, delivery, consent and commands."""

from typing import Any

import pytest

from sinks.postgres.model.families.call_control import command
from sinks.postgres.model.families.conference import conference_event
from sinks.postgres.model.families.consent import consent, history
from sinks.postgres.model.families.conversation import file, message
from sinks.postgres.model.families.message_delivery import delivery
from sinks.postgres.model.families.transfer import transfer
from tests.support.enriched_records import START_MS, complete
from tests.support.projections import event, rows_of

CALL: dict[str, Any] = {"engagement_id": "E1", "engagement_direction": "inbound"}
TASKS: dict[str, Any] = {**CALL, "task_id": "T1", "transfer_to_task_id": "T2", "channel": "voice"}


def test_a_transfer_has_its_newest_state_and_the_members_of_all_its_events() -> None:
    target = {"transfer_to_cc_queue_id": "Q2", "transfer_to_user_id": "U2"}
    enrichment = {
        **complete,
        "users": {"U2": {"display_name": "Blake"}},
        "queues": {"Q2": {"queue_name": "Billing"}},
    }
    (row,) = rows_of(
        transfer,
        event("engagement_transfer_accepted", after_s=3, **TASKS, transfer_type="cold"),
        event("engagement_transfer_initiated", enrichment=enrichment, **TASKS, **target),
        event("engagement_transfer_rejected", after_s=1, **TASKS, transfer_to_task_timeout=60),
        event("engagement_transfer_queued", after_s=2, **TASKS, transfer_level="queue"),
    )
    assert row == {
        "task_id": "T1",
        "transfer_to_task_id": "T2",
        "engagement_id": "E1",
        "state": "accepted",
        "channel": "voice",
        "direction": "inbound",
        "state_told_at": START_MS + 3000,
        "transfer_level": "queue",
        "transfer_type": "cold",
        "transfer_to_user_id": "U2",
        "transfer_to_user_display_name": "Blake",
        "transfer_to_cc_queue_id": "Q2",
        "transfer_to_queue_name": "Billing",
        "transfer_to_task_timeout_s": 60,
        "initiated_at": START_MS,
        "refused_at": START_MS + 1000,
        "accepted_at": START_MS + 3000,
        "last_told_at": START_MS + 3000,
    }


@pytest.mark.parametrize(
    ("name", "member", "action"),
    [
        ("participant_invited", "invited_participant", "invited"),
        ("participant_joined", "joining_participant", "joined"),
        ("participant_left", "leaving_participant", "left"),
        ("participant_canceled", "canceled_participant", "invitation_canceled"),
        ("participant_rejected", "rejecting_participant", "rejected"),
        ("participant_timeout", "timed_out_participant", "timed_out"),
    ],
)
def test_a_conference_event_says_what_happened_to_whom(name: str, member: str, action: str) -> None:
    (row,) = rows_of(
        conference_event,
        event(
            f"engagement_conference_{name}",
            **CALL,
            conference_id="C1",
            conference_participants=[{"participant_role": "host"}],
            **{member: {"participant_phone_number": "+15550100000"}},
        ),
    )
    assert (row["action"], row["participant_phone_number"]) == (action, "+15550100000")
    assert row["participants"] == b'[{"participant_role":"host"}]'


def test_the_end_of_a_conference_happens_to_nobody() -> None:
    canceled = event("engagement_conference_canceled", **CALL, conference_id="C1")
    (row,) = rows_of(conference_event, canceled)
    assert row["action"] == "canceled"
    assert not row.keys() & {"participant_user_id", "participant_phone_number", "participants"}


def test_messages_and_files_are_rows_of_their_event() -> None:
    written = event("engagement_consumer_sent_message", **CALL, consumer_id="P1", message_text="Hi")
    sent = event(
        "engagement_user_sent_file",
        **CALL,
        user_id="U1",
        files=[
            {"file_id": "F1", "file_name": "a.png", "file_type": "Image", "file_size": 1 << 40},
            {"file_id": "F2", "download_url": "https://example.com/2"},
        ],
    )
    (row,) = rows_of(message, written, sent)
    assert (row["sender"], row["consumer_id"], row["message_text"]) == ("consumer", "P1", "Hi")
    files = rows_of(file, sent, written, sent)
    assert [(r["position"], r["file_id"], r["sender"]) for r in files] == [
        (0, "F1", "user"),
        (1, "F2", "user"),
    ]
    assert files[0]["size_bytes"] == 1 << 40


def test_the_delivery_of_a_message_is_in_its_newest_status_with_the_time_of_each() -> None:
    sender = {"message_id": "M1", "from": "+15550100001", "to": "+15550100002"}
    (row,) = rows_of(
        delivery,
        event("message_status", after_s=2, **sender, whatsapp_message={"status": "read"}),
        event("message_status", **sender, whatsapp_message={"status": "sent"}),
        event("message_status", after_s=1, **sender, whatsapp_message={"status": "delivered"}),
    )
    assert row == {
        "message_id": "M1",
        "channel": "whatsapp",
        "status": "read",
        "from_address": "+15550100001",
        "to_address": "+15550100002",
        "sent_at": START_MS,
        "delivered_at": START_MS + 1000,
        "read_at": START_MS + 2000,
        "last_told_at": START_MS + 2000,
    }


def test_both_kinds_of_text_message_are_of_the_channel_sms() -> None:
    failed = {"status": "failed", "reason": "unreachable"}
    rows = rows_of(
        delivery,
        event("sms_status", message_id="M1", consumer_number="+15550100000", **failed),
        event("message_status", message_id="M2", sms_message=failed),
        event("message_status", message_id="M3", engagement_id="E1"),
    )
    assert [(r["channel"], r["message_id"], r.get("reason")) for r in rows] == [
        ("sms", "M1", "unreachable"),
        ("sms", "M2", "unreachable"),
        ("unknown", "M3", None),
    ]
    assert rows[0]["failed_at"] == START_MS
    assert rows[2]["engagement_id"] == "E1"


def test_consent_is_the_newest_word_and_its_history_all_of_them() -> None:
    terms = {"consumer_number": "+15550100000", "campaign_id": "C1"}
    events = [
        event("consumer_messaging_opt_out", after_s=5, sms=terms),
        event("consumer_messaging_opt_in", sms=terms),
        event("consumer_messaging_opt_in", after_s=9),
    ]
    assert rows_of(consent, *events) == [
        {
            "channel": "sms",
            "consumer_number": "+15550100000",
            "contact_center_number": "",
            "campaign_id": "C1",
            "state": "opted_out",
            "state_told_at": START_MS + 5000,
        }
    ]
    words = [(r["occurred_at"], r["state"]) for r in rows_of(history, *events)]
    assert sorted(words) == [
        (START_MS, "opted_in"),
        (START_MS + 5000, "opted_out"),
        (START_MS + 9000, "opted_in"),
    ]


def test_a_command_is_a_fact() -> None:
    given = {"engagement_id": "E1", "user_id": "U1", "request_id": "R1", "conference_id": "C1"}
    executed = event("call_control_conference_warm_invite_executed", **given)
    (row,) = rows_of(command, executed, executed)
    assert row["command"] == "conference_warm_invite"
    assert {name: row[name] for name in given} == given


@pytest.mark.parametrize(
    ("projection", "name", "entity"),
    [
        (transfer, "engagement_transfer_queued", {**TASKS, "task_id": None}),
        (transfer, "engagement_transfer_queued", {**TASKS, "transfer_to_task_id": 5}),
        (conference_event, "engagement_conference_canceled", CALL),
        (delivery, "sms_status", {"status": "delivered"}),
        (delivery, "message_status", {}),
    ],
)
def test_without_its_ids_an_event_says_nothing(projection: Any, name: str, entity: Any) -> None:
    assert rows_of(projection, event(name, **entity)) == []
