"""Pure: routes a request whose signature holds: to an event, a challenge, or quarantine.

A signed body is never refused. One that cannot be parsed goes to quarantine unchanged, for a person
to examine.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import orjson

from runtime.values import Record
from schemas import headers, identity, topics
from schemas.envelope import Envelope, UnreadableError, envelope_of, parse_json
from schemas.reasons import QuarantineReason
from zoom.signature import encrypted_token

challenge_event: Final = "endpoint.url_validation"
"""Zoom sends it when the URL is entered and every 72 hours; the sixth failure disables the URL."""

_not_encoded: Final = frozenset({b"", b"identity"})

_signed_message: Final = re.compile(r"v\d+:")
"""The beginning of the message that a signature covers; see `zoom.signature`."""

_request_id: Final = re.compile(rb"[0-9A-Za-z._:-]{1,128}")
"""Measured: five groups of hexadecimal digits. Zoom does not promise it, so the form is wider."""

_traceparent: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
"""Source: W3C Trace Context, section 3.2."""


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """The settings that a record depends on.

    ``starts_traces``: an event without a trace begins one of its own.
    """

    topic_prefix: str
    pseudonym_key: bytes
    starts_traces: bool = False


class SignedRequest(NamedTuple):
    """A request whose ``body`` was signed with ``secret``.

    ``accounts`` are the accounts of the app; empty means all. ``request_id``, ``traceparent`` and
    ``encoding`` are headers as they came, empty if absent. The signature does not cover them.
    """

    app: str
    body: bytes
    secret: bytes
    received_at_ms: int
    accounts: frozenset[str] = frozenset()
    request_id: bytes = b""
    traceparent: bytes = b""
    encoding: bytes = b""


class RoutedEvent(NamedTuple):
    """An event and its record."""

    record: Record
    family: str


class Quarantined(NamedTuple):
    """A body that is not an event, and its record."""

    record: Record
    reason: QuarantineReason


class ForeignAccount(NamedTuple):
    """An event of an account that the app does not list, and its record of quarantine."""

    quarantined: Quarantined
    account_id: str
    event_ts_ms: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """An endpoint validation and the JSON of its answer."""

    answer: bytes


Decision = RoutedEvent | Quarantined | ForeignAccount | Challenge


def decide(request: SignedRequest, routing: RoutingSettings) -> Decision:
    """Return what becomes of a signed request."""
    try:
        parsed, exact = parse_json(request.body)
        if isinstance(parsed, dict) and parsed.get("event") == challenge_event:
            return _challenge(parsed, request.secret)
        envelope = envelope_of(parsed)
    except UnreadableError as error:
        return quarantined(_reason(error, request), request, routing)
    if request.accounts and envelope.account_id not in request.accounts:
        quarantine = quarantined(QuarantineReason.FOREIGN_ACCOUNT, request, routing)
        return ForeignAccount(quarantine, envelope.account_id, envelope.event_ts_ms)
    if exact is None:
        return _event(envelope, envelope, request, routing)
    return _event(envelope, envelope_of(exact), request, routing)


def _reason(error: UnreadableError, request: SignedRequest) -> QuarantineReason:
    """Content-Encoding is not signed: it may explain an unreadable body, and decides nothing."""
    if error.reason is QuarantineReason.NOT_JSON and request.encoding not in _not_encoded:
        return QuarantineReason.ENCODED
    return error.reason


def quarantined(
    reason: QuarantineReason, request: SignedRequest, routing: RoutingSettings
) -> Quarantined:
    """Return the quarantine record of a body as it came."""
    record = Record(
        topic=topics.quarantine_topic(prefix=routing.topic_prefix),
        key=_id_of(request) or hashlib.sha256(request.body).hexdigest().encode(),
        value=request.body,
        headers=(
            (headers.reason_header, reason.value.encode()),
            *_arrival(request),
            *_given_trace(request),
        ),
    )
    return Quarantined(record, reason)


def _challenge(parsed: dict[str, object], secret: bytes) -> Challenge:
    payload = parsed.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(token, str) or _signed_message.match(token):
        # The answer to such a token would be the signature of a body of the sender's choice.
        raise UnreadableError(QuarantineReason.NOT_AN_ENVELOPE)
    answer = {"plainToken": token, "encryptedToken": encrypted_token(token, secret=secret)}
    return Challenge(orjson.dumps(answer))


def _event(
    envelope: Envelope, written: Envelope, request: SignedRequest, routing: RoutingSettings
) -> RoutedEvent:
    place = identity.event_address(envelope, pseudonym_key=routing.pseudonym_key)
    family = headers.family_of(envelope.event)
    event_id = identity.event_id(written)
    own = headers.event_headers(
        envelope,
        event_id=event_id,
        occurred_at_ms=identity.occurred_at_ms(envelope),
        subject=place.subject,
        partition_key=place.partition_key,
    )
    trace = _given_trace(request)
    if not trace and routing.starts_traces:
        trace = ((headers.traceparent, _trace_of(event_id)),)
    record = Record(
        topic=topics.raw_topic(family, prefix=routing.topic_prefix),
        key=place.partition_key.encode(),
        value=request.body,
        headers=(*own, *_arrival(request), *trace),
    )
    return RoutedEvent(record, family)


def _arrival(request: SignedRequest) -> headers.Headers:
    received = (
        headers.received_at_header,
        headers.timestamp(request.received_at_ms).encode(),
    )
    app = (headers.app_header, request.app.encode())
    request_id = _id_of(request)
    if request_id:
        return (received, app, (headers.request_id_header, request_id))
    return (received, app)


def _given_trace(request: SignedRequest) -> headers.Headers:
    if request.traceparent and _traceparent.fullmatch(request.traceparent):
        return ((headers.traceparent, request.traceparent),)
    return ()


def _trace_of(event_id: str) -> bytes:
    """Begin a trace; each delivery of an event begins the same."""
    return f"00-{event_id[:32]}-{event_id[32:48]}-01".encode()


def _id_of(request: SignedRequest) -> bytes:
    return request.request_id if _request_id.fullmatch(request.request_id) else b""
