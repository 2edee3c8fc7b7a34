"""Rows of the object storage sink, without a store."""

import pytest

from runtime.values import Batch, Delivery, Span, TopicPartition
from schemas.reasons import DeadLetterReason
from sinks.object_storage.layout.rows import ObjectRow, read_rows, table_of, table_schema

source = TopicPartition("zcc.enriched.engagement.v1", 3)
good_headers = {
    "zcc-event-id": b"ab" * 32,
    "ce_type": b"contact_center.engagement_started",
    "ce_time": b"2026-01-02T23:59:59.999Z",
    "ce_source": b"urn:zoom:contact-center:ACCOUNT",
    "zcc-received-at": b"2026-01-03T00:00:01.000Z",
    "zcc-revision": b"1",
}


value = b'{"event":"e","event_ts":1,"payload":{"account_id":"ACCOUNT"}}'


def delivery(offset: int, *, value: bytes | None = value, **changes: bytes | None) -> Delivery:
    named = {**good_headers, **{name.replace("__", "-"): new for name, new in changes.items()}}
    headers = tuple((name, content) for name, content in named.items() if content is not None)
    return Delivery(source.topic, source.partition, offset, b"k", value, headers, 0)


def batch(*deliveries: Delivery, end: int = 10) -> Batch:
    return Batch(deliveries, {source: Span(0, end)})


def test_a_row_holds_what_the_headers_and_the_value_say() -> None:
    rows, rejections = read_rows(batch(delivery(4)))
    assert rejections == []
    ((key, (row,)),) = rows.items()
    assert key.day == "2026-01-02"
    assert row.event_id == "ab" * 32
    assert row.account_id == "ACCOUNT"
    assert row.offset == 4
    assert row.body == value.decode()


@pytest.mark.parametrize(
    ("broken", "detail"),
    [
        (delivery(1, value=None), "no value"),
        (delivery(1, value=b"\xff"), "not_json"),
        (delivery(1, value=b""), "not_json"),
        (delivery(1, value=b"[]"), "not_an_envelope"),
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
    assert sum(len(day_rows) for day_rows in rows.values()) == 1


@pytest.mark.parametrize(
    ("ce_time", "day"),
    [
        (b"2026-01-02T23:59:59.999Z", "2026-01-02"),
        (b"2026-01-02T23:59:59.999-00:01", "2026-01-03"),
        (b"0001-01-01T00:00:00Z", "0001-01-01"),
        (b"1969-12-31T23:59:59.999Z", "1969-12-31"),
        (b"9999-12-31T23:59:59.999Z", "9999-12-31"),
    ],
)
def test_the_day_is_that_of_the_event_in_utc(ce_time: bytes, day: str) -> None:
    rows, _ = read_rows(batch(delivery(0, ce_time=ce_time)))
    assert [key.day for key in rows] == [day]


def test_the_fields_of_a_row_are_the_columns_of_the_table() -> None:
    assert list(ObjectRow._fields) == table_schema.names
    rows, _ = read_rows(batch(delivery(0), delivery(3)))
    (day_rows,) = rows.values()
    table = table_of(day_rows)
    assert table.schema == table_schema
    assert table["offset"].to_pylist() == [0, 3]
    assert f"{table['occurred_at'][0].as_py():%Y-%m-%dT%H:%M:%S}" == "2026-01-02T23:59:59"
