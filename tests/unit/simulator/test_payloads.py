"""The builder of payloads: what it takes from the facts, invents, leaves out and refuses."""

import json
from collections import Counter
from random import Random

import pytest

from simulator.payloads import invented, invented_members, payload_object, render

HOLD = "contact_center.engagement_user_hold"
FACTS = {
    "engagement_id": "E1",
    "engagement_direction": "inbound",
    "channel": "voice",
    "user_id": "U1",
    "user_display_name": "Zoë Elm",
    "queue_name": "Orders",
    "queue_id": "legacy",
    "date_time_ms": "2025-03-01T10:00:00.000Z",
    "not_a_member": "ignored",
}


def test_a_member_takes_the_fact_of_its_name() -> None:
    entity = payload_object(HOLD, facts={}, known=FACTS, rng=Random(1))
    assert entity["user_display_name"] == "Zoë Elm"
    assert "not_a_member" not in entity


def test_a_given_fact_wins_over_a_known_one() -> None:
    entity = payload_object(HOLD, facts={"user_id": "U2"}, known=FACTS, rng=Random(1))
    assert entity["user_id"] == "U2"


def test_required_members_that_nobody_knows_are_invented() -> None:
    entity = payload_object(HOLD, facts={}, known={}, rng=Random(1))
    assert {"engagement_id", "engagement_direction", "channel", "user_id"} <= entity.keys()
    assert entity["channel"] in ("voice", "video")


def test_optional_members_that_nobody_knows_are_left_out() -> None:
    entity = payload_object(HOLD, facts={}, known=FACTS, rng=Random(1))
    assert "flow_id" not in entity


def test_optional_members_are_usually_there_and_deprecated_ones_sometimes() -> None:
    rng = Random(1)
    seen = Counter(
        name for _ in range(400) for name in payload_object(HOLD, facts={}, known=FACTS, rng=rng)
    )
    assert seen["user_id"] == 400
    assert 340 < seen["queue_name"] < 400
    assert 40 < seen["queue_id"] < 120


def test_an_optional_member_that_is_given_is_always_there() -> None:
    rng = Random(1)
    facts = {"queue_name": "Claims"}
    entities = [payload_object(HOLD, facts=facts, known=FACTS, rng=rng) for _ in range(100)]
    assert all(entity["queue_name"] == "Claims" for entity in entities)


def test_an_optional_member_given_as_none_is_left_out() -> None:
    rng = Random(1)
    facts = {"queue_name": None}
    entities = [payload_object(HOLD, facts=facts, known=FACTS, rng=rng) for _ in range(100)]
    assert not any("queue_name" in entity for entity in entities)


def test_an_optional_member_leaves_out_a_value_that_it_has_no_word_for() -> None:
    facts = {"channel_source": "web_chat"}
    entity = payload_object(HOLD, facts=facts, known=FACTS, rng=Random(1))
    assert "channel_source" not in entity


def test_a_list_is_left_out_when_one_of_its_items_has_no_word() -> None:
    facts = {"channel_types": ["voice", "in_app_chat"]}
    event = "contact_center.queue_created"
    entity = payload_object(event, facts=facts, known={}, rng=Random(1))
    assert "channel_types" not in entity


def test_a_required_member_refuses_a_value_that_it_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="channel: expected a known value, got 'email'"):
        payload_object(HOLD, facts={"channel": "email"}, known=FACTS, rng=Random(1))


def test_a_given_fact_without_a_member_is_refused() -> None:
    with pytest.raises(ValueError, match="expected members of its schema"):
        payload_object(HOLD, facts={"usr_id": "U2"}, known=FACTS, rng=Random(1))


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(KeyError):
        payload_object("contact_center.no_such_event", facts={}, known={}, rng=Random(1))


def test_invented_values_keep_to_types_bounds_and_formats() -> None:
    settings = invented("contact_center.user_created", "channel_settings", Random(1))
    assert isinstance(settings, dict)
    assert 0 <= settings["concurrent_message_capacity"] <= 20
    assert isinstance(settings["messaging_occupied"], bool)
    attendees = invented("contact_center.queue_scheduled_callback_created", "attendees", Random(1))
    assert isinstance(attendees, list)
    assert attendees[0]["email"] == "somebody@example.com"


def test_invented_members_are_all_but_the_deprecated() -> None:
    members = invented_members("contact_center.queue_created", Random(1))
    assert {"cc_queue_id", "max_wait_time", "queue_created_time"} <= members.keys()
    assert not {"queue_id", "date_time", "overflow_to_queue_id"} & members.keys()


def test_a_body_is_written_in_several_ways_that_mean_the_same() -> None:
    rng = Random(1)
    entity = {"message_text": "Grüße 👋 a/b", "engagement_id": "E1", "user_id": "U1"}
    bodies = {
        render("e", event_ts_ms=1, account_id="A", entity=entity, rng=rng) for _ in range(200)
    }
    assert any(b"\\ud83d\\udc4b a\\/b" in body for body in bodies)
    assert any("👋".encode() in body for body in bodies)
    assert any(body.startswith(b'{"payload"') for body in bodies)
    meaning = {"event": "e", "event_ts": 1, "payload": {"account_id": "A", "object": entity}}
    assert all(json.loads(body) == meaning for body in bodies)
