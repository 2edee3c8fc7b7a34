"""Pure: what becomes of a request whose signature holds: an event, a challenge, or quarantine.

A signed body is never refused: what cannot be read is kept as it came, for a person to look at.
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
"""Zoom asks it when the URL is entered and every 72 hours; the sixth failure disables the URL."""

_not_encoded: Final = frozenset({b"", b"identity"})

_signed_message: Final = re.compile(r"v\d+:")
"""What the message begins with that a webhook's signature is of; see `zoom.signature`."""

_request_id: Final = re.compile(rb"[0-9A-Za-z._:-]{1,128}")
"""Five groups of hexadecimal digits as measured; no promise, so anything harmless is taken."""

_traceparent: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
"""Source: W3C Trace Context, section 3.2."""


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """What the record depends on, beside the request.

    ``starts_traces``: an event that comes without a trace begins one of its own.
    """

    topic_prefix: str
    pseudonym_key: bytes
    starts_traces: bool = False


class SignedRequest(NamedTuple):
    """A request whose ``body`` was signed with ``secret``.

    ``accounts`` are those that the app is for, none of them means all. ``request_id``,
    ``traceparent`` and ``encoding`` are the headers as they came, empty where there was none: the
    signature does not cover them.
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
    """An event and the record to keep it as."""

    record: Record
    family: str


class Quarantined(NamedTuple):
    """A body that is no event and the record to keep it as."""

    record: Record
    reason: QuarantineReason


class ForeignAccount(NamedTuple):
    """An event of an account that the app is not for, and how to keep it if nothing changes."""

    quarantined: Quarantined
    account_id: str
    event_ts_ms: int


@dataclass(frozen=True, slots=True)
class Challenge:
    """An endpoint validation and the JSON to answer with."""

    answer: bytes


Decision = RoutedEvent | Quarantined | ForeignAccount | Challenge


def decide(request: SignedRequest, routing: RoutingSettings) -> Decision:
    """Say what becomes of a signed request."""
    try:
        parsed, exact = parse_json(request.body)
        if isinstance(parsed, dict) and parsed.get("event") == challenge_event:
            return _challenge(parsed, request.secret)
        envelope = envelope_of(parsed)
    except UnreadableError as error:
        return quarantined(_reason(error, request), request, routing)
    if request.accounts and envelope.account_id not in request.accounts:
        kept = quarantined(QuarantineReason.FOREIGN_ACCOUNT, request, routing)
        return ForeignAccount(kept, envelope.account_id, envelope.event_ts_ms)
    if exact is None:
        return _event(envelope, envelope, request, routing)
    return _event(envelope, envelope_of(exact), request, routing)


def _reason(error: UnreadableError, request: SignedRequest) -> QuarantineReason:
    """The header, which nobody signed, explains what cannot be read; it decides nothing."""
    if error.reason is QuarantineReason.NOT_JSON and request.encoding not in _not_encoded:
        return QuarantineReason.ENCODED
    return error.reason


def quarantined(
    reason: QuarantineReason, request: SignedRequest, routing: RoutingSettings
) -> Quarantined:
    """Keep a body as it came, for a person to look at."""
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
        # The answer to such a token would be the signature of a body of the asker's choice.
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
    """Begin a trace that is the same for each delivery of an event."""
    return f"00-{event_id[:32]}-{event_id[32:48]}-01".encode()


def _id_of(request: SignedRequest) -> bytes:
    return request.request_id if _request_id.fullmatch(request.request_id) else b""
