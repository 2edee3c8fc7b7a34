"""The natural key of an event: its parts, however they are written."""

from typing import Any

import pytest

from schemas.catalogue import events, json_schema
from schemas.envelope import Envelope
from schemas.natural_key import natural_key
from tests.support.each_case import each_case


def parts(event: str, /, **members: Any) -> tuple[str, ...]:
    account, name, *key = natural_key(Envelope("A", f"contact_center.{event}", 5, members))
    assert (account, name) == ("A", f"contact_center.{event}")
    return tuple(key)


time, time_ms = "2026-01-02T03:04:05.678Z", "1767323045678"
hash_of_hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.mark.parametrize(
    ("event", "members", "expected"),
    [
        ("engagement_ended", {"engagement_id": "E", "date_time_ms": time}, ("E", time_ms)),
        ("engagement_ended", {}, ("", "")),
        (
            "engagement_ended",
            {"engagement_id": 7, "date_time_ms": "2026-01-02T04:04:05.678+01:00"},
            ("7", time_ms),
        ),
        ("engagement_ended", {"engagement_id": "E", "date_time_ms": "soon"}, ("E", "soon")),
        (
            "engagement_consumer_sent_file",
            {"engagement_id": "E", "files": [{"file_id": "b"}, {}, {"file_id": "a"}]},
            ("E", '["a","b"]', ""),
        ),
        ("user_deleted", {"users": "nobody"}, ("", "")),
        (
            "team_members_assigned",
            {"team_id": "T", "team_role": "agent", "user_ids": ["v", "u"]},
            ("T", "agent", '["u","v"]', ""),
        ),
        (
            "engagement_user_sent_message",
            {"engagement_id": "E", "user_id": "U", "message_text": "hello"},
            ("E", "U", hash_of_hello, ""),
        ),
        ("engagement_user_sent_message", {}, ("", "", "", "")),
        (
            "engagement_conference_participant_left",
            {"conference_id": "C", "leaving_participant": {"participant_queue_id": "Q"}},
            ("C", "Q", ""),
        ),
        (
            "message_status",
            {"message_id": "M", "whatsapp_message": {"status": "read"}},
            ("M", "read", ""),
        ),
        ("recording_completed", {"recording_id": "R"}, ("R", "5")),
        ("engagement_email_transcript_completed", {"engagement_id": "E"}, ("E", "5")),
        (
            "engagement_email_transcript_completed",
            {"engagement_id": "E", "date_time_ms": time},
            ("E", time_ms),
        ),
        ("an_event_of_tomorrow", {"engagement_id": "E"}, ("E", "5")),
    ],
)
def test_the_parts_of_an_event(
    event: str, members: dict[str, Any], expected: tuple[str, ...]
) -> None:
    assert parts(event, **members) == expected


@each_case("name", events)
def test_every_part_is_a_member_of_the_event(name: str) -> None:
    schema: Any = json_schema(name)
    members = schema["properties"]["payload"]["properties"]["object"]["properties"]
    for part in events[name].natural_key:
        for path in part.removeprefix("sha256:").split("|"):
            node: Any = {"properties": {**members, "event_ts": {}}}
            for step in path.split("."):
                node = node["properties"][step.removesuffix("[]")]
                node = node["items"] if step.endswith("[]") else node
