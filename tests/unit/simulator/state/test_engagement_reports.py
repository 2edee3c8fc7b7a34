"""What lists and reports say of an engagement."""

import pytest

from tests.support.simulated_account import LATER, START, SimulatedAccount
from tests.support.simulated_calls import CALL, add_call, add_recording


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


def test_a_list_follows_what_happens_after_its_first_request(account: SimulatedAccount) -> None:
    add_call(account)
    [call] = account.list("list_voice_calls")
    assert (call["monitored"], call["recorded"]) == (False, False)
    account.happened("engagement_monitor_started", **CALL)
    add_recording(account)
    [call] = account.list("list_voice_calls")
    assert (call["monitored"], call["recorded"]) == (True, True)


def test_a_master_account_sees_its_own_sub_account_alone(account: SimulatedAccount) -> None:
    add_call(account)
    own = account.company.account_id
    assert len(account.list("list_account_voice_calls", account_id=own)) == 1
    assert account.refusal("list_account_voice_calls", account_id="other")[0] == 404


def test_text_messages_are_counted_by_direction(account: SimulatedAccount) -> None:
    message = CALL | {"channel": "messaging", "channel_source": "sms", "message_text": "Hi"}
    for who in ("consumer", "user", "user"):
        account.happened(f"engagement_{who}_sent_message", **message)
    account.happened("engagement_ended", at_s=1, **message)
    [log] = account.list("list_sms")
    assert (log["total_received_messages"], log["total_sent_messages"]) == (1, 2)


def test_an_engagement_is_reported_for_each_queue_it_was_in(account: SimulatedAccount) -> None:
    add_call(account)
    first, second = account.company.queues[0], account.company.queues[4]
    engagement = CALL | {"engagement_id": "moved"}
    for queue in (first, second):
        here = engagement | {"cc_queue_id": queue.cc_queue_id}
        account.happened("task_entered_queue", task_id="T", **here)
        account.happened("task_exited_queue", at_s=4, task_id="T", **here)
    account.happened("engagement_ended", at_s=5, **engagement)
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
    [engagement] = account.list("list_open_engagements")
    assert engagement["start_time"] == "2025-03-01T08:00:05Z"


def test_someone_whom_the_directory_no_longer_knows_keeps_the_name_of_the_event(
    account: SimulatedAccount,
) -> None:
    user = {"user_id": "gone", "user_display_name": "Was Here", "teams": [{"team_id": "X"}]}
    account.happened("engagement_user_answered", **user, **CALL)
    account.happened("engagement_ended", at_s=5, **CALL)
    [call] = account.list("list_voice_calls", now=LATER)
    [agent] = call["agents"]
    assert (agent["user_id"], agent["display_name"]) == ("gone", "Was Here")
