"""What events say about their engagement, who took part, and what people did about it."""

from typing import Any

import pytest

from schemas.headers import timestamp
from sinks.postgres.model.families.engagement import engagement, timeline
from sinks.postgres.model.families.engagement_work import (
    disposition,
    follow_up,
    note,
    supervision,
    survey,
)
from sinks.postgres.model.families.participants import channel, participant
from tests.support.enriched_records import START_MS, complete
from tests.support.projections import event, rows_of

CALL: dict[str, Any] = {"engagement_id": "E1", "channel": "voice"}
USER: dict[str, Any] = {"user_id": "U1", "user_display_name": "Alex"}
TEAMS = [{"team_id": "T1", "team_name": "North"}, {"team_id": "T2"}]


def test_an_upgrade_has_the_state_of_its_newest_event() -> None:
    target = {"upgrade_to_channel": "video", "upgrade_to_channel_source": "web_video"}
    (row,) = rows_of(
        engagement,
        event("engagement_upgrade_completed", after_s=2, **CALL, **target),
        event("engagement_upgrade_initiated", **CALL, **target),
    )
    assert row["upgrade_state"] == "completed"
    assert row["upgrade_told_at"] == START_MS + 2000
    assert row["upgrade_to_channel_source"] == "web_video"


def test_invitation_transcript_and_the_reported_start_come_from_events_of_their_own() -> None:
    (row,) = rows_of(
        engagement,
        event("engagement_consumer_notified", **CALL, consumer_invite_number="+15550100000"),
        event("engagement_consumer_notified", after_s=1, **CALL),
        event("engagement_messaging_transcript_completed", after_s=2, **CALL, transcript_url="u"),
        event("legacy_engagement_end_data_ready", after_s=3, **CALL, start_time="2026-03-01"),
        event("cx_engagement_end_data_ready", **CALL, start_time=timestamp(START_MS - 5)),
    )
    assert row["consumer_invite_number"] == "+15550100000"
    assert (row["transcript_ready_at"], row["transcript_url"]) == (START_MS + 2000, "u")
    assert row["reported_started_at"] == START_MS - 5


def test_channels_are_seen_once_each_from_their_first_event_on() -> None:
    rows = rows_of(
        channel,
        event("engagement_user_hold", after_s=5, **CALL),
        event("engagement_started", **CALL),
        event("task_created", after_s=1, engagement_id="E1", channel_name="sms"),
        event("task_updated", after_s=2, engagement_id="E1"),
    )
    assert [(r["channel"], r["channel_source"], r["first_seen_at"]) for r in rows] == [
        ("messaging", "sms", START_MS + 1000),
        ("voice", "", START_MS),
    ]


def test_people_are_participants_with_their_first_name_number_and_teams() -> None:
    consumer = {"consumer_id": "C1", "consumer_number": "+15550100000"}
    rows = rows_of(
        participant,
        event("engagement_user_answered", after_s=1, **CALL, **USER, **consumer, teams=TEAMS),
        event("engagement_consumer_answered", after_s=2, **CALL, **USER, **consumer),
        event("engagement_user_ended", after_s=8, **CALL, **{**USER, "user_display_name": "Al"}),
        event("engagement_consumer_ended", after_s=9, **CALL, consumer_id="C1"),
    )
    assert rows == [
        {
            "engagement_id": "E1",
            "kind": "consumer",
            "participant_id": "C1",
            "phone_number": "+15550100000",
            "first_seen_at": START_MS + 1000,
            "first_answered_at": START_MS + 2000,
            "last_ended_at": START_MS + 9000,
        },
        {
            "engagement_id": "E1",
            "kind": "user",
            "participant_id": "U1",
            "display_name": "Alex",
            "team_ids": ("T1", "T2"),
            "team_names": ("North", ""),
            "first_seen_at": START_MS + 1000,
            "first_answered_at": START_MS + 1000,
            "last_ended_at": START_MS + 8000,
        },
    ]


def test_people_in_lists_are_participants_too_and_those_without_id_are_none() -> None:
    enrichment = {**complete, "users": {"U2": {"display_name": "Blake"}}}
    rows = rows_of(
        participant,
        event(
            "engagement_upgrade_initiated",
            enrichment=enrichment,
            **CALL,
            users=[{**USER, "teams": TEAMS}, {"user_id": "U2"}, {"user_display_name": "Nobody"}],
            consumers=[{"consumer_id": "C1", "consumer_display_name": "Casey"}, {}],
        ),
    )
    assert [(r["kind"], r["participant_id"], r["display_name"]) for r in rows] == [
        ("consumer", "C1", "Casey"),
        ("user", "U1", "Alex"),
        ("user", "U2", "Blake"),
    ]
    assert rows[1]["team_ids"] == ("T1", "T2")


@pytest.mark.parametrize(
    ("name", "member", "action"),
    [
        ("engagement_monitor_started", "monitoring_user", "whisper"),
        ("engagement_takeover_started", "takeover_user", "takeover"),
    ],
)
def test_a_supervisor_is_a_participant_and_what_he_or_she_does_a_fact(
    name: str, member: str, action: str
) -> None:
    started = event(
        name,
        enrichment={**complete, "users": {"S1": {"display_name": "Sam"}}},
        **CALL,
        **USER,
        **{f"{member}_id": "S1", "action_type": "whisper"},
    )
    participants = [(r["kind"], r["participant_id"]) for r in rows_of(participant, started)]
    assert participants == [("supervisor", "S1"), ("user", "U1")]
    (row,) = rows_of(supervision, started)
    assert (row["action_type"], row["boundary"]) == (action, "started")
    assert (row["user_display_name"], row["supervisor_display_name"]) == ("Alex", "Sam")


def test_the_end_of_supervision_is_a_fact_of_its_own() -> None:
    end = event("engagement_monitor_ended", **CALL, **USER, monitoring_user_id="S1")
    start = event("engagement_monitor_started", **CALL, **USER, monitoring_user_id="S1")
    assert {row["boundary"] for row in rows_of(supervision, end, start, end)} == {
        "started",
        "ended",
    }


def test_a_disposition_keeps_its_newest_definition_and_when_it_was_added() -> None:
    chosen = {**CALL, **USER, "disposition_id": "D1"}
    (row,) = rows_of(
        disposition,
        event("engagement_disposition_added", after_s=3, **chosen, disposition_name="Sold"),
        event(
            "engagement_disposition_added",
            **chosen,
            disposition_name="Won",
            last_modified_time=timestamp(START_MS),
        ),
    )
    assert row == {
        "engagement_id": "E1",
        "disposition_id": "D1",
        "user_id": "U1",
        "disposition_name": "Sold",
        "first_added_at": START_MS,
        "last_added_at": START_MS + 3000,
    }


def test_a_note_is_what_was_last_written() -> None:
    (row,) = rows_of(
        note,
        event("engagement_note_added", after_s=2, **CALL, **USER, note_id="N1", note="second"),
        event("engagement_note_added", **CALL, **USER, note_id="N1", note="first"),
    )
    assert (row["note"], row["added_at"], row["user_display_name"]) == ("second", START_MS, "Alex")


def test_a_follow_up_knows_who_made_it_and_who_changed_it_last() -> None:
    task = {"engagement_id": "E1", "task_id": "F1"}
    (row,) = rows_of(
        follow_up,
        event("engagement_follow_up_task_updated", after_s=5, **task, user_id="U2", content="b"),
        event("engagement_follow_up_task_created", **task, user_id="U1", content="a"),
    )
    assert row == {
        "follow_up_task_id": "F1",
        "engagement_id": "E1",
        "content": "b",
        "created_by": "U1",
        "updated_by": "U2",
        "created_at": START_MS,
        "updated_at": START_MS + 5000,
    }


def test_a_survey_and_each_of_its_questions_have_a_row() -> None:
    sent = {**CALL, **USER, "survey_id": "S1"}
    rows = rows_of(
        survey,
        event("engagement_survey_status", **sent, survey_status="sent", consumer_email="c@x.org"),
        event("engagement_survey_status", after_s=2, **sent, survey_status="completed"),
        event(
            "engagement_survey_status",
            after_s=1,
            **sent,
            survey_status="question_submitted",
            survey_question_id="Q1",
        ),
    )
    assert [(r["survey_question_id"], r["survey_status"]) for r in rows] == [
        ("", "completed"),
        ("Q1", "question_submitted"),
    ]
    assert rows[0]["consumer_email"] == "c@x.org"
    assert (rows[0]["sent_at"], rows[0]["completed_at"]) == (START_MS, START_MS + 2000)


@pytest.mark.parametrize(
    ("projection", "name", "entity"),
    [
        (timeline, "engagement_started", {}),
        (disposition, "engagement_disposition_added", CALL),
        (disposition, "engagement_disposition_added", {"disposition_id": "D1"}),
        (note, "engagement_note_added", CALL),
        (follow_up, "engagement_follow_up_task_created", CALL),
        (survey, "engagement_survey_status", CALL),
        (survey, "engagement_survey_status", {"survey_id": "S1"}),
        (supervision, "engagement_monitor_started", {"monitoring_user_id": "S1"}),
    ],
)
def test_without_its_ids_an_event_says_nothing(projection: Any, name: str, entity: Any) -> None:
    assert rows_of(projection, event(name, **entity)) == []
