"""Reading the headers of an enriched record."""

import pytest

from schemas.enriched_record import (
    UnreadableRecordError,
    earliest_ms,
    latest_ms,
    read_enriched_headers,
)
from schemas.headers import Headers, timestamp

good = {
    "zcc-event-id": b"ab" * 32,
    "ce_type": b"contact_center.engagement_started",
    "ce_time": b"2026-01-02T23:59:59.999Z",
    "ce_subject": b"engagement/E1",
    "ce_partitionkey": b"ACCOUNT:E1",
    "zcc-received-at": b"2026-01-03T00:00:01.000Z",
    "zcc-app": b"main",
    "zcc-request-id": b"R1",
    "zcc-revision": b"2",
}


def headers(**changes: bytes | None) -> Headers:
    named = {**good, **{name.replace("__", "-"): value for name, value in changes.items()}}
    return tuple((name, value) for name, value in named.items() if value is not None)


def test_headers_are_read_into_fields() -> None:
    record = read_enriched_headers(headers())
    assert record.event_id == "ab" * 32
    assert record.event == "contact_center.engagement_started"
    assert timestamp(record.occurred_at_ms) == "2026-01-02T23:59:59.999Z"
    assert timestamp(record.received_at_ms) == "2026-01-03T00:00:01.000Z"
    assert (record.subject, record.partition_key) == ("engagement/E1", "ACCOUNT:E1")
    assert (record.app, record.request_id, record.revision) == ("main", "R1", 2)


def test_headers_that_need_not_be_there_are_none_and_the_revision_is_the_first() -> None:
    optional = ("ce_subject", "ce_partitionkey", "zcc__app", "zcc__request-id", "zcc__revision")
    record = read_enriched_headers(headers(**dict.fromkeys(optional)))
    assert (record.subject, record.partition_key, record.app, record.request_id) == (None,) * 4
    assert record.revision == 1


def test_of_a_header_that_occurs_twice_the_last_one_counts() -> None:
    last = ("zcc-event-id", b"cd" * 32)
    assert read_enriched_headers((*headers(), last)).event_id == "cd" * 32


@pytest.mark.parametrize(
    ("time", "expected_ms"),
    [
        (b"0001-01-01T00:00:00Z", earliest_ms),
        (b"9999-12-31T23:59:59.999Z", latest_ms),
        (b"0001-01-01T14:00:00+14:00", earliest_ms),
    ],
)
def test_the_first_and_the_last_moment_that_stores_can_hold_are_times(
    time: bytes, expected_ms: int
) -> None:
    assert read_enriched_headers(headers(ce_time=time)).occurred_at_ms == expected_ms


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zcc__event-id": None}, "no header zcc-event-id"),
        ({"zcc__event-id": b""}, "no header zcc-event-id"),
        ({"zcc__event-id": b"E1"}, "zcc-event-id: expected 64 hexadecimal digits"),
        ({"zcc__event-id": b"AB" * 32}, "expected 64 hexadecimal digits"),
        ({"zcc__event-id": b"a" * 63 + b"\0"}, "expected 64 hexadecimal digits"),
        ({"zcc__event-id": b"a" * 5000}, "expected 64 hexadecimal digits"),
        ({"ce_type": None}, "no header ce_type"),
        ({"ce_type": b"\xff"}, "ce_type: expected UTF-8"),
        ({"ce_time": None}, "no header ce_time"),
        ({"ce_time": b"2026-13-45T99:00:00Z"}, "ce_time: expected a time by RFC 3339"),
        ({"ce_time": b"2026-01-01T00:00:00"}, "ce_time: expected a time by RFC 3339"),
        ({"ce_time": "\uff12026-01-01T00:00:00Z".encode()}, "expected a time by RFC 3339"),
        ({"ce_time": b"0001-01-01T00:00:00+14:00"}, "ce_time: expected a time from year 1"),
        ({"ce_time": b"9999-12-31T23:59:59-14:00"}, "ce_time: expected a time from year 1"),
        ({"zcc__received-at": None}, "no header zcc-received-at"),
        ({"zcc__received-at": b"now"}, "zcc-received-at: expected a time by RFC 3339"),
        ({"zcc__revision": b""}, "zcc-revision: expected a small number"),
        ({"zcc__revision": b"-1"}, "zcc-revision: expected a small number"),
        ({"zcc__revision": "²".encode()}, "zcc-revision: expected a small number"),
        ({"zcc__revision": b"9999999999"}, "zcc-revision: expected a small number"),
    ],
)
def test_what_the_topic_does_not_promise_is_named(
    changes: dict[str, bytes | None], message: str
) -> None:
    with pytest.raises(UnreadableRecordError, match=message):
        read_enriched_headers(headers(**changes))
