"""Where a body departs from the contract, and what a report makes of many."""

import copy
from typing import Any

import orjson
import pytest

from schemas.catalogue import events, example, json_schema
from schemas.drift import Drift, DriftKind, compiled, departures, drift_of
from schemas.drift_report import DriftReport, Finding
from schemas.inference import InferredShape
from tests.support.each_case import each_case

STARTED = "contact_center.engagement_started"
ANSWERED = "contact_center.engagement_user_answered"


def body(event: str = STARTED, **changes: Any) -> dict[str, Any]:
    """The example with members of its object changed; ``...`` takes one out."""
    made: dict[str, Any] = orjson.loads(example(event))
    members = {**made["payload"]["object"], **changes}
    made["payload"]["object"] = {k: v for k, v in members.items() if v is not ...}
    return made


def paths(drift: Any) -> list[tuple[str, str]]:
    return [(each.kind.value, each.path.removeprefix("payload.object.")) for each in drift]


@each_case("event", events)
def test_what_the_contract_has_is_no_drift(event: str) -> None:
    assert drift_of(orjson.loads(example(event)), event) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"novel": {"deep": 1}}, ("unknown_field", "novel")),
        ({"channel": "telepathy"}, ("unknown_enum_value", "channel")),
        ({"engagement_id": 7}, ("wrong_type", "engagement_id")),
        ({"engagement_id": None}, ("wrong_type", "engagement_id")),
        ({"date_time_ms": "soon"}, ("wrong_type", "date_time_ms")),
        ({"channel": 7}, ("wrong_type", "channel")),
        ({"engagement_id": ...}, ("missing_required", "engagement_id")),
    ],
)
def test_each_kind_of_drift_is_found_at_its_place(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert paths(drift_of(body(**changes), STARTED)) == [expected]


def test_drift_inside_arrays_is_found_at_every_item() -> None:
    teams = [{"team_id": 1, "new": True}, "no object", {"team_id": "t", "team_name": "n"}]
    assert paths(drift_of(body(ANSWERED, teams=teams), ANSWERED)) == [
        ("wrong_type", "teams[].team_id"),
        ("unknown_field", "teams[].new"),
        ("wrong_type", "teams[]"),
    ]


def test_an_unknown_event_is_one_departure_whatever_it_holds() -> None:
    event = {"event": "contact_center.new", "strange": 1}
    assert drift_of(event, "contact_center.new") == (
        Drift(DriftKind.UNKNOWN_EVENT, ("event",), event),
    )


def test_json_makes_no_difference_between_a_number_and_the_same_integer() -> None:
    contract = compiled(
        {
            "properties": {
                "whole": {"type": "integer"},
                "any": {"type": "number"},
                "open": {"type": "array"},
                "free": {"type": "object"},
                "either": {"type": ["string", "null"], "format": "date-time"},
            }
        }
    )
    fine = {"whole": 1.0, "any": 1, "open": [1, "x"], "free": {"x": 1}, "either": None}
    assert departures(fine, contract) == []
    wrong = {"whole": 1.5, "any": True, "open": {}, "free": [], "either": "soon"}
    assert [each.path for each in departures(wrong, contract)] == list(wrong)


def test_a_report_counts_bodies_types_and_values() -> None:
    report = DriftReport()
    report.note(body(channel="telepathy", novel=1), STARTED)
    report.note(body(channel="telepathy", novel="x"), STARTED)
    report.note(body(), STARTED)
    assert report.bodies == {STARTED: 3}
    at = "payload.object."
    assert report.findings() == [
        Finding(
            STARTED,
            DriftKind.UNKNOWN_ENUM_VALUE,
            f"{at}channel",
            2,
            {"string": 2},
            ("telepathy",),
        ),
        Finding(STARTED, DriftKind.UNKNOWN_FIELD, f"{at}novel", 2, {"integer": 1, "string": 1}, ()),
    ]


def test_the_patch_of_each_kind_says_what_would_take_it_in() -> None:
    report = DriftReport()
    spoilt = body(
        channel="telepathy",
        novel={"since": "2026-01-01T00:00:00Z", "user_email": "a@example.com"},
        flow_id=None,
        date_time_ms="soon",
        engagement_id=...,
        engagement_direction=...,
    )
    report.note(spoilt, STARTED)
    known = json_schema(STARTED)["properties"]["payload"]["properties"]["object"]  # type: ignore[index]  # JSON
    members = report.patches()[STARTED]["properties"]["payload"]["properties"]["object"]  # type: ignore[index]  # JSON
    assert members["required"] == ["channel", "date_time_ms"]
    assert members["properties"] == {
        "channel": {
            "x-known-values": [*known["properties"]["channel"]["x-known-values"], "telepathy"]
        },
        "flow_id": {"type": ["string", "null"]},
        "date_time_ms": {"format": None},
        "novel": {
            "type": "object",
            "properties": {
                "since": {"type": "string", "format": "date-time", "x-data-class": "none"},
                "user_email": {"type": "string", "x-data-class": "personal"},
            },
        },
    }


def test_a_patch_reaches_into_the_items_of_an_array() -> None:
    report = DriftReport()
    report.note(body(ANSWERED, teams=[{"new": True}]), ANSWERED)
    teams = report.patches()[ANSWERED]["properties"]["payload"]["properties"]["object"]  # type: ignore[index]  # JSON
    assert teams == {
        "properties": {
            "teams": {"items": {"properties": {"new": {"type": "boolean", "x-data-class": "none"}}}}
        }
    }


def test_what_is_no_longer_required_at_all_loses_the_keyword() -> None:
    report = DriftReport()
    event = {"event": STARTED}
    report.note(event, STARTED)
    assert report.patches()[STARTED] == {"required": ["event"]}
    bare = copy.deepcopy(body())
    bare["payload"]["object"] = {}
    report.note(bare, STARTED)
    patch = report.patches()[STARTED]["properties"]["payload"]  # type: ignore[index]  # JSON
    assert patch["properties"]["object"] == {"required": None}


def test_an_unknown_event_gets_a_first_schema() -> None:
    report = DriftReport()
    report.note({"event": "contact_center.new", "event_ts": 1, "payload": {}}, "contact_center.new")
    assert report.patches() == {
        "contact_center.new": {
            "type": "object",
            "properties": {
                "event": {"const": "contact_center.new"},
                "event_ts": {"type": "integer", "x-data-class": "none"},
                "payload": {"type": "object"},
            },
        }
    }


@pytest.mark.parametrize(
    ("values", "drafted"),
    [
        ([1, 2.5], {"type": "number", "x-data-class": "none"}),
        ([None, True], {"type": ["boolean", "null"], "x-data-class": "none"}),
        (["20250101"], {"type": "string", "x-data-class": "personal"}),
        ([[]], {"type": "array", "items": {}}),
        (
            [["a", "b"], [{"id": "x"}]],
            {
                "type": "array",
                "items": {
                    "type": ["object", "string"],
                    "x-data-class": "personal",
                    "properties": {"id": {"type": "string", "x-data-class": "none"}},
                },
            },
        ),
    ],
)
def test_a_schema_is_drafted_from_values(values: list[object], drafted: object) -> None:
    shape = InferredShape()
    for value in values:
        shape.add(value)
    assert shape.schema("display_name") == drafted
