"""Rows and objects of the object storage sink, without a store."""

import pytest

from runtime.values import Batch, Delivery, Span, TopicPartition
from schemas.reasons import DeadLetterReason
from sinks.object_storage.rows import footer_end, plan_objects, read_rows, table_schema

source = TopicPartition("zcc.enriched.engagement.v1", 3)
good_headers = {
    "zcc-event-id": b"ab" * 32,
    "ce_type": b"contact_center.engagement_started",
    "ce_time": b"2026-01-02T23:59:59.999Z",
    "ce_source": b"urn:zoom:contact-center:ACCOUNT",
    "zcc-received-at": b"2026-01-03T00:00:01.000Z",
    "zcc-revision": b"1",
}


def delivery(offset: int, *, value: bytes | None = b"{}", **changes: bytes | None) -> Delivery:
    named = {**good_headers, **{name.replace("__", "-"): new for name, new in changes.items()}}
    headers = tuple((name, content) for name, content in named.items() if content is not None)
    return Delivery(source.topic, source.partition, offset, b"k", value, headers, 0)


def batch(*deliveries: Delivery, end: int = 10) -> Batch:
    return Batch(deliveries, {source: Span(0, end)})


def test_a_row_holds_what_the_headers_and_the_value_say() -> None:
    rows, rejections = read_rows(batch(delivery(4, value=b'{"a":1}')))
    assert rejections == []
    ((key, (row,)),) = rows.items()
    assert key.day == "2026-01-02"
    assert row["event_id"] == "ab" * 32
    assert row["account_id"] == "ACCOUNT"
    assert row["offset"] == 4
    assert row["body"] == '{"a":1}'
    assert set(row) == set(table_schema.names)


@pytest.mark.parametrize(
    ("broken", "detail"),
    [
        (delivery(1, value=None), "no value"),
        (delivery(1, value=b"\xff"), "not UTF-8"),
        (delivery(1, **{"zcc-event-id": None}), "zcc-event-id"),
        (delivery(1, ce_type=None), "ce_type"),
        (delivery(1, ce_time=None), "ce_time"),
        (delivery(1, ce_time=b"yesterday"), "RFC 3339"),
        (delivery(1, **{"zcc-received-at": b"soon"}), "RFC 3339"),
        (delivery(1, **{"zcc-revision": b"two"}), "revision"),
        (delivery(1, **{"zcc-revision": b"99999999999"}), "revision"),
    ],
)
def test_a_delivery_that_cannot_be_a_row_is_rejected_by_name(broken: Delivery, detail: str) -> None:
    rows, (rejection,) = read_rows(batch(delivery(0), broken))
    assert (rejection.source, rejection.offset) == (source, 1)
    assert rejection.reason is DeadLetterReason.UNREADABLE
    assert detail in rejection.detail
    assert sum(len(found) for found in rows.values()) == 1


def test_a_batch_becomes_one_object_a_day_named_by_the_start_of_its_span() -> None:
    rows, _ = read_rows(
        batch(delivery(0), delivery(1, ce_time=b"2026-01-03T00:00:00.000Z"), delivery(2))
    )
    first, second = plan_objects(rows, {source: Span(0, 10)})
    assert first.path == (
        "topic=zcc.enriched.engagement.v1/date=2026-01-02/00003-00000000000000000000.parquet"
    )
    assert first.rows["offset"].to_pylist() == [0, 2]
    assert second.key.day == "2026-01-03"
    assert footer_end(first.rows.schema.metadata) == 10


def test_what_is_left_after_an_offset_is_an_object_of_its_own() -> None:
    rows, _ = read_rows(batch(delivery(0), delivery(2), delivery(5)))
    (whole,) = plan_objects(rows, {source: Span(0, 10)})
    rest = whole.after(2)
    assert rest is not None
    assert rest.rows["offset"].to_pylist() == [2, 5]
    assert rest.path.endswith("00003-00000000000000000002.parquet")
    assert whole.after(6) is None


@pytest.mark.parametrize("metadata", [None, {}, {b"zcc.span.end": b"x"}])
def test_a_footer_without_a_span_is_none_of_ours(metadata: dict[bytes, bytes] | None) -> None:
    assert footer_end(metadata) is None
