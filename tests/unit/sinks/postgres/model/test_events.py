"""Reading one delivery of an enriched topic."""

from typing import Any

import pytest

from runtime.errors import RejectedError
from runtime.values import Delivery
from schemas.reasons import DeadLetterReason
from sinks.postgres.model.events import read_event
from tests.support.enriched_records import START_MS, delivery, webhook, with_fields, with_header

good = delivery(webhook("engagement_user_hold", {"engagement_id": "E1", "user_id": "U1"}))


def test_an_event_is_what_its_headers_and_its_body_say() -> None:
    event = read_event(good)
    assert event.event_ts_ms == event.occurred_at_ms == START_MS
    assert event.received_at_ms == START_MS + 200
    assert (event.account_id, event.name) == ("ACCOUNT", "contact_center.engagement_user_hold")
    assert (event.family, event.subject) == ("engagement", "engagement/E1")
    assert (event.partition_key, event.revision) == ("ACCOUNT:E1", 1)
    assert (event.engagement_id, event.text("user_id")) == ("E1", "U1")
    assert event.enrichment_status == "complete"


@pytest.mark.parametrize(
    ("broken", "detail"),
    [
        (with_fields(good, value=None), "no value"),
        (with_fields(good, value=b"{"), "not_json"),
        (with_fields(good, value=b"[]"), "not_an_envelope"),
        (with_fields(good, value=b'{"event":"e","event_ts":"x","payload":{}}'), "no_event_time"),
        (with_header(good, "zcc-event-id", None), "zcc-event-id"),
        (with_header(good, "zcc-event-id", b"ABC"), "64 hexadecimal digits"),
        (with_header(good, "ce_time", None), "ce_time"),
        (with_header(good, "ce_time", b"yesterday"), "RFC 3339"),
        (with_header(good, "ce_time", b"2026-01-01T00:00:00"), "RFC 3339"),
        (with_header(good, "zcc-received-at", None), "zcc-received-at"),
        (with_header(good, "zcc-revision", b"two"), "small number"),
        (with_header(good, "zcc-revision", "²".encode()), "small number"),
        (with_header(good, "zcc-revision", b"9999999999"), "small number"),
    ],
)
def test_what_the_topic_does_not_promise_is_rejected(broken: Delivery, detail: str) -> None:
    with pytest.raises(RejectedError, match=detail) as rejected:
        read_event(broken)
    assert rejected.value.reason is DeadLetterReason.UNREADABLE


def test_headers_that_need_not_be_there_are_none_without_them() -> None:
    bare = with_header(with_header(good, "ce_subject", None), "ce_partitionkey", None)
    event = read_event(with_header(bare, "zcc-revision", None))
    assert (event.subject, event.partition_key, event.revision) == (None, None, 1)


@pytest.mark.parametrize("engagement_id", ["", 5, None, ["E1"], "E" * 256])
def test_what_is_no_id_names_no_engagement(engagement_id: Any) -> None:
    body = webhook("engagement_started", {"engagement_id": engagement_id})
    assert read_event(delivery(body)).engagement_id is None


def test_nul_in_an_id_reaches_neither_columns_nor_subject() -> None:
    event = read_event(delivery(webhook("engagement_started", {"engagement_id": "E\0"})))
    assert (event.engagement_id, event.subject) == ("E\ufffd", "engagement/E\ufffd")


def test_stamps_order_by_occurrence_then_event_ts_then_id_then_revision() -> None:
    def stamp(occurred: bytes, event_ts: int, event_id: str, revision: int) -> bytes:
        record = delivery(webhook("task_created", {}, at_ms=event_ts), revision=revision)
        record = with_header(record, "ce_time", occurred)
        return read_event(with_header(record, "zcc-event-id", event_id.encode())).stamp

    early, late = b"1969-12-31T23:59:59.999Z", b"2026-01-01T00:00:00.000Z"
    ordered = [
        stamp(early, 9, "f" * 64, 9),
        stamp(late, 1, "f" * 64, 9),
        stamp(late, 2, "1" * 64, 9),
        stamp(late, 2, "2" * 64, 1),
        stamp(late, 2, "2" * 64, 256),
    ]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)


@pytest.mark.parametrize(
    "enrichment",
    [None, {}, {"users": {}}, {"users": {"U1": {}}}, {"users": {"U1": {"display_name": ""}}}],
)
def test_a_name_that_was_not_found_is_none(enrichment: dict[str, Any] | None) -> None:
    body = webhook("engagement_user_hold", {"user_id": "U1", "cc_queue_id": "Q1"})
    event = read_event(delivery(body, enrichment=enrichment))
    assert event.user() == ("U1", None)
    assert event.queue() == ("Q1", None)


def test_the_name_in_the_event_goes_before_the_one_that_was_found() -> None:
    enrichment = {"users": {"U1": {"display_name": "B"}}, "queues": {"Q1": {"queue_name": "D"}}}
    ids = {"user_id": "U1", "cc_queue_id": "Q1"}
    plain = read_event(delivery(webhook("engagement_user_hold", ids), enrichment=enrichment))
    assert (plain.user(), plain.queue()) == (("U1", "B"), ("Q1", "D"))
    named = {**ids, "user_display_name": "A", "queue_name": "C"}
    explicit = read_event(delivery(webhook("engagement_user_hold", named), enrichment=enrichment))
    assert (explicit.user(), explicit.queue()) == (("U1", "A"), ("Q1", "C"))


def test_names_are_those_of_the_entities_where_the_enrichment_has_them() -> None:
    enrichment = {
        "entities": {"user": {"U1": {"display_name": "B"}}, "queue": {"Q1": {"queue_name": "D"}}},
        "users": {"U1": {"display_name": "older"}},
    }
    ids = {"user_id": "U1", "cc_queue_id": "Q1"}
    event = read_event(delivery(webhook("engagement_user_hold", ids), enrichment=enrichment))
    assert (event.user(), event.queue()) == (("U1", "B"), ("Q1", "D"))


def test_an_event_without_user_or_queue_has_no_names_of_them() -> None:
    event = read_event(delivery(webhook("engagement_started", {"user_display_name": "A"})))
    assert (event.user(), event.queue()) == ((None, None), (None, None))
    assert (event.user_name(None), event.queue_name(None)) == (None, None)
