"""A dead letter is the record as read, with its story."""

from datetime import UTC, datetime

import pytest

from runtime.retries.dead_letters import Failure, dead_letter
from runtime.values import Delivery
from schemas.headers import text
from schemas.reasons import DeadLetterReason

delivery = Delivery(
    topic="zcc.engagement.v1",
    partition=3,
    offset=42,
    key=b"acc:e1",
    value=b"\xff\x00 not json",
    headers=(("ce_id", b"abc"), ("odd", b"\xfe"), ("ce_id", b"again")),
    timestamp_ms=5,
)
failure = Failure(
    worker="enrichment",
    reason=DeadLetterReason.UNREADABLE,
    detail="no header ce_type \ud800",
    attempts=2,
    failed_at=datetime(2025, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
)


def test_key_value_and_headers_are_kept_byte_for_byte_and_in_order() -> None:
    record = dead_letter(delivery, failure, topic="dead")
    assert (record.topic, record.key, record.value) == ("dead", delivery.key, delivery.value)
    assert record.headers[: len(delivery.headers)] == delivery.headers
    assert record.partition is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zcc-reason", "unreadable"),
        ("zcc-error", "no header ce_type ?"),
        ("zcc-attempts", "2"),
        ("zcc-origin", "zcc.engagement.v1/3/42"),
        ("zcc-worker", "enrichment"),
        ("zcc-failed-at", "2025-01-02T03:04:05.678Z"),
        ("__connect.errors.topic", "zcc.engagement.v1"),
        ("__connect.errors.partition", "3"),
        ("__connect.errors.offset", "42"),
        ("__connect.errors.connector.name", "enrichment"),
        ("__connect.errors.exception.message", "unreadable: no header ce_type ?"),
    ],
)
def test_the_story_stands_in_the_headers(name: str, value: str) -> None:
    assert text(dead_letter(delivery, failure, topic="dead").headers, name) == value


def test_a_tombstone_without_key_stays_one() -> None:
    tombstone = Delivery("t", 0, 1, None, None, (), 0)
    record = dead_letter(tombstone, failure, topic="dead")
    assert record.key is None
    assert record.value is None


def test_a_long_story_is_cut() -> None:
    long = Failure("w", DeadLetterReason.DEFECT, "x" * 10**6, 1, failure.failed_at)
    record = dead_letter(delivery, long, topic="dead")
    assert sum(len(value) for _, value in record.headers) < 3000
