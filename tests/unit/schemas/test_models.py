"""Models take whatever comes, keep what they can, and say what departs from the contract."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.catalogue import events, example
from schemas.drift import DriftKind
from schemas.envelope import UnreadableError
from schemas.models import ContractError, Event, EventObject, model_for, read
from schemas.models.conference import EngagementConferenceParticipantJoined
from schemas.models.engagement import EngagementStarted, EngagementUpgradeInitiated
from schemas.models.message_delivery import MessageStatus
from schemas.models.task import TaskCreated
from schemas.models.team import TeamUpdated
from tests.support.each_case import each_case

in_object = "payload.object."


def body(event: str, **changes: Any) -> bytes:
    """The example of an event with members of its object changed; ``...`` takes one out."""
    document = orjson.loads(example(f"contact_center.{event}"))
    members = {**document["payload"]["object"], **changes}
    document["payload"]["object"] = {k: v for k, v in members.items() if v is not ...}
    return orjson.dumps(document)


def drift(text: bytes) -> list[tuple[DriftKind, str]]:
    return [(each.kind, each.path.removeprefix(in_object)) for each in read(text).drift]


def test_an_event_is_read_into_its_own_class() -> None:
    event, departures = read(example("contact_center.engagement_started"))
    assert departures == ()
    assert isinstance(event, EngagementStarted)
    assert event.event == "contact_center.engagement_started"
    assert event.event_ts == 1_768_469_400_456
    assert event.payload.account_id == "example-account"
    assert event.payload.object.engagement_id == "example-engagement-1"
    assert event.payload.object.date_time_ms == datetime(2026, 1, 15, 9, 30, 0, 123_000, UTC)
    assert event.enrichment is None


@each_case("name", events)
def test_every_known_event_has_a_class_of_its_name(name: str) -> None:
    model = model_for(name)
    assert model.__name__ == events[name].class_name
    assert model.__module__ == f"schemas.models.{events[name].family}"
    assert read(example(name), strict=True).event.event == name


def test_classes_are_all_different() -> None:
    assert len({model_for(name) for name in events}) == len(events)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05.678Z", datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)),
        ("2026-01-02T03:04:05", datetime(2026, 1, 2, 3, 4, 5, 0, UTC)),
        (
            "2026-01-02T03:04:05+02:00",
            datetime(2026, 1, 2, 3, 4, 5, 0, timezone(timedelta(hours=2))),
        ),
    ],
)
def test_times_know_their_zone(text: str, moment: datetime) -> None:
    event, departures = read(body("engagement_started", date_time_ms=text))
    assert isinstance(event, EngagementStarted)
    assert event.payload.object.date_time_ms == moment
    assert event.payload.object.date_time_ms.tzinfo is not None
    assert departures == ()


def test_unknown_members_and_values_are_kept_and_reported() -> None:
    text = body("engagement_started", channel="telepathy", mood="good", date_time_ms=...)
    event, _ = read(text)
    assert isinstance(event, EngagementStarted)
    assert event.payload.object.channel == "telepathy"
    assert event.payload.object.model_extra == {"mood": "good"}
    assert event.payload.object.date_time_ms is None
    assert set(drift(text)) == {
        (DriftKind.UNKNOWN_FIELD, "mood"),
        (DriftKind.UNKNOWN_ENUM_VALUE, "channel"),
        (DriftKind.MISSING_REQUIRED, "date_time_ms"),
    }


@pytest.mark.parametrize(
    ("changes", "departures"),
    [
        ({"engagement_id": 7}, [(DriftKind.WRONG_TYPE, "engagement_id")]),
        ({"engagement_id": None}, [(DriftKind.WRONG_TYPE, "engagement_id")]),
        ({"flow_id": None}, [(DriftKind.WRONG_TYPE, "flow_id")]),
        ({"flow_id": ...}, []),
        ({"engagement_id": ...}, [(DriftKind.MISSING_REQUIRED, "engagement_id")]),
        ({"date_time_ms": "soon"}, [(DriftKind.WRONG_TYPE, "date_time_ms")]),
        ({"date_time_ms": 1_768_469_400_123}, [(DriftKind.WRONG_TYPE, "date_time_ms")]),
        ({"channel": 7}, [(DriftKind.WRONG_TYPE, "channel")]),
        ({"users": {}}, [(DriftKind.WRONG_TYPE, "users")]),
        ({"users": [7, {"user_id": "U"}]}, [(DriftKind.WRONG_TYPE, "users[]")]),
        ({"users": [{"user_id": 7}]}, [(DriftKind.WRONG_TYPE, "users[].user_id")]),
        ({"users": [{}, {}]}, [(DriftKind.MISSING_REQUIRED, "users[].user_id")]),
        ({"users": [{"user_id": "U", "x": 1}]}, [(DriftKind.UNKNOWN_FIELD, "users[].x")]),
        (
            {"users": [{"user_id": "U", "teams": [{}, {"team_id": []}]}]},
            [(DriftKind.WRONG_TYPE, "users[].teams[].team_id")],
        ),
    ],
)
def test_each_departure_is_reported_once_with_its_path(
    changes: dict[str, Any], departures: list[tuple[DriftKind, str]]
) -> None:
    assert drift(body("engagement_upgrade_initiated", **changes)) == departures


def test_what_is_of_another_type_is_left_out_and_the_rest_is_there() -> None:
    users = [7, {"user_id": "U"}, "x", {"user_id": 9}]
    event, _ = read(body("engagement_upgrade_initiated", users=users, engagement_id=[]))
    assert isinstance(event, EngagementUpgradeInitiated)
    assert event.payload.object.engagement_id is None
    assert event.payload.object.users is not None
    assert [user.user_id for user in event.payload.object.users] == ["U", None]
    assert event.payload.object.flow_id == "example-flow-1"


def test_a_number_that_no_float_holds_is_left_out_where_another_value_is_wrong_too() -> None:
    text = body("task_created", task_id=7).replace(
        b'"task_priority":10', b'"task_priority":1' + b"0" * 30
    )
    assert set(drift(text)) == {
        (DriftKind.WRONG_TYPE, "task_id"),
        (DriftKind.WRONG_TYPE, "task_priority"),
    }


def test_an_event_without_its_object_has_an_empty_one() -> None:
    text = b'{"event":"contact_center.team_updated","event_ts":1,"payload":{"account_id":"A"}}'
    event, _ = read(text)
    assert isinstance(event, TeamUpdated)
    assert event.payload.object.team_id is None
    assert drift(text) == [(DriftKind.MISSING_REQUIRED, "payload.object")]


def test_a_whole_number_written_as_a_fraction_is_left_out_and_reported() -> None:
    event, _ = read(text := body("task_created", task_priority=5.0))
    assert isinstance(event, TaskCreated)
    assert event.payload.object.task_priority is None
    assert drift(text) == [(DriftKind.WRONG_TYPE, "task_priority")]


def test_members_next_to_the_envelope_are_reported() -> None:
    document = orjson.loads(example("contact_center.team_updated"))
    document["new"], document["payload"]["newer"] = 1, 2
    paths = {each.path for each in read(orjson.dumps(document)).drift}
    assert paths == {"new", "payload.newer"}


def test_a_member_whose_name_python_keeps_for_itself_has_an_underscore() -> None:
    event, departures = read(body("message_status", **{"from": "+12025550123"}))
    assert isinstance(event, MessageStatus)
    assert event.payload.object.from_ == "+12025550123"
    assert departures == ()
    assert drift(body("message_status", **{"from": 7})) == [(DriftKind.WRONG_TYPE, "from")]


def test_objects_that_look_alike_are_of_one_class() -> None:
    event, _ = read(example("contact_center.engagement_conference_participant_joined"))
    assert isinstance(event, EngagementConferenceParticipantJoined)
    assert type(event.payload.object.joining_participant).__name__ == "Participant"


def test_an_unknown_event_is_read_and_only_reported_as_such() -> None:
    text = example("contact_center.team_updated").replace(b"team_updated", b"team_of_tomorrow")
    event, _ = read(text)
    assert type(event) is Event[EventObject]
    assert event.payload.object.model_extra is not None
    assert event.payload.object.model_extra["team_id"] == "example-team-1"
    assert drift(text) == [(DriftKind.UNKNOWN_EVENT, "event")]


def test_a_strict_reader_refuses_what_departs_and_names_no_value() -> None:
    with pytest.raises(ContractError) as raised:
        read(body("engagement_started", channel="secret", mood="secret"), strict=True)
    assert str(raised.value) == (
        "contact_center.engagement_started: "
        "unknown_enum_value payload.object.channel, unknown_field payload.object.mood"
    )
    assert len(raised.value.drift) == 2


def test_what_is_no_event_is_unreadable() -> None:
    with pytest.raises(UnreadableError):
        read(b'{"event":"x"}')


def test_to_read_a_deprecated_member_warns() -> None:
    event, _ = read(example("contact_center.engagement_started"))
    assert isinstance(event, EngagementStarted)
    with pytest.warns(DeprecationWarning, match="on its way out"):
        assert event.payload.object.date_time is not None


def test_models_are_frozen() -> None:
    event, _ = read(example("contact_center.engagement_started"))
    with pytest.raises(ValidationError):
        event.event_ts = 1


def test_an_enriched_event_has_its_names() -> None:
    document = orjson.loads(example("contact_center.engagement_started"))
    document["enrichment"] = {
        "status": "complete",
        "revision": 1,
        "entities": {"queue": {"Q": {"cc_queue_id": "q", "queue_name": "Sales", "new": 1}}},
        "missing": [],
        "enriched_at": "2026-01-15T09:30:01.000Z",
        "new": "kept",
    }
    event, departures = read(orjson.dumps(document), strict=True)
    assert event.enrichment is not None
    assert event.enrichment.entities.queue["Q"].queue_name == "Sales"
    assert event.enrichment.model_extra == {"new": "kept"}
    assert departures == ()


@pytest.mark.parametrize("wrong", [7, {}, {"status": "complete", "users": {"U": {"user_id": 7}}}])
def test_an_enrichment_that_is_none_of_ours_is_left_out(wrong: object) -> None:
    document = orjson.loads(example("contact_center.engagement_started"))
    document["enrichment"] = wrong
    text = orjson.dumps(document)
    assert read(text).event.enrichment is None
    assert drift(text) == [(DriftKind.WRONG_TYPE, "enrichment")]
