import hashlib
import json

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.webhook.routing import (
    Challenge,
    Decision,
    Quarantined,
    RoutedEvent,
    RoutingSettings,
    SignedRequest,
    decide,
)
from schemas import headers
from schemas.catalogue import events
from schemas.envelope import Envelope
from schemas.identity import event_id
from schemas.reasons import QuarantineReason
from tests.support.each_case import each_case

routing = RoutingSettings(topic_prefix="zcc", pseudonym_key=b"a-key-for-phone-numbers")
trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def request(body: bytes, *, request_id: bytes = b"", traceparent: bytes = b"") -> SignedRequest:
    return SignedRequest(
        app="sales",
        body=body,
        secret=b"the-secret",
        received_at_ms=1_751_364_000_123,
        request_id=request_id,
        traceparent=traceparent,
    )


def webhook(event: str, entity: object) -> bytes:
    payload = {"account_id": "account", "object": entity}
    return json.dumps({"event": event, "event_ts": 1_751_364_000_000, "payload": payload}).encode()


def decided(body: bytes, **headers_of_request: bytes) -> Decision:
    return decide(request(body, **headers_of_request), routing)


def test_an_event_goes_to_its_familys_topic_under_its_entitys_key() -> None:
    body = webhook("contact_center.engagement_started", {"engagement_id": "e1"})
    decision = decided(body)
    assert isinstance(decision, RoutedEvent)
    assert decision.family == "engagement"
    assert decision.record.topic == "zcc.engagement.v1"
    assert decision.record.key == b"account:e1"
    assert decision.record.value is body
    assert decision.record.partition is None


def test_an_events_headers_name_it_and_tell_how_it_came() -> None:
    body = webhook("contact_center.engagement_started", {"engagement_id": "e1"})
    decision = decided(body, request_id=b"0a1b2c3d_0001_0002_0003_0123456789ab", traceparent=trace)
    assert isinstance(decision, RoutedEvent)
    envelope = Envelope(
        "account", "contact_center.engagement_started", 1_751_364_000_000, {"engagement_id": "e1"}
    )
    assert dict(decision.record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": event_id(envelope).encode(),
        "ce_source": b"urn:zoom:contact-center:account",
        "ce_type": b"contact_center.engagement_started",
        "ce_time": b"2025-07-01T10:00:00.000Z",
        "ce_subject": b"engagement/e1",
        "ce_dataschema": b"urn:zcc:schema:contact_center.engagement_started:1",
        "ce_partitionkey": b"account:e1",
        "content-type": b"application/json",
        "zcc-event-id": event_id(envelope).encode(),
        "zcc-revision": b"1",
        "zcc-request-id": b"0a1b2c3d_0001_0002_0003_0123456789ab",
        "zcc-received-at": b"2025-07-01T10:00:00.123Z",
        "zcc-app": b"sales",
        "traceparent": trace,
    }


@each_case("name", events)
def test_every_known_event_has_the_topic_of_its_family(name: str) -> None:
    decision = decided(webhook(name, {}))
    assert isinstance(decision, RoutedEvent)
    assert decision.record.topic == f"zcc.{events[name].family}.v1"


def test_an_event_of_an_unknown_name_goes_to_the_unknown_topic() -> None:
    decision = decided(webhook("contact_center.invented_yesterday", {"engagement_id": "e1"}))
    assert isinstance(decision, RoutedEvent)
    assert decision.record.topic == "zcc.unknown.v1"
    assert decision.record.key == b"account:e1"


def test_a_phone_number_is_in_no_key_and_no_header() -> None:
    entity = {"sms": {"consumer_number": "+15550100"}}
    decision = decided(webhook("contact_center.consumer_messaging_opt_in", entity))
    assert isinstance(decision, RoutedEvent)
    assert b"5550100" not in (decision.record.key or b"")
    assert all(b"5550100" not in value for _, value in decision.record.headers)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", QuarantineReason.NOT_JSON),
        (b"not json", QuarantineReason.NOT_JSON),
        (b"\xef\xbb\xbf{}", QuarantineReason.NOT_AN_ENVELOPE),
        (b'{"a":"\xff"}', QuarantineReason.NOT_JSON),
        (b'{"a":"\\ud800"}', QuarantineReason.NOT_AN_ENVELOPE),
        (b'{"a":' + b"1" * 5000 + b"}", QuarantineReason.NOT_AN_ENVELOPE),
        (b'{"a":NaN}', QuarantineReason.NOT_JSON),
        (b"[" * 100_000, QuarantineReason.TOO_DEEP),
        (b'{"a":' * 300 + b"1" + b"}" * 300, QuarantineReason.TOO_DEEP),
        (b"[]", QuarantineReason.NOT_AN_ENVELOPE),
        (b'"contact_center"', QuarantineReason.NOT_AN_ENVELOPE),
        (b"{}", QuarantineReason.NOT_AN_ENVELOPE),
        (b'{"event":"endpoint.url_validation"}', QuarantineReason.NOT_AN_ENVELOPE),
        (
            b'{"event":"endpoint.url_validation","payload":{"plainToken":1}}',
            QuarantineReason.NOT_AN_ENVELOPE,
        ),
        (b'{"event":"a","payload":{"account_id":"b"}}', QuarantineReason.NO_EVENT_TIME),
    ],
)
def test_what_is_no_event_is_kept_in_quarantine_as_it_came(
    body: bytes, reason: QuarantineReason
) -> None:
    decision = decided(body, request_id=b"r-1", traceparent=trace)
    assert isinstance(decision, Quarantined)
    assert decision.reason is reason
    assert decision.record.topic == "zcc.quarantine.v1"
    assert decision.record.key == b"r-1"
    assert decision.record.value is body
    assert dict(decision.record.headers) == {
        "zcc-reason": reason.value.encode(),
        "zcc-received-at": b"2025-07-01T10:00:00.123Z",
        "zcc-app": b"sales",
        "zcc-request-id": b"r-1",
        "traceparent": trace,
    }


@pytest.mark.parametrize("request_id", [b"", b"a b", "ü".encode(), b"x" * 129, b"a\x00"])
def test_without_a_usable_request_id_quarantine_is_keyed_by_the_body(request_id: bytes) -> None:
    decision = decided(b"not json", request_id=request_id)
    assert isinstance(decision, Quarantined)
    assert decision.record.key == hashlib.sha256(b"not json").hexdigest().encode()
    assert headers.text(decision.record.headers, "zcc-request-id") is None


@pytest.mark.parametrize(
    "traceparent",
    [
        b"",
        trace.upper(),
        trace[:-1],
        trace + b"-00",
        b"ff" + trace[2:],
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        trace + b"\n",
    ],
)
def test_a_malformed_traceparent_is_not_passed_on(traceparent: bytes) -> None:
    decision = decided(webhook("contact_center.user_created", {}), traceparent=traceparent)
    assert isinstance(decision, RoutedEvent)
    assert headers.text(decision.record.headers, "traceparent") is None


def test_a_challenge_is_answered_with_the_secret_that_signed_it() -> None:
    decision = decided(
        b'{"payload":{"plainToken":"t\\u00f6ken"},"event":"endpoint.url_validation","event_ts":1}'
    )
    assert isinstance(decision, Challenge)
    assert orjson.loads(decision.answer) == {
        "plainToken": "töken",
        "encryptedToken": "1871ad0d782689ef1c202c4d7e9855771dd61ebc03d4cf33c87f4410c67af514",
    }


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
_members = st.dictionaries(
    st.sampled_from(
        ["engagement_id", "user_id", "users", "sms", "message_id", "date_time_ms", "download_url"]
    ),
    _json | st.lists(st.fixed_dictionaries({"user_id": _json}), max_size=2),
)
_bodies = st.builds(
    lambda event, event_ts, entity: json.dumps(
        {"event": event, "event_ts": event_ts, "payload": {"account_id": "a", "object": entity}}
    ).encode(),
    st.sampled_from(sorted(events)) | st.text(max_size=8),
    st.integers() | _json,
    _members | _json,
)


@given(body=_bodies | st.binary(max_size=64) | _json.map(orjson.dumps))
@example(body=webhook("a\x00b", {"engagement_id": "e\x00\U0001f600"}))
@example(
    body=webhook("contact_center.engagement_started", {"date_time_ms": "0001-01-01T00:00:00+23:59"})
)
def test_whatever_was_signed_is_kept_byte_for_byte(body: bytes) -> None:
    decision = decided(body)
    assert isinstance(decision, RoutedEvent | Quarantined)
    assert decision.record.value is body
    assert decision.record.key
    assert all(type(value) is bytes for _, value in decision.record.headers)
