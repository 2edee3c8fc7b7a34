"""What Zoom known of an engagement stands beside what its events say."""

from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.reasons import DeadLetterReason
from sinks.postgres.model.families.engagement import engagement
from sinks.postgres.model.families.outcome import engagement_outcome
from sinks.postgres.model.omissions import omissions_of
from sinks.postgres.model.rows import read_deliveries
from tests.support.enriched_records import with_fields
from tests.support.outcome_records import OUTCOME_TOPIC, outcome_snapshot
from tests.support.projections import event, rows_of

EXAMPLES = Path(__file__).parents[6] / "schemas" / "examples" / "outcome"


def example(status: str) -> Any:
    """A record of the topic with an example of the contract."""
    value = (EXAMPLES / f"{status}.json").read_bytes()
    return with_fields(outcome_snapshot({}), value=value)


def test_an_engagement_gets_zooms_durations_next_to_its_own_columns() -> None:
    ended = event("engagement_ended", engagement_id="example-engagement-1")
    (row,) = rows_of(engagement, example("complete"))
    assert row == {
        "engagement_id": "example-engagement-1",
        "zoom_total_ms": 600_250,
        "zoom_flow_ms": 20_000,
        "zoom_waiting_ms": 40_000,
        "zoom_talking_ms": 500_120,
        "zoom_hold_ms": 40_010,
        "zoom_handling_ms": 560_500,
        "zoom_wrap_up_ms": 20_370,
        "outcome_status": "complete",
        "outcome_as_of": 1_768_469_415_123,
    }
    (own,) = (each for each in rows_of(engagement, ended) if "ended_at" in each)
    assert not any(name.startswith("zoom") for name in own)


def test_the_rest_of_an_outcome_has_a_row_of_its_own() -> None:
    (row,) = rows_of(engagement_outcome, example("complete"))
    outcome = orjson.loads(row.pop("outcome"))
    assert outcome == orjson.loads((EXAMPLES / "complete.json").read_bytes())["outcome"]
    assert row == {
        "engagement_id": "example-engagement-1",
        "status": "complete",
        "missing": (),
        "started_at": 1_768_468_800_000,
        "ended_at": 1_768_469_400_000,
        "queue_wait_type": "live_waiting",
        "dispositions": ("Example disposition 1",),
        "survey_answered": True,
        "voicemails": 0,
        "notes": 1,
        "recordings": 1,
        "timeline_events": 1,
        "recorded_ms": 500_000,
        "as_of": 1_768_469_415_123,
    }


def test_a_part_that_is_missing_is_null_and_says_why() -> None:
    (row,) = rows_of(engagement_outcome, example("partial"))
    assert row["missing"] == ("dataset: not_ready", "recordings: forbidden")
    assert row["survey_answered"] is False
    assert "recordings" not in row
    assert "recorded_ms" not in row
    (whole,) = rows_of(engagement, example("partial"))
    assert "zoom_hold_ms" not in whole
    assert whole["outcome_status"] == "partial"


def test_an_outcome_that_zoom_never_reported_says_so() -> None:
    (row,) = rows_of(engagement_outcome, example("unavailable"))
    assert (row["status"], row["missing"]) == ("unavailable", ("details: not_ready",))
    (whole,) = rows_of(engagement, example("unavailable"))
    assert whole["outcome_status"] == "unavailable"
    assert "zoom_total_ms" not in whole


def test_the_newest_snapshot_stays_whatever_the_order() -> None:
    snapshots = [
        outcome_snapshot({"durations": {"talking_ms": n}}, after_s=n, status=status)
        for n, status in enumerate(("partial", "partial", "complete"))
    ]
    for order in permutations(snapshots):
        (row,) = rows_of(engagement, *order)
        assert (row["zoom_talking_ms"], row["outcome_status"]) == (2, "complete")


def test_values_that_no_column_can_hold_are_null_and_stay_in_the_document() -> None:
    odd = {
        "durations": {"total_ms": "long", "talking_ms": 2**63, "hold_ms": True},
        "voicemails": 2**40,
        "dispositions": [{"disposition_name": 3}, "x"],
        "recordings": [{"duration_ms": 2**62}, {"duration_ms": 2**62}, {"duration_ms": "x"}],
        "survey": [],
    }
    (row,) = rows_of(engagement_outcome, outcome_snapshot(odd))
    assert row["dispositions"] == ()
    assert row["recordings"] == 3
    assert not row.keys() & {"voicemails", "recorded_ms", "survey_answered"}
    assert orjson.loads(row["outcome"]) == odd
    (whole,) = rows_of(engagement, outcome_snapshot(odd))
    assert whole.keys() == {"engagement_id", "outcome_status", "outcome_as_of"}


def test_an_empty_record_changes_nothing() -> None:
    gone = with_fields(outcome_snapshot({}), value=None)
    assert rows_of(engagement, gone) == rows_of(engagement_outcome, gone) == []
    read, _ = read_deliveries([gone])
    assert omissions_of(read) == []


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"account_id": ""}, "expected account_id, engagement_id and status"),
        ({"engagement_id": 7}, "expected account_id, engagement_id and status"),
        ({"engagement_id": "e" * 256}, "expected account_id, engagement_id and status"),
        ({"status": None}, "expected account_id, engagement_id and status"),
        ({"as_of": "yesterday"}, "expected as_of and outcome"),
        ({"outcome": []}, "expected as_of and outcome"),
        (None, "the value is not an outcome: not_json"),
    ],
)
def test_a_record_that_breaks_the_contract_is_rejected(
    changes: dict[str, Any] | None, detail: str
) -> None:
    right = outcome_snapshot({})
    value = b"<html>"
    if changes is not None:
        value = orjson.dumps(orjson.loads(right.value or b"") | changes)
    _, (rejection,) = read_deliveries([with_fields(right, value=value)])
    assert rejection.reason is DeadLetterReason.UNREADABLE
    assert rejection.detail == detail
    assert rejection.source.topic == OUTCOME_TOPIC
