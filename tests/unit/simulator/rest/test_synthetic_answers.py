"""Answers of the REST API that no story determines."""

from datetime import UTC, datetime, timedelta
from random import Random

import jsonschema_rs
import pytest

from simulator.rest.answers import Listing, QueryValue, RestReply, RestRequest, TimeSpan
from simulator.rest.synthetic_answers import Inventor
from simulator.rest.values import invent
from simulator.rest.words import Scene
from zoom.catalogue import Schema, find, operations, reply_schema

ORIGIN = "http://127.0.0.1:8090"
NOW = datetime(2025, 6, 15, 12, 0, tzinfo=UTC)


def answer_to(
    name: str,
    *,
    seed: int = 1,
    body: object = None,
    spans: dict[str, TimeSpan] | None = None,
    **query: QueryValue,
) -> RestReply:
    operation = find(name)
    path = {p.name: f"id of {p.name}" for p in operation.parameters if p.location == "path"}
    request = RestRequest(operation, path, query, body, NOW, ORIGIN, spans or {})
    return Inventor(seed).answer(request)


def listed(name: str, **options: object) -> Listing:
    listing = answer_to(name, **options)  # type: ignore[arg-type] # passed through
    assert isinstance(listing, Listing)
    return listing


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(2, 6))
def test_every_answer_of_every_seed_fits_its_schema(seed: int) -> None:
    for name, operation in operations().items():
        schema = reply_schema(operation)
        answer = answer_to(name, seed=seed)
        if schema is None:
            assert answer is None
        elif isinstance(answer, Listing):
            items = schema["properties"][operation.reply.items]["items"]
            validator = jsonschema_rs.validator_for(items, validate_formats=True)
            assert all(validator.is_valid(item) for item in answer.items[:3]), name
        else:
            assert jsonschema_rs.is_valid(dict(schema), answer, validate_formats=True), name


def test_items_can_be_taken_one_by_one_or_as_a_slice() -> None:
    items = listed("list_skills").items
    assert len(items) == 70
    assert items[3] == items[2:4][1] == list(items)[3]
    assert len({str(item["skill_id"]) for item in items}) == 70


def test_what_the_path_and_the_filters_say_stands_in_the_answer() -> None:
    skill = answer_to("get_skill")
    assert isinstance(skill, dict)
    assert skill["skill_id"] == "id of skill_id"
    items = listed("list_skills", skill_type="text").items[:5]
    assert [item["skill_type"] for item in items] == ["text"] * 5


def test_the_items_of_a_span_are_dated_in_it() -> None:
    span = TimeSpan(NOW - timedelta(days=2), NOW - timedelta(days=1))
    items = listed("list_voice_calls", spans={"from": span}).items
    starts = [datetime.fromisoformat(str(i["start_time"])) for i in items if "start_time" in i]
    assert len(items) == 25
    assert len(starts) > 15
    assert all(span.holds(start) for start in starts)


def test_several_spans_hold_what_lies_in_all_of_them() -> None:
    early = TimeSpan(NOW - timedelta(hours=6), NOW - timedelta(hours=2))
    late = TimeSpan(NOW - timedelta(hours=4), NOW)
    spans = {"start_time_from": early, "end_time_from": late}
    assert len(listed("list_engagement_dataset", spans=spans).items) == 3
    apart = {"start_time_from": TimeSpan(NOW, NOW), "end_time_from": early}
    assert len(listed("list_engagement_dataset", spans=apart).items) == 0


def test_an_answer_that_is_an_array_has_one_item_for_each_that_was_sent() -> None:
    answer = answer_to("create_queues", body=[{"queue_name": "A"}, {"queue_name": "B"}])
    assert isinstance(answer, list)
    assert [item.get("queue_name") for item in answer] == ["A", "B"]
    assert isinstance(answer_to("create_queues"), list)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 200},
        {"type": "string", "maxLength": 3},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "ipv4"},
        {"type": "string", "format": "email"},
        {"type": "string", "pattern": "^([0-9A-Fa-f]{2}[:]){5}([0-9A-Fa-f]{2})$"},
        {"type": "integer", "minimum": 1000},
        {"type": "integer", "maximum": 3},
        {"type": "number", "minimum": 2, "maximum": 3},
        {"type": "array", "minItems": 5, "items": {"type": "boolean"}},
        {"type": "array", "maxItems": 1, "items": {"type": "boolean"}},
        {"type": "array", "maxItems": 0},
        {"type": "array", "uniqueItems": True, "items": {"type": "boolean"}},
        {"type": ["integer", "null"], "minimum": 7},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}},
    ],
)
def test_a_value_fits_each_word_of_a_schema(schema: Schema) -> None:
    for seed in range(20):
        value = invent("member", schema, Scene(ORIGIN, NOW), Random(seed))
        assert jsonschema_rs.is_valid(dict(schema), value, validate_formats=True), value
