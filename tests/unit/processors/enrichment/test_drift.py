"""Drift is counted where it is measured, and logged once per hour."""

from typing import Any

import orjson
import pytest
import structlog.testing
from prometheus_client import REGISTRY

from processors.enrichment import drift
from processors.enrichment.drift import DriftWatch
from processors.enrichment.sampling import first_events
from schemas.catalogue import example
from tests.support.fakes.zoom import VirtualClock

EVENT = "contact_center.task_created"


def strange() -> dict[str, object]:
    body: dict[str, object] = orjson.loads(example(EVENT))
    return body | {"novel": "a name"}


def counted(event: str, kind: str) -> float:
    labels = {"event": event, "kind": kind}
    return REGISTRY.get_sample_value("zcc_schema_drift_total", labels) or 0


def test_each_of_the_first_events_is_counted_and_its_path_logged_once_an_hour() -> None:
    clock = VirtualClock()
    watch, before = DriftWatch(clock), counted(EVENT, "unknown_field")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            watch.watch(strange(), EVENT)
        clock.elapsed_s += 3599
        watch.watch(strange(), EVENT)
        assert len(logs) == 1
        clock.elapsed_s += 1
        watch.watch(strange(), EVENT)
    line = {
        "log_level": "warning",
        "event": "an event departs from the contract",
        "event_name": EVENT,
        "path": "novel",
        "kind": "unknown_field",
    }
    assert logs == [line, line]
    assert counted(EVENT, "unknown_field") == before + 5


def test_after_the_first_events_a_sample_is_counted_and_a_new_member_at_once() -> None:
    watch, body = DriftWatch(VirtualClock()), strange()
    for _ in range(first_events):
        watch.watch(body, EVENT)
    before = counted(EVENT, "unknown_field")
    for _ in range(1_600):
        watch.watch(body, EVENT)
    assert 50 < counted(EVENT, "unknown_field") - before < 150
    sampled = counted(EVENT, "unknown_field")
    for number in range(5):
        payload: Any = body["payload"]
        with_novel = {**payload["object"], f"novel_{number}": 1}
        watch.watch({**body, "payload": {**payload, "object": with_novel}}, EVENT)
    assert counted(EVENT, "unknown_field") == sampled + 10  # two departures in each


@pytest.mark.parametrize("payload", [None, 7, {}, {"object": None}, {"object": [1]}])
def test_a_body_without_an_object_is_measured_too(payload: object) -> None:
    before = counted(EVENT, "missing_required") + counted(EVENT, "wrong_type")
    DriftWatch(VirtualClock()).watch({"event": EVENT, "payload": payload}, EVENT)
    assert counted(EVENT, "missing_required") + counted(EVENT, "wrong_type") > before


def test_an_event_without_drift_is_not_counted() -> None:
    before = counted(EVENT, "unknown_field")
    with structlog.testing.capture_logs() as logs:
        DriftWatch(VirtualClock()).watch(orjson.loads(example(EVENT)), EVENT)
    assert logs == []
    assert counted(EVENT, "unknown_field") == before


def test_items_of_an_array_count_once() -> None:
    body = orjson.loads(example("contact_center.engagement_user_answered"))
    body["payload"]["object"]["teams"] = [{"new": 1}, {"new": 2}]
    name = "contact_center.engagement_user_answered"
    before = counted(name, "unknown_field")
    DriftWatch(VirtualClock()).watch(body, name)
    assert counted(name, "unknown_field") == before + 1


def test_names_that_we_do_not_know_share_one_label() -> None:
    before = counted("unknown", "unknown_event")
    with structlog.testing.capture_logs() as logs:
        DriftWatch(VirtualClock()).watch({"event": "contact_center.new"}, "contact_center.new")
    assert counted("unknown", "unknown_event") == before + 1
    assert [line["event_name"] for line in logs] == ["contact_center.new"]


def test_the_log_lines_within_an_hour_are_bounded() -> None:
    clock = VirtualClock()
    watch = DriftWatch(clock)
    with structlog.testing.capture_logs() as logs:
        for number in range(drift._max_remembered + 5):
            watch.watch({}, f"contact_center.new_{number}")
        assert len(logs) == drift._max_remembered
        clock.elapsed_s += 3600
        watch.watch({}, "contact_center.another")
    assert len(logs) == drift._max_remembered + 1
