"""How an engagement becomes known to the REST API, and is forgotten."""

import pytest

from tests.support.simulated_account import SimulatedAccount
from tests.support.simulated_calls import CALL, add_call, at


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
    document = account.get("get_engagement", engagement_id="mail")
    assert (document["end_time"], document["duration"]) == ("2025-03-01T08:01:30Z", 90)


def test_an_engagement_without_tasks_ends_when_its_reports_are_ready(
    account: SimulatedAccount,
) -> None:
    account.happened("engagement_consumer_sent_message", message_text="Hello", **CALL)
    account.happened("cx_engagement_end_data_ready", at_s=7, **CALL)
    assert account.get("get_engagement", engagement_id="call")["duration"] == 7


def test_seconds_in_one_report_are_milliseconds_in_the_other(account: SimulatedAccount) -> None:
    add_call(account)
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
    add_call(account)
    queue = account.company.queues[0]
    [reported] = account.get("get_engagement", engagement_id="call")["queues"]
    assert (reported["cc_queue_id"], reported["queue_id"]) == (queue.cc_queue_id, queue.queue_id)


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


def test_a_survey_without_known_questions_has_an_answer_all_the_same(
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
    document = account.get("get_engagement_note", **where)
    assert (document["note"], document["last_modified_time"]) == ("new", "2025-03-01T14:00:00Z")
    assert account.list("list_engagements")[0]["notes"][0]["note"] == "new"
    assert [n["note"] for n in account.list("list_notes")] == ["new"]


def test_a_follow_up_task_that_is_changed_by_request_reads_so(account: SimulatedAccount) -> None:
    task = {"task_id": "T", "user_id": "U"}
    account.happened("engagement_follow_up_task_created", content="old", **task, **CALL)
    account.happened("engagement_follow_up_task_updated", at_s=9, content="later", **task, **CALL)
    where = {"engagement_id": "call", "task_id": "T"}
    document = account.get("get_engagement_follow_up_task", **where)
    assert (document["content"], document["create_time"], document["update_time"]) == (
        "later",
        "2025-03-01T08:00:00Z",
        "2025-03-01T08:00:09Z",
    )
    account.write("update_engagement_follow_up_task", body={"content": "new"}, **where)
    document = account.get("get_engagement_follow_up_task", **where)
    assert (document["content"], document["update_time"]) == ("new", "2025-03-01T14:00:00Z")


def test_files_are_attachments_and_messages_with_links_to_this_api(
    account: SimulatedAccount,
) -> None:
    members = {"file_id": "f", "file_name": "a.pdf", "file_size": 9, "file_type": "File"}
    file = members | {"download_url": "https://zoom.example/attachments/f"}
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
