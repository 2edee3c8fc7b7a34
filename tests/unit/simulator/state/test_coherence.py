"""The REST API returns what the events reported."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import pytest

from simulator.rest.answers import TimeSpan
from tests.support.simulated_account import (
    LATER,
    START,
    SimulatedAccount,
    account_after,
    first_events,
)

Events = Sequence[tuple[str, Mapping[str, Any]]]
"""Events of one engagement: name without prefix, and object."""

ENDED = "engagement_ended"


@pytest.fixture(scope="module")
def account() -> SimulatedAccount:
    return account_after(4000)


@pytest.fixture(scope="module")
def events_by_engagement() -> Mapping[str, Events]:
    """Every event by engagement, applied to the state before."""
    by_engagement = defaultdict(list)
    for event in first_events(4000):
        entity = orjson.loads(event.body)["payload"]["object"]
        if "engagement_id" in entity:
            name = event.event.removeprefix("contact_center.")
            by_engagement[entity["engagement_id"]].append((name, entity))
    return by_engagement


@pytest.fixture(scope="module")
def ended(events_by_engagement: Mapping[str, Events]) -> Mapping[str, Events]:
    complete = {
        key: events for key, events in events_by_engagement.items() if ENDED in dict(events)
    }
    assert len(complete) > 100
    return complete


def test_an_engagement_has_the_times_and_the_direction_of_its_events(
    account: SimulatedAccount, ended: Mapping[str, Events]
) -> None:
    for engagement_id, events in ended.items():
        document = account.get("get_engagement", engagement_id=engagement_id)
        last = dict(events)[ENDED]
        assert document["end_time"] == to_the_second(last["date_time_ms"])
        assert document["direction"] == last["engagement_direction"]
        start = dict(events).get("engagement_started")
        if start is not None:
            assert document["start_time"] == to_the_second(start["date_time_ms"])
            lasted = moment(last["date_time_ms"]) - moment(start["date_time_ms"])
            assert document["duration"] == int(lasted.total_seconds())


def test_an_engagement_names_everybody_whom_its_events_name(
    account: SimulatedAccount, ended: Mapping[str, Events]
) -> None:
    for engagement_id, events in ended.items():
        document = account.get("get_engagement", engagement_id=engagement_id)
        taking_part = [e for name, e in events if name.startswith("engagement_")]
        assert names(document["agents"], "user_id", "display_name") == {
            e["user_id"]: e["user_display_name"]
            for e in taking_part
            if {"user_id", "user_display_name"} <= e.keys()
        }
        assert set(names(document["queues"], "cc_queue_id", "queue_name")) == {
            e["cc_queue_id"] for name, e in events if "cc_queue_id" in e and "inbox" not in name
        }
        assert set(names(document["flows"], "flow_id", "flow_name")) == {
            e["flow_id"] for _, e in events if "flow_id" in e
        }
        assert set(names(document["channels"], "channel", "channel_source")) == {
            e["channel"] for _, e in events if "channel" in e
        }


def test_everybody_and_everything_that_events_name_can_be_looked_up(
    account: SimulatedAccount, events_by_engagement: Mapping[str, Events]
) -> None:
    entities = [entity for events in events_by_engagement.values() for _, entity in events]
    for entity in entities:
        if "user_id" in entity and "user_display_name" in entity:
            user = account.get("get_user", user_id=entity["user_id"])
            assert user["display_name"] == entity["user_display_name"]
        if "cc_queue_id" in entity and "queue_name" in entity:
            queue = account.get("get_queue", queue_id=entity["cc_queue_id"])
            assert queue["queue_name"] == entity["queue_name"]
            assert queue["queue_id"] == entity.get("queue_id", queue["queue_id"])
        if "flow_id" in entity and "flow_name" in entity:
            flow = account.get("get_flow", flow_id=entity["flow_id"])
            assert flow["flow_name"] == entity["flow_name"]
        if "disposition_id" in entity:
            disposition = account.get("get_disposition", disposition_id=entity["disposition_id"])
            assert disposition["disposition_name"] == entity["disposition_name"]


def test_dispositions_notes_and_follow_up_tasks_are_those_of_the_events(
    account: SimulatedAccount, ended: Mapping[str, Events]
) -> None:
    for engagement_id, events in ended.items():
        document = account.get("get_engagement", engagement_id=engagement_id)
        assert names(document["dispositions"], "disposition_id", "disposition_name") == {
            e["disposition_id"]: e["disposition_name"]
            for e in of(events, "engagement_disposition_added")
        }
        notes = {e["note_id"]: e["note"] for e in of(events, "engagement_note_added")}
        assert names(document["notes"], "note_id", "note") == notes
        listed = account.list("list_engagement_notes", engagement_id=engagement_id)
        assert names(listed, "note_id", "note") == notes
        tasks = account.list("list_engagement_follow_up_tasks", engagement_id=engagement_id)
        assert names(tasks, "task_id", "content") == {
            e["task_id"]: e["content"]
            for name, e in events
            if name.startswith("engagement_follow_up_task_")
        }


def test_recordings_are_those_that_were_completed_and_not_deleted(
    account: SimulatedAccount, events_by_engagement: Mapping[str, Events]
) -> None:
    deleted = {
        recording_id
        for engagement in account.state.engagements.values()
        for recording_id, recording in engagement.recordings.items()
        if recording.get("deleted")
    }
    assert deleted
    checked = 0
    for engagement_id, events in events_by_engagement.items():
        recordings = {
            r["recording_id"]: r
            for r in account.list("list_engagement_recordings", engagement_id=engagement_id)
        }
        completed = {e["recording_id"]: e for e in of(events, "recording_completed")}
        assert recordings.keys() == completed.keys() - deleted
        started = {e["recording_id"]: e for e in of(events, "recording_started")}
        transcripts = {e["recording_id"]: e for e in of(events, "recording_transcript_completed")}
        for recording_id, recording in recordings.items():
            assert {recording.get("owner_id", "")} >= {
                e["owner_id"]
                for _, e in events
                if e.get("recording_id") == recording_id and "owner_id" in e
            }
            assert recording["recording_start_time"] == to_the_second(
                started[recording_id]["date_time_ms"]
            )
            lasted = recording["recording_duration"]
            assert lasted == completed[recording_id].get("recording_duration", lasted)
            if recording_id in transcripts:
                file_id = transcripts[recording_id]["transcript_url"].rpartition("/")[2]
                assert f"/download/{file_id}?" in recording["transcript_url"]
            checked += 1
    assert checked > 50


def test_voicemails_have_what_their_events_tell(
    account: SimulatedAccount, events_by_engagement: Mapping[str, Events]
) -> None:
    listed = {m["message_id"]: m for m in account.list("list_messages_of_inboxes")}
    assert listed
    received = {
        e["message_id"]: e
        for events in events_by_engagement.values()
        for e in of(events, "inbox_message_received")
    }
    assert listed.keys() <= received.keys()
    for message_id, message in listed.items():
        assert message["inbox_name"] == received[message_id]["inbox_name"]
        assert message["created_at"] == to_the_second(received[message_id]["date_time_ms"])
        queue_id = message["cci_queue_id"]
        assert queue_id == received[message_id].get("cc_queue_id", queue_id)


def test_messages_are_in_the_order_in_which_they_were_written(
    account: SimulatedAccount, events_by_engagement: Mapping[str, Events]
) -> None:
    checked = 0
    for engagement_id, events in events_by_engagement.items():
        written = [e["message_text"] for _, e in events if "message_text" in e]
        question = {"engagement_id": engagement_id}
        messages = account.list("list_messaging_messages", query=question)
        texts = [m["content"]["value"] for m in messages if m["content"]["type"] == "text"]
        assert texts == written
        backwards = account.list(
            "list_messaging_messages", query=question | {"direction": "forward"}
        )
        assert backwards == messages[::-1]
        checked += len(written)
    assert checked > 50


def test_a_call_lasts_as_long_in_every_report(
    account: SimulatedAccount, ended: Mapping[str, Events]
) -> None:
    dataset = {e["engagement_id"]: e for e in account.list("list_engagement_dataset")}
    calls = {c["engagement_id"]: c for c in account.list("list_voice_calls")}
    assert calls
    for engagement in account.list("list_engagements"):
        engagement_id = engagement["engagement_id"]
        lasted = dataset[engagement_id]
        assert lasted["duration"] // 1000 == engagement["duration"]
        assert lasted["conversation_duration"] // 1000 == engagement["talk_duration"]
        assert lasted["wrap_up_duration"] // 1000 == engagement["wrap_up_duration"]
        assert lasted["handle_duration"] <= lasted["duration"] + lasted["wrap_up_duration"]
        if engagement_id in calls:
            assert calls[engagement_id]["total_duration"] == engagement["duration"]


def test_dispositions_of_the_report_are_those_of_the_engagements(account: SimulatedAccount) -> None:
    window = {"from": TimeSpan(START, LATER)}
    reported = {
        (row["engagement_id"], row["disposition_name"])
        for row in account.list("list_disposition_dataset", spans=window)
    }
    assert reported == {
        (engagement["engagement_id"], disposition["disposition_name"])
        for engagement in account.list("list_engagements", spans=window)
        for disposition in engagement["dispositions"]
    }


def of(events: Events, name: str) -> Iterator[Mapping[str, Any]]:
    return (entity for event, entity in events if event == name)


def names(items: Sequence[Mapping[str, Any]], key: str, name: str) -> dict[str, Any]:
    return {item[key]: item.get(name) for item in items}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def to_the_second(text: str) -> str:
    return f"{text[:19]}Z"
