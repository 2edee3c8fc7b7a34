"""Whatever Zoom answers, an outcome satisfies its contract and holds nothing that may not go in."""

from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processors.outcomes.parts import Part, lists, readers
from processors.outcomes.progress import OutcomeProgress
from processors.outcomes.records import snapshot_record
from schemas.generation import strict
from schemas.generation.data_class import DataClass
from schemas.models.outcome import EngagementOutcome

SCHEMA = Path(__file__).parents[4] / "schemas" / "outcome" / "engagement_outcome.schema.json"
VALIDATOR = Draft202012Validator(
    strict(orjson.loads(SCHEMA.read_bytes())), format_checker=Draft202012Validator.FORMAT_CHECKER
)
CLASSES: tuple[DataClass, ...] = ("none", "pseudonymous", "personal", "sensitive")
LISTS = {"events", "survey_results", *lists}
MEMBERS = {name for members in lists.values() for name in members} | {
    *("start_time", "end_time", "direction", "queue_wait_type", "voice_mail", "survey_id"),
    *("duration", "talk_duration", "hold_duration", "recording_duration", "handle_duration"),
    *("download_url", "file_url", "transcript_url"),
}

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["2026-01-15T09:20:00Z", "2026-01-15", "voice", "9999-12-31T23:59:59-14:00"]),
)
items = st.dictionaries(st.sampled_from(sorted(MEMBERS)), scalars, max_size=6)
documents = st.dictionaries(
    st.sampled_from(sorted(LISTS | MEMBERS)),
    st.one_of(scalars, st.lists(st.one_of(items, scalars), max_size=3), items),
    max_size=8,
)


@given(st.dictionaries(st.sampled_from(Part), documents), st.sets(st.sampled_from(CLASSES)))
def test_a_snapshot_satisfies_schema_and_model_whatever_the_answers(
    answers: dict[Part, Any], allowed: set[DataClass]
) -> None:
    progress = OutcomeProgress()
    read = {part: readers[part](document, allowed) for part, document in answers.items()}
    progress.take(
        {part: fragment for part, fragment in read.items() if fragment is not None}, as_of_ms=1
    )
    record = snapshot_record(progress, topic="t", key=b"k", account_id="a", engagement_id="e")
    value = orjson.loads(record.value or b"")
    VALIDATOR.validate(value)
    outcome = EngagementOutcome.model_validate_json(record.value or b"")
    assert outcome.outcome.model_extra == {}
    assert classes_in(value["outcome"]) <= allowed


def classes_in(outcome: dict[str, Any]) -> set[DataClass]:
    """How personal the items of the lists are."""
    survey = outcome.get("survey", {})
    found: set[DataClass] = set()
    for name, members in lists.items():
        for item in (survey if name == "results" else outcome).get(name, []):
            found |= {members[member].data_class for member in item if member in members}
    return found
