"""Recordings and voicemails, from their completion until they are deleted."""

from tests.support.simulated_account import SimulatedAccount
from tests.support.simulated_calls import CALL, add_recording


def test_the_oldest_engagements_are_forgotten_with_their_recordings() -> None:
    account = SimulatedAccount(max_engagements=2)
    for name in ("first", "second", "third"):
        members = CALL | {"engagement_id": name}
        account.happened("recording_started", recording_id=f"r {name}", **members)
    assert list(account.state.engagements) == ["second", "third"]
    assert account.state.engagement_of_recording("r first") is None
    assert account.state._engagement_of_recording.keys() == {"r second", "r third"}
    account.happened("recording_deleted", recording_id="r first")
    assert account.refusal("delete_recording", recording_id="r first") == (404, 2801)


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
    add_recording(account, "R")
    add_recording(account, "S")
    assert len(account.list("list_engagement_recordings", engagement_id="call")) == 2
    account.write("delete_engagement_recordings", engagement_id="call")
    assert account.list("list_engagement_recordings", engagement_id="call") == []


def test_the_recorder_tells_what_it_did(account: SimulatedAccount) -> None:
    add_recording(account)
    document = account.get("get_engagement_recording_status", engagement_id="call")
    assert [entry["status"] for entry in document["statuses"]] == ["start", "stop"]
    account.happened("engagement_started", **CALL | {"engagement_id": "mail", "channel": "email"})
    refused = account.refusal("get_engagement_recording_status", engagement_id="mail")
    assert refused == (400, 2814)


def test_a_voicemail_is_thrown_away_twice_before_it_is_gone(account: SimulatedAccount) -> None:
    inbox = account.company.inboxes[0]
    message = {"message_id": "M", "inbox_id": inbox.inbox_id, **CALL}
    account.happened("inbox_message_received", at_s=3, **message)
    [document] = account.list("list_inbox_messages", inbox_id=inbox.inbox_id)
    assert (document["status"], document["created_at"]) == ("normal", "2025-03-01T08:00:03Z")
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
