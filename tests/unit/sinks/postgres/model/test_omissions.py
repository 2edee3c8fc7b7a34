"""What the model cannot hold of an event."""

from typing import Any

import pytest

from sinks.postgres.model.omissions import omissions_of
from sinks.postgres.model.rows import read_deliveries
from tests.support.enriched_records import delivery, webhook
from tests.support.projections import event, snapshot

LONG = "x" * 256


@pytest.mark.parametrize(
    ("members", "kinds"),
    [
        ({"engagement_id": "x" * 255}, []),
        ({"engagement_id": LONG}, ["engagement"]),
        ({"engagement_id": "E", "note": LONG}, []),
        ({"engagement_id": "E", "user_id": LONG, "flow": {"queue_id": LONG}}, ["id", "id"]),
        ({"engagement_id": "E", "users": [{"user_id": LONG}, "x", {"user_id": "U"}]}, ["id"]),
        ({"engagement_id": 7, "tags": ["x", ["y"]], "more": {"a": {}}}, []),
    ],
)
def test_ids_that_are_too_long_are_found(members: dict[str, Any], kinds: list[str]) -> None:
    read, _ = read_deliveries([event("engagement_started", **members)])
    assert [each.what for each in omissions_of(read)] == kinds


def test_a_row_whose_ids_are_too_long_together_is_found() -> None:
    ids = {"user_id": "x" * 255, "skills": [{"skill_id": "y" * 255}]}
    body = webhook("user_skills_assigned", ids, account_id="z" * 255)
    read, _ = read_deliveries([delivery(body)])
    assert "row" in {each.what for each in omissions_of(read)}


def test_references_are_looked_at_as_well() -> None:
    read, _ = read_deliveries(
        [
            snapshot("team", "T" * 700, {"team_id": "T"}),
            snapshot("team", "T" * 700, None),
            snapshot("team", "T", {"team_id": "T"}),
        ]
    )
    assert [each.what for each in omissions_of(read)] == ["row", "row"]
