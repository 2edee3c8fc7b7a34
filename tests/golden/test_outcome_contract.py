"""The contract of engagement outcomes: its schema, its model and its examples are one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from schemas.generation import strict
from schemas.models import read
from schemas.models.outcome import EngagementOutcome, EnrichedOutcome, OutcomeState

CONTRACT = Path(__file__).parents[2] / "schemas"
STATUSES = ("complete", "partial", "unavailable")


def schema() -> Any:
    return orjson.loads((CONTRACT / "outcome" / "engagement_outcome.schema.json").read_bytes())


def example(status: str) -> bytes:
    return (CONTRACT / "examples" / "outcome" / f"{status}.json").read_bytes()


@pytest.mark.parametrize("status", STATUSES)
def test_an_example_satisfies_the_closed_schema_and_the_model(status: str) -> None:
    body = orjson.loads(example(status))
    Draft202012Validator(
        strict(schema()), format_checker=Draft202012Validator.FORMAT_CHECKER
    ).validate(body)
    outcome = EngagementOutcome.model_validate_json(example(status))
    assert outcome.status == status
    assert set(unknown_members(outcome)) == set()


def test_the_complete_example_has_every_member_of_the_schema() -> None:
    body = orjson.loads(example("complete"))
    wanted = {path for path, _ in fields(schema(), "") if not path.startswith("missing[]")}
    assert wanted == set(paths_of(body, ""))


def test_the_model_has_exactly_the_members_of_the_schema() -> None:
    assert set(OutcomeState.model_fields) == set(schema()["properties"]["outcome"]["properties"])
    assert set(EngagementOutcome.model_fields) == set(schema()["properties"])


def test_every_text_number_and_truth_value_has_a_class_and_none_is_a_link() -> None:
    scalars = {"string", "integer", "number", "boolean"}
    for path, each in fields(schema(), ""):
        marked = each.get("x-data-class") in {"none", "pseudonymous", "personal", "sensitive"}
        assert marked == (each.get("type") in scalars), path
        assert not path.endswith("url"), path


def test_every_duration_is_in_milliseconds_and_says_so() -> None:
    for path, _ in fields(schema(), ""):
        name = path.rpartition(".")[2]
        assert ("duration" in name) <= (name in {"durations", "duration_ms"}), path


def fields(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each schema inside a schema, by its path."""
    yield path, node
    for name, member in node.get("properties", {}).items():
        yield from fields(member, f"{path}.{name}".removeprefix("."))
    if "items" in node:
        yield from fields(node["items"], f"{path}[]")


def paths_of(value: object, path: str) -> Iterator[str]:
    """The path of each value, as `fields` writes it."""
    yield path
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths_of(member, f"{path}.{name}".removeprefix("."))
    elif isinstance(value, list):
        for item in value:
            yield from paths_of(item, f"{path}[]")


def unknown_members(node: object) -> Iterator[str]:
    """Members that no model knows, at any depth."""
    if isinstance(node, BaseModel):
        yield from node.model_extra or ()
        for name in type(node).model_fields:
            yield from unknown_members(getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from unknown_members(item)


def test_an_ended_event_with_its_outcome_satisfies_schemas_and_model() -> None:
    body = (CONTRACT / "examples" / "enriched" / "outcome.json").read_bytes()
    enriched = orjson.loads((CONTRACT / "enriched" / "event.schema.json").read_bytes())
    Draft202012Validator(enriched, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
        orjson.loads(body)
    )
    event, drift = read(body, strict=True)
    assert drift == ()
    assert event.enrichment is not None
    assert event.enrichment.outcome is not None
    assert event.enrichment.outcome.model_extra == {}
    assert event.enrichment.outcome.durations is not None
    assert event.enrichment.outcome.durations.hold_ms == 40_010


def test_the_outcome_in_an_event_has_the_members_of_the_snapshot() -> None:
    enriched = orjson.loads((CONTRACT / "enriched" / "event.schema.json").read_bytes())
    inside = enriched["properties"]["enrichment"]["properties"]["outcome"]
    snapshot = schema()["properties"]
    alone = {path for path, _ in fields(snapshot["outcome"], "")}
    about = {
        f"{name}{path}" if path.startswith("[") else f"{name}.{path}".removesuffix(".")
        for name in ("status", "as_of", "missing")
        for path, _ in fields(snapshot[name], "")
    }
    assert {path for path, _ in fields(inside, "")} == alone | about
    assert set(EnrichedOutcome.model_fields) == set(inside["properties"])
