"""The two records of an outcome."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from processors.outcomes.parts import Part, Reason, nothing_there, read_details
from processors.outcomes.progress import OutcomeProgress
from processors.outcomes.records import next_revision, revision_record, snapshot_record
from runtime.values import Delivery, Record
from schemas.generation import strict
from schemas.headers import text
from schemas.models.outcome import EngagementOutcome
from tests.support.engagement_api import DETAILS

AT_MS = 1_768_469_400_000  # 2026-01-15T09:30:00Z
SCHEMA = Path(__file__).parents[4] / "schemas" / "outcome" / "engagement_outcome.schema.json"
ENDED = Delivery(
    "zcc.engagement.v1",
    3,
    7,
    b"a:E1",
    b'{"event":"x"}',
    (("ce_id", b"id"), ("zcc-event-id", b"id"), ("zcc-revision", b"1"), ("other", b"\xff")),
    0,
    attempt=2,
)


def progress_of(**answers: Any) -> OutcomeProgress:
    progress = OutcomeProgress(ended=ENDED)
    progress.take({Part(name): answer for name, answer in answers.items()}, as_of_ms=AT_MS + 15_250)
    return progress


def known() -> OutcomeProgress:
    others = {part.value: fragment for part, fragment in nothing_there.items()}
    details = read_details(DETAILS, frozenset({"none"}))
    return progress_of(details=details, dataset={"durations": {"hold_ms": 7}}, **others)


def snapshot(progress: OutcomeProgress) -> Record:
    return snapshot_record(
        progress, topic="outcomes", key=b"a:E1", account_id="a", engagement_id="E1"
    )


@pytest.mark.parametrize(
    ("progress", "status", "missing"),
    [
        (known(), "complete", []),
        (
            progress_of(details={"end_time": "2026-01-15T09:30:00.000Z"}, notes=Reason.FORBIDDEN),
            "partial",
            [{"part": "notes", "reason": "forbidden"}],
        ),
        (
            progress_of(details=Reason.NOT_READY),
            "unavailable",
            [{"part": "details", "reason": "not_ready"}],
        ),
    ],
)
def test_a_snapshot_satisfies_the_contract(
    progress: OutcomeProgress, status: str, missing: list[Any]
) -> None:
    record = snapshot(progress)
    assert (record.topic, record.key) == ("outcomes", b"a:E1")
    assert record.headers == (("zcc-as-of", b"2026-01-15T09:30:15.250Z"),)
    value = orjson.loads(record.value or b"")
    schema = strict(orjson.loads(SCHEMA.read_bytes()))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    assert (value["status"], value["missing"]) == (status, missing)
    read = EngagementOutcome.model_validate_json(record.value or b"")
    assert read.outcome.model_extra == {}


def test_a_revision_is_the_ended_event_with_the_outcome_and_a_number_of_its_own() -> None:
    given: dict[str, Any] = {}

    def enrich(body: bytes, **members: Any) -> bytes:
        given.update(members, body=body)
        return b"enriched"

    record = revision_record(known(), ENDED, topic="enriched", revision=115, enrich=enrich)
    assert (record.topic, record.key, record.value) == ("enriched", b"a:E1", b"enriched")
    assert record.headers == (
        ("zcc-event-id", b"id"),
        ("other", b"\xff"),
        ("zcc-revision", b"115"),
        ("ce_id", b"id-r115"),
    )
    assert text(record.headers, "zcc-event-id") == "id"
    outcome = given.pop("outcome")
    assert given == {
        "body": ENDED.value,
        "revision": 115,
        "enriched_at": "2026-01-15T09:30:15.250Z",
    }
    assert outcome["status"] == "complete"
    assert outcome["as_of"] == "2026-01-15T09:30:15.250Z"
    assert outcome["missing"] == []
    assert outcome["durations"] == {"talking_ms": 5_000, "hold_ms": 7}


@pytest.mark.parametrize(
    ("elapsed_ms", "last", "expected"),
    [
        (0, 0, 100),
        (999, 0, 100),
        (15_250, 0, 115),
        (15_250, 115, 116),  # two answers within a second
        (-5_000, 0, 100),  # Zoom's clock is ahead of ours
        (10**15, 0, 999_999_999),
        (10**15, 999_999_999, 999_999_999),
    ],
)
def test_revisions_begin_at_100_and_rise_with_time(
    elapsed_ms: int, last: int, expected: int
) -> None:
    progress = OutcomeProgress(as_of_ms=AT_MS + elapsed_ms, revision=last)
    assert next_revision(progress, occurred_at_ms=AT_MS) == expected
