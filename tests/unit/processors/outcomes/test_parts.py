"""What is kept of each of Zoom's answers, and in which form."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from processors.outcomes.parts import (
    Part,
    Reason,
    applicable,
    lists,
    nothing_there,
    read_dataset,
    read_details,
    read_notes,
    read_recordings,
    read_survey,
    read_timeline,
)
from schemas.generation.data_class import DataClass

SCHEMA = Path(__file__).parents[4] / "schemas" / "outcome" / "engagement_outcome.schema.json"
NOBODY: frozenset[DataClass] = frozenset({"none", "pseudonymous"})
ALL: frozenset[DataClass] = NOBODY | {"personal", "sensitive"}
DETAILS: dict[str, Any] = {
    "engagement_id": "E1",
    "start_time": "2026-01-15T09:20:00Z",
    "end_time": "2026-01-15T10:30:00+01:00",
    "duration": 600,
    "channels": [{"channel": "voice", "channel_source": ""}, {"channel": "video"}],
    "consumers": [
        {"consumer_id": "C1", "consumer_display_name": "Casey", "consumer_number": "+12025550101"}
    ],
    "direction": "inbound",
    "flows": [{"flow_id": "F1", "flow_name": "Main", "flow_version": "3"}],
    "queues": [{"queue_id": "old", "cc_queue_id": "Q1", "queue_name": "Sales"}],
    "agents": [{"user_id": "U1", "display_name": "Alex"}],
    "talk_duration": 500,
    "flow_duration": 20,
    "waiting_duration": 40,
    "handling_duration": 560,
    "wrap_up_duration": 0,
    "voice_mail": 1,
    "dispositions": [{"disposition_id": "D1", "disposition_name": "Solved"}],
    "notes": [{"note_id": "N1", "user_id": "U1", "note": "call back"}],
    "events": [{"event_type": "started", "transfer_to_number": "+12025550102"}],
    "transcript_url": "https://api.example.com/x",
    "callback_voice_messages": [{"callback_voice_message_url": "https://api.example.com/y"}],
}


def schema_of_outcome() -> Any:
    return orjson.loads(SCHEMA.read_bytes())["properties"]["outcome"]["properties"]


def test_the_details_are_written_in_the_words_of_the_contract() -> None:
    assert read_details(DETAILS, ALL) == {
        "start_time": "2026-01-15T09:20:00.000Z",
        "end_time": "2026-01-15T09:30:00.000Z",
        "direction": "inbound",
        "channels": [{"channel": "voice"}, {"channel": "video"}],
        "flows": [{"flow_id": "F1", "flow_name": "Main", "flow_version": "3"}],
        "queues": [{"cc_queue_id": "Q1", "queue_name": "Sales"}],
        "agents": [{"user_id": "U1", "display_name": "Alex"}],
        "consumers": [
            {
                "consumer_id": "C1",
                "consumer_display_name": "Casey",
                "consumer_number": "+12025550101",
            }
        ],
        "dispositions": [{"disposition_id": "D1", "disposition_name": "Solved"}],
        "notes": [{"note_id": "N1", "user_id": "U1", "note": "call back"}],
        "durations": {
            "total_ms": 600_000,
            "flow_ms": 20_000,
            "waiting_ms": 40_000,
            "talking_ms": 500_000,
            "handling_ms": 560_000,
            "wrap_up_ms": 0,
        },
        "voicemails": 1,
    }


def test_personal_texts_stay_out_unless_they_are_let_in() -> None:
    read_part = read_details(DETAILS, NOBODY)
    assert read_part is not None
    assert read_part["agents"] == [{"user_id": "U1"}]
    assert read_part["consumers"] == [{"consumer_id": "C1"}]
    assert read_part["notes"] == [{"note_id": "N1", "user_id": "U1"}]
    named = read_details(DETAILS, NOBODY | {"personal"})
    assert named is not None
    assert named["agents"] == [{"user_id": "U1", "display_name": "Alex"}]
    assert named["notes"] == read_part["notes"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"engagement_id": "E1", "start_time": "2026-01-15T09:20:00Z"},
        {"end_time": ""},
        {"end_time": 7},
        {"end_time": "soon"},
    ],
    ids=["empty", "no end", "empty end", "a number", "no time"],
)
def test_an_engagement_without_an_end_is_not_ready(document: dict[str, Any]) -> None:
    assert read_details(document, ALL) is None


def test_version_2_counts_in_milliseconds_and_alone_knows_holds() -> None:
    row = {
        "duration": 600_250,
        "conversation_duration": 500_120.4,
        "hold_duration": 40_010,
        "handle_duration": 560_500,
        "wrap_up_duration": 20_370,
        "hold_count": 2,
    }
    assert read_dataset(row, NOBODY) == {
        "durations": {
            "total_ms": 600_250,
            "talking_ms": 500_120,
            "hold_ms": 40_010,
            "handling_ms": 560_500,
            "wrap_up_ms": 20_370,
        }
    }


@pytest.mark.parametrize(
    "value", [None, "600", True, -1, float("nan"), float("inf"), 10**30, [], {}], ids=repr
)
def test_what_is_no_duration_is_left_out(value: object) -> None:
    assert read_dataset({"hold_duration": value}, ALL) == {"durations": {}}
    read_part = read_details(DETAILS | {"talk_duration": value}, ALL)
    assert read_part is not None
    assert "talking_ms" not in read_part["durations"]


def test_a_timeline_a_note_and_a_survey_keep_their_texts_only_where_these_are_let_in() -> None:
    timeline = {
        "events": [
            {
                "start_time": "2026-01-15T09:20:00Z",
                "event_name": "answered",
                "channel": "voice",
                "event_content": "words",
            },
            "x",
            {},
        ]
    }
    entry = {
        "start_time": "2026-01-15T09:20:00.000Z",
        "event_name": "answered",
        "channel": "voice",
    }
    assert read_timeline(timeline, NOBODY) == {"timeline": [entry]}
    assert read_timeline(timeline, ALL) == {"timeline": [entry | {"event_content": "words"}]}
    notes = {"notes": [{"note_id": "N1", "note": "words", "last_modified_time": "never"}]}
    assert read_notes(notes, NOBODY) == {"notes": [{"note_id": "N1"}]}
    assert read_notes(notes, ALL) == {"notes": [{"note_id": "N1", "note": "words"}]}
    survey = {
        "survey_id": "S1",
        "survey_name": "Satisfaction",
        "queue_id": "Q1",
        "survey_results": [
            {
                "question_id": "q1",
                "question_name": "How was it?",
                "question_type": 7,
                "question_order": 1,
                "date_time": "2026-01-15T09:31:00.000+00:00",
                "numeric_answer": 9,
                "answer": "good",
                "file_url": "https://api.example.com/a?jwt=b",
            }
        ],
    }
    answer = {
        "question_id": "q1",
        "question_name": "How was it?",
        "question_type": 7,
        "question_order": 1,
        "date_time": "2026-01-15T09:31:00.000Z",
        "numeric_answer": 9,
    }
    about = {"answered": True, "survey_id": "S1", "survey_name": "Satisfaction"}
    assert read_survey(survey, NOBODY) == {"survey": about | {"results": [answer]}}
    assert read_survey(survey, ALL) == {
        "survey": about | {"results": [answer | {"answer": "good"}]}
    }


def test_a_number_beyond_any_answer_is_left_out() -> None:
    for number in (2**31, -(2**31)):
        survey = {"survey_results": [{"question_id": "q", "numeric_answer": number}]}
        assert read_survey(survey, ALL) == {
            "survey": {"answered": True, "results": [{"question_id": "q"}]}
        }


def test_a_recording_has_no_link_to_its_file() -> None:
    recording = {
        "recording_id": "R1",
        "recording_duration": 90,
        "download_url": "https://api.example.com/download",
        "playback_url": "https://api.example.com/play",
        "transcript_url": "https://api.example.com/text",
        "recording_start_time": "2026-01-15T09:21:00Z",
        "user_id": "U1",
        "display_name": "Alex",
        "exemption": False,
        "consumers": [{"consumer_name": "Casey"}],
    }
    assert read_recordings({"recordings": [recording, 7]}, NOBODY) == {
        "recordings": [
            {
                "recording_id": "R1",
                "recording_start_time": "2026-01-15T09:21:00.000Z",
                "user_id": "U1",
                "exemption": False,
                "duration_ms": 90_000,
            }
        ]
    }


def test_only_voice_and_video_have_a_timeline_and_recordings() -> None:
    def parts(channel: str, **details: object) -> set[Part]:
        return set(applicable({"channels": [{"channel": channel}], "notes": [], **details}))

    spoken = {Part.DATASET, Part.TIMELINE, Part.RECORDINGS, Part.SURVEY}
    assert parts("voice") == parts("video") == spoken
    assert parts("messaging") == parts("email") == {Part.DATASET, Part.SURVEY}
    assert Part.NOTES in set(applicable({}))


def test_every_member_is_of_the_contract_and_as_personal_as_it_says() -> None:
    contract = schema_of_outcome()
    for name, members in lists.items():
        place = contract["survey"]["properties"] if name == "results" else contract
        read_part = place[name]["items"]["properties"]
        own = {"duration_ms"} if name == "recordings" else set()
        assert members.keys() | own == read_part.keys(), name
        for member, kept in members.items():
            json_type = {str: "string", int: "integer", bool: "boolean"}[kept.type]
            assert read_part[member]["type"] == json_type, member
            assert read_part[member]["x-data-class"] == kept.data_class, member


def test_parts_and_reasons_are_those_of_the_contract() -> None:
    schema = orjson.loads(SCHEMA.read_bytes())["properties"]["missing"]["items"]["properties"]
    assert schema["part"]["x-known-values"] == [part.value for part in Part]
    assert schema["reason"]["x-known-values"] == [reason.value for reason in Reason]
    assert set(nothing_there) == set(Part) - {Part.DETAILS, Part.DATASET}
