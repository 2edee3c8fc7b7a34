"""Deliveries as they stand in the topic of engagement outcomes."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from runtime.values import Delivery, TopicPartition
from schemas.headers import timestamp
from tests.support.enriched_records import START_MS

OUTCOME_TOPIC = "zcc.engagement-outcome.v1"
OUTCOMES = TopicPartition(OUTCOME_TOPIC, 0)


def outcome_snapshot(
    outcome: Mapping[str, Any],
    *,
    engagement_id: str = "E1",
    after_s: int = 0,
    status: str = "complete",
    missing: Sequence[Mapping[str, str]] = (),
) -> Delivery:
    """What Zoom told of an engagement so many seconds after the start."""
    as_of_ms = START_MS + after_s * 1000
    value = {
        "entity": "engagement_outcome",
        "account_id": "ACCOUNT",
        "engagement_id": engagement_id,
        "as_of": timestamp(as_of_ms),
        "status": status,
        "outcome": outcome,
        "missing": missing,
    }
    key = f"ACCOUNT:{engagement_id}".encode()
    return Delivery(OUTCOME_TOPIC, 0, 0, key, orjson.dumps(value), (), as_of_ms)
