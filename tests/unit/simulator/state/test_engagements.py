"""How an engagement becomes known to the REST API, and is forgotten."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.simulated_account import LATER, START, SimulatedAccount

CALL = {
    "engagement_id": "call",
    "engagement_direction": "inbound",
    "channel": "voice",
    "flow_id": "F",
    "flow_name": "Flow",
}


@pytest.fixture
def account() -> SimulatedAccount:
    return SimulatedAccount(details_delay_s=10.0)


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def call_until_its_end(account: SimulatedAccount) -> None:
    """Tell a call of 100 seconds: 10 in the flow, 20 waiting, 70 answered, 30 of these on hold."""
    queue = account.company.queues[0]
    agent = account.company.users[5]
    here = CALL | {"cc_queue_id": queue.cc_queue_id, "queue_name": queue.queue_name}
    taken = here | {"user_id": agent.user_id, "user_display_name": agent.display_name}
    taken |= {"consumer_id": "C", "consumer_display_name": "Consumer"}
    account.happened("engagement_started", at_s=0, **CALL)
    account.happened("task_created", at_s=10, task_id="T", task_status="pending", **here)
    account.happened("task_entered_queue", at_s=10, task_id="T", **here)
    account.happened("task_updated", at_s=29, task_id="T", task_status="assigned", **here)
    account.happened("engagement_user_answered", at_s=30, **taken)
    account.happened("engagement_user_hold", at_s=40, **taken)
    account.happened("engagement_user_unhold", at_s=70, **taken)
    account.happened("engagement_ended", at_s=100, **CALL)


def test_details_are_not_there_before_the_end_then_empty_then_there(
    account: SimulatedAccount,
) -> None:
    account.happened("engagement_started", **CALL)
    assert account.refusal("get_engagement", engagement_id="call") == (404, 2901)
    account.happened("engagement_ended", at_s=100, **CALL)
    assert account.get("get_engagement", engagement_id="call", now=at(9)) == {}
    assert account.list("list_engagements", now=at(9)) == []
    assert account.get("get_engagement", engagement_id="call", now=at(10))["duration"] == 100
    assert len(account.list("list_engagements", now=at(10))) == 1


def test_details_are_there_as_soon_as_an_event_says_so(account: SimulatedAccount) -> None:
    account.happened("engagement_started", **CALL)
    account.happened("engagement_ended", at_s=100, **CALL)
    account.happened("cx_engagement_end_data_ready", at_s=101, now=at(1), **CALL)
    assert account.get("get_engagement", engagement_id="call", now=at(1))["duration"] == 100


def test_the_reports_being_ready_later_hides_nothing(account: SimulatedAccount) -> None:
    account.happened("engagement_started", **CALL)
    account.happened("engagement_ended", at_s=100, **CALL)
    account.happened("cx_engagement_end_data_ready", at_s=101, now=at(60), **CALL)
    assert account.get("get_engagement", engagement_id="call", now=at(10))["duration"] == 100


def test_a_mail_ends_with_its_last_task(account: SimulatedAccount) -> None:
    mail = {"engagement_id": "mail", "engagement_direction": "inbound", "channel": "email"}
    account.happened("task_created", task_id="T", task_status="pending", **mail)
    account.happened("task_completed", at_s=40, task_id="T", task_status="completed", **mail)
    account.happened("task_completed", at_s=90, task_id="U", task_status="completed", **mail)
    assert account.refusal("get_engagement", engagement_id="mail") == (404, 2901)
    account.happened("cx_engagement_end_data_ready", at_s=120, **mail)
    found = account.get("get_engagement", engagement_id="mail")
    assert (found["end_time"], found["duration"]) == ("2025-03-01T08:01:30Z", 90)


def test_an_engagement_without_tasks_ends_when_its_reports_are_ready(
    account: SimulatedAccount,
) -> None:
    account.happened("engagement_consumer_sent_message", message_text="Hello", **CALL)
    account.happened("cx_engagement_end_data_ready", at_s=7, **CALL)
    assert account.get("get_engagement", engagement_id="call")["duration"] == 7


def test_seconds_in_one_report_are_milliseconds_in_the_other(account: SimulatedAccount) -> None:
    call_until_its_end(account)
    document = account.get("get_engagement", engagement_id="call")
    v1 = {name: document[f"{name}_duration"] for name in ("flow", "waiting", "talk", "handling")}
    assert v1 == {"flow": 10, "waiting": 19, "talk": 40, "handling": 70}
    [v2] = account.list("list_engagement_dataset")
    assert (v2["duration"], v2["conversation_duration"], v2["hold_duration"]) == (
        100_000,
        40_000,
        30_000,
    )
    assert (v2["hold_count"], v2["abandoned_count"]) == (1, 0)


def test_a_queue_has_both_of_its_ids(account: SimulatedAccount) -> None:
    call_until_its_end(account)
    queue = account.company.queues[0]
    [told] = account.get("get_engagement", engagement_id="call")["queues"]
    assert (told["cc_queue_id"], told["queue_id"]) == (queue.cc_queue_id, queue.queue_id)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), "in_flow"),
        (("task_created",), "ringing"),
        (("task_created", "task_entered_queue"), "in_queue"),
        (("task_created", "engagement_user_answered"), "assigned"),
        (("task_created", "engagement_user_answered", "engagement_user_hold"), "assigned(on_hold)"),
    ],
)
def test_an_open_engagement_says_how_far_it_is(
    account: SimulatedAccount, events: tuple[str, ...], status: str
) -> None:
    for event in ("engagement_started", *events):
        account.happened(event, task_id="T", **CALL)
    [open_engagement] = account.list("list_open_engagements")
    assert open_engagement["status"] == status
    account.happened("engagement_ended", at_s=1, **CALL)
    assert account.list("list_open_engagements") == []


def test_the_history_is_for_speech_alone_and_appears_with_the_details(
    account: SimulatedAccount,
) -> None:
    account.happened("engagement_started", **CALL)
    account.happened("engagement_started", **CALL | {"engagement_id": "chat", "channel": "email"})
    assert account.refusal("list_engagement_events", engagement_id="chat") == (400, 7001)
    assert account.refusal("list_engagement_events", engagement_id="call") == (404, 2901)
    account.happened("engagement_ended", at_s=5, **CALL)
    events = account.list("list_engagement_events", engagement_id="call")
    assert [event["event_name"] for event in events] == ["started", "ended"]


def test_a_survey_is_absent_until_it_is_sent_and_has_no_answer_until_it_is_completed(
    account: SimulatedAccount,
) -> None:
    survey = CALL | {"survey_id": "S", "survey_trigger_from": "queue"}
    account.happened("engagement_started", **CALL)
    assert account.refusal("get_engagement_survey", engagement_id="call") == (404, 404)
    account.happened("engagement_survey_status", survey_status="sent", **survey)
    assert account.refusal("get_engagement_survey", engagement_id="call") == (444, 444)
    account.happened(
        "engagement_survey_status",
        survey_status="question_submitted",
        survey_question_id="Q",
        **survey,
    )
    account.happened("engagement_survey_status", survey_status="completed", **survey)
    document = account.get("get_engagement_survey", engagement_id="call")
    assert (document["survey_id"], document["survey_trigger_level"]) == ("S", 0)
    assert [answer["question_id"] for answer in document["survey_results"]] == ["Q"]


def test_a_survey_without_told_questions_has_an_answer_all_the_same(
    account: SimulatedAccount,
) -> None:
    survey = CALL | {"survey_id": "S", "survey_trigger_from": "flow"}
    account.happened("engagement_survey_status", survey_status="completed", **survey)
    document = account.get("get_engagement_survey", engagement_id="call")
    assert document["survey_trigger_level"] == 1
    assert len(document["survey_results"]) == 1


@pytest.mark.parametrize(
    ("operation_name", "path", "code"),
    [
        ("get_engagement", {}, 2901),
        ("get_engagement_survey", {}, 404),
        ("get_engagement_note", {"note_id": "N"}, 2701),
        ("get_engagement_follow_up_task", {"task_id": "N"}, 13002),
        ("list_engagement_recordings", {}, 2805),
        ("get_engagement_recording_status", {}, 2901),
    ],
)
def test_an_unknown_engagement_is_answered_404(
    account: SimulatedAccount, operation_name: str, path: dict[str, str], code: int
) -> None:
    assert account.refusal(operation_name, engagement_id="none", **path) == (404, code)


def test_a_known_engagement_has_no_note_or_task_of_an_unknown_id(account: SimulatedAccount) -> None:
    account.happened("engagement_started", **CALL)
    here = {"engagement_id": "call"}
    assert account.refusal("get_engagement_note", note_id="N", **here) == (404, 2701)
    assert account.refusal("get_engagement_follow_up_task", task_id="N", **here) == (404, 13002)


def test_messages_of_an_unknown_engagement_are_answered_404(account: SimulatedAccount) -> None:
    question = {"engagement_id": "none"}
    assert account.refusal("list_messaging_messages", query=question)[0] == 404


def test_a_note_that_is_changed_by_request_reads_so_everywhere(account: SimulatedAccount) -> None:
    note = {"note_id": "N", "note": "old", "last_modified_time": "2025-03-01T08:00:00Z"}
    account.happened("engagement_note_added", user_id="U", **note, **CALL)
    account.happened("engagement_ended", at_s=1, **CALL)
    assert account.list("list_engagements")[0]["notes"][0]["note"] == "old"
    where = {"engagement_id": "call", "note_id": "N"}
    account.write("update_engagement_note", body={"note": "new"}, **where)
    found = account.get("get_engagement_note", **where)
    assert (found["note"], found["last_modified_time"]) == ("new", "2025-03-01T14:00:00Z")
    assert account.list("list_engagements")[0]["notes"][0]["note"] == "new"
    assert [n["note"] for n in account.list("list_notes")] == ["new"]


def test_a_follow_up_task_that_is_changed_by_request_reads_so(account: SimulatedAccount) -> None:
    task = {"task_id": "T", "user_id": "U"}
    account.happened("engagement_follow_up_task_created", content="old", **task, **CALL)
    account.happened("engagement_follow_up_task_updated", at_s=9, content="later", **task, **CALL)
    where = {"engagement_id": "call", "task_id": "T"}
    found = account.get("get_engagement_follow_up_task", **where)
    assert (found["content"], found["create_time"], found["update_time"]) == (
        "later",
        "2025-03-01T08:00:00Z",
        "2025-03-01T08:00:09Z",
    )
    account.write("update_engagement_follow_up_task", body={"content": "new"}, **where)
    found = account.get("get_engagement_follow_up_task", **where)
    assert (found["content"], found["update_time"]) == ("new", "2025-03-01T14:00:00Z")


def test_files_are_attachments_and_messages_with_links_to_this_api(
    account: SimulatedAccount,
) -> None:
    told = {"file_id": "f", "file_name": "a.pdf", "file_size": 9, "file_type": "File"}
    file = told | {"download_url": "https://zoom.example/attachments/f"}
    people = {"user_id": "U", "user_display_name": "A", "consumer_id": "C"}
    account.happened("engagement_user_sent_file", files=[file], **people, **CALL)
    account.happened("engagement_consumer_sent_message", message_text="Hi", **people, **CALL)
    [attachment] = account.list("list_engagement_attachments", engagement_id="call")
    link = "http://127.0.0.1:1/v2/contact_center/attachments/f/download?type=messaging_attachment"
    assert (attachment["attachment_id"], attachment["attachment_url"]) == ("f", link)
    sent, written = account.list("list_messaging_messages", query={"engagement_id": "call"})
    assert (sent["content"], sent["sender_participant_id"]) == (
        {"type": "attachment", "value": link},
        "U",
    )
    assert (written["content"]["value"], written["sender_participant_id"]) == ("Hi", "C")


def test_the_oldest_engagements_are_forgotten_with_their_recordings() -> None:
    account = SimulatedAccount(max_engagements=2)
    for name in ("first", "second", "third"):
        told = CALL | {"engagement_id": name}
        account.happened("recording_started", recording_id=f"r {name}", **told)
    assert list(account.state.engagements) == ["second", "third"]
    assert account.state.engagement_of_recording("r first") is None
    assert account.state._engagement_of_recording.keys() == {"r second", "r third"}
    account.happened("recording_deleted", recording_id="r first")
    assert account.refusal("delete_recording", recording_id="r first") == (404, 2801)


def recorded(account: SimulatedAccount, recording_id: str = "R") -> None:
    told = CALL | {"recording_id": recording_id}
    account.happened("recording_started", at_s=10, **told)
    account.happened("recording_stopped", at_s=40, **told)
    account.happened("recording_completed", at_s=60, **told)


def test_a_recording_is_listed_from_its_completion_until_it_is_deleted(
    account: SimulatedAccount,
) -> None:
    account.happened("recording_started", at_s=10, recording_id="R", **CALL)
    assert account.list("list_recordings") == []
    account.happened("recording_stopped", at_s=40, recording_id="R", **CALL)
    account.happened("recording_completed", at_s=60, recording_id="R", **CALL)
    [recording] = account.list("list_recordings")
    assert (recording["recording_start_time"], recording["recording_duration"]) == (
        "2025-03-01T08:00:10Z",
        30,
    )
    assert recording["download_url"].startswith("http://127.0.0.1:1/v2/contact_center/recording/")
    account.write("delete_recording", recording_id="R")
    assert account.list("list_recordings") == []
    assert account.refusal("delete_recording", recording_id="R") == (404, 2801)


def test_recordings_of_an_engagement_are_deleted_together(account: SimulatedAccount) -> None:
    recorded(account, "R")
    recorded(account, "S")
    assert len(account.list("list_engagement_recordings", engagement_id="call")) == 2
    account.write("delete_engagement_recordings", engagement_id="call")
    assert account.list("list_engagement_recordings", engagement_id="call") == []


def test_the_recorder_tells_what_it_did(account: SimulatedAccount) -> None:
    recorded(account)
    document = account.get("get_engagement_recording_status", engagement_id="call")
    assert [entry["status"] for entry in document["statuses"]] == ["start", "stop"]
    account.happened("engagement_started", **CALL | {"engagement_id": "mail", "channel": "email"})
    refused = account.refusal("get_engagement_recording_status", engagement_id="mail")
    assert refused == (400, 2814)


def test_a_voicemail_is_thrown_away_twice_before_it_is_gone(account: SimulatedAccount) -> None:
    inbox = account.company.inboxes[0]
    message = {"message_id": "M", "inbox_id": inbox.inbox_id, **CALL}
    account.happened("inbox_message_received", at_s=3, **message)
    [found] = account.list("list_inbox_messages", inbox_id=inbox.inbox_id)
    assert (found["status"], found["created_at"]) == ("normal", "2025-03-01T08:00:03Z")
    where = {"inbox_id": inbox.inbox_id, "message_id": "M"}
    account.write("delete_inbox_message", **where)
    assert account.list("list_messages_of_inboxes")[0]["status"] == "deleted"
    account.write("delete_inbox_message", **where)
    assert account.list("list_messages_of_inboxes") == []
    assert account.refusal("delete_inbox_message", **where) == (404, 3101)


def test_events_delete_voicemails_softly_and_for_good(account: SimulatedAccount) -> None:
    inbox = account.company.inboxes[0]
    message = {"message_id": "M", "inbox_id": inbox.inbox_id, **CALL}
    account.happened("inbox_message_received", **message)
    account.happened("inbox_message_deleted", delete_type="Soft delete", **message)
    assert account.list("list_messages_of_inboxes")[0]["status"] == "deleted"
    account.happened("inbox_message_deleted", delete_type="Hard delete", **message)
    assert account.list("list_messages_of_inboxes") == []


def test_a_voicemail_is_in_its_own_inbox_alone(account: SimulatedAccount) -> None:
    first, second = account.company.inboxes
    account.happened("inbox_message_received", message_id="M", inbox_id=first.inbox_id, **CALL)
    assert account.list("list_inbox_messages", inbox_id=second.inbox_id) == []
    where = {"inbox_id": second.inbox_id, "message_id": "M"}
    assert account.refusal("delete_inbox_message", **where) == (404, 3101)


@pytest.mark.parametrize(
    ("events", "result"),
    [
        (("task_entered_queue", "engagement_user_answered"), "completed"),
        (("task_entered_queue",), "long_abandoned"),
        (("task_entered_queue", "inbox_message_received"), "overflowed_to_inbox"),
        ((), "missed"),
    ],
)
def test_a_call_says_how_it_went(
    account: SimulatedAccount, events: tuple[str, ...], result: str
) -> None:
    account.happened("engagement_started", **CALL)
    for event in events:
        account.happened(event, message_id="M", inbox_id="I", **CALL)
    account.happened("engagement_ended", at_s=1, **CALL)
    [call] = account.list("list_voice_calls")
    assert call["result"] == result
    assert "voice_call_details" not in call
    [detailed] = account.list("list_voice_calls", query={"view_type": "detail"})
    assert detailed["voice_call_details"][0]["result"] == result


def test_a_list_follows_what_happens_after_it_was_asked_for(account: SimulatedAccount) -> None:
    call_until_its_end(account)
    [call] = account.list("list_voice_calls")
    assert (call["monitored"], call["recorded"]) == (False, False)
    account.happened("engagement_monitor_started", **CALL)
    recorded(account)
    [call] = account.list("list_voice_calls")
    assert (call["monitored"], call["recorded"]) == (True, True)


def test_a_master_account_sees_its_own_sub_account_alone(account: SimulatedAccount) -> None:
    call_until_its_end(account)
    own = account.company.account_id
    assert len(account.list("list_account_voice_calls", account_id=own)) == 1
    assert account.refusal("list_account_voice_calls", account_id="other")[0] == 404


def test_text_messages_are_counted_by_direction(account: SimulatedAccount) -> None:
    told = CALL | {"channel": "messaging", "channel_source": "sms", "message_text": "Hi"}
    for who in ("consumer", "user", "user"):
        account.happened(f"engagement_{who}_sent_message", **told)
    account.happened("engagement_ended", at_s=1, **told)
    [log] = account.list("list_sms")
    assert (log["total_received_messages"], log["total_sent_messages"]) == (1, 2)


def test_an_engagement_is_reported_for_each_queue_it_was_in(account: SimulatedAccount) -> None:
    call_until_its_end(account)
    first, second = account.company.queues[0], account.company.queues[4]
    told = CALL | {"engagement_id": "moved"}
    for queue in (first, second):
        here = told | {"cc_queue_id": queue.cc_queue_id}
        account.happened("task_entered_queue", task_id="T", **here)
        account.happened("task_exited_queue", at_s=4, task_id="T", **here)
    account.happened("engagement_ended", at_s=5, **told)
    stays = account.list("list_queue_performance_dataset")
    stays_moved = [stay for stay in stays if stay["engagement_id"] == "moved"]
    assert {stay["queue_id"] for stay in stays_moved} == {first.cc_queue_id, second.cc_queue_id}
    assert sum("in_queue_wait_duration" in stay for stay in stays_moved) == 1


def test_an_engagement_without_queue_is_in_no_report_of_queues(account: SimulatedAccount) -> None:
    account.happened("engagement_disposition_added", disposition_id="D", user_id="U", **CALL)
    account.happened("engagement_ended", at_s=5, **CALL)
    assert account.list("list_queue_performance_dataset") == []


def test_a_warm_transfer_is_completed_once(account: SimulatedAccount) -> None:
    transfer = CALL | {"task_id": "T", "transfer_to_task_id": "U", "transfer_type": "warm"}
    for step in ("initiated", "accepted", "completed"):
        account.happened(f"engagement_transfer_{step}", **transfer)
    account.happened("engagement_conference_participant_joined", **CALL)
    account.happened("engagement_ended", at_s=5, **CALL)
    [row] = account.list("list_engagement_dataset")
    assert (row["transfer_initiated_count"], row["transfer_completed_count"]) == (1, 1)
    assert row["conference_count"] == 1
    assert account.list("list_engagements")[0]["transfer_count"] == 1


def test_an_event_without_time_of_its_own_happened_when_it_says_it_was_sent(
    account: SimulatedAccount,
) -> None:
    body = {
        "event": "contact_center.engagement_started",
        "event_ts": round(START.timestamp() * 1000) + 5_000,
        "payload": {"account_id": "A", "object": CALL},
    }
    account.state.happened(body, START)
    [found] = account.list("list_open_engagements")
    assert found["start_time"] == "2025-03-01T08:00:05Z"


def test_someone_whom_the_directory_no_longer_knows_keeps_the_name_of_the_event(
    account: SimulatedAccount,
) -> None:
    told = {"user_id": "gone", "user_display_name": "Was Here", "teams": [{"team_id": "X"}]}
    account.happened("engagement_user_answered", **told, **CALL)
    account.happened("engagement_ended", at_s=5, **CALL)
    [call] = account.list("list_voice_calls", now=LATER)
    [agent] = call["agents"]
    assert (agent["user_id"], agent["display_name"]) == ("gone", "Was Here")
