"""The hot path: one webhook in, one record out.

It checks in the order of the table in `ingest.webhook.responses`: app, POST, size, time, signature,
and the body last, because a body whose signature holds may no longer be refused. A signed request
that fails for a reason that may be ours, such as a wrong setting, gets 503. There is no task per
request: the broker's acknowledgement calls back, and `tick` finds those that wait for too long.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from ingest.apps.registry import App, Apps
from ingest.http.request_context import PickedHeaders, RequestContext, pick_headers
from ingest.http.request_limiter import RequestLimiter
from ingest.http.responses import Refusal, refusals, unavailable_unread
from ingest.metrics import metrics
from ingest.settings import IngestSettings
from ingest.webhook import responses
from ingest.webhook.access import AccessFault, ForeignAccounts, access_fault
from ingest.webhook.pending import (
    Destinations,
    PendingAcknowledgement,
    SpillPort,
    answer_unavailable,
    reply,
)
from ingest.webhook.replays import AcknowledgedSignatures
from ingest.webhook.responses import Unavailable
from ingest.webhook.routing import (
    Challenge,
    ForeignAccount,
    RoutingSettings,
    SignedRequest,
    decide,
    quarantined,
)
from runtime.clock import Clock
from runtime.contracts import Sender
from runtime.errors import TransientError
from runtime.process.metrics_exposition import count
from runtime.retries.policy import safe_error_text
from schemas.reasons import QuarantineReason
from schemas.topics import quarantine_topic
from zoom.signature import (
    SignatureError,
    SignatureFault,
    is_claimed,
    signature_header,
    timestamp_header,
    verify,
)

_content_length: Final = b"content-length"
_content_encoding: Final = b"content-encoding"
_request_id: Final = b"x-zm-request-id"
_traceparent: Final = b"traceparent"
_forwarded: Final = b"x-forwarded-for"
_names: Final = frozenset(
    {
        *(_content_length, _content_encoding, _request_id, _traceparent),
        *(signature_header, timestamp_header),
    }
)

_signed_names: Final = frozenset({signature_header, timestamp_header})

_over_a_limit: Final = frozenset({Refusal.HEAD_TOO_LARGE, Refusal.TOO_LARGE})
_misdirections: Final = {
    Refusal.UNKNOWN_APP: Unavailable.PATH,
    Refusal.METHOD: Unavailable.METHOD,
}

_none: Final[tuple[bytes, ...]] = ()

_log = structlog.get_logger()


class Webhook:
    """Answers the webhooks of all apps; call `tick` several times a second."""

    def __init__(  # noqa: PLR0913 - what a webhook passes through
        self,
        settings: IngestSettings,
        *,
        apps: Callable[[], Apps],
        routing: RoutingSettings,
        sender: Sender,
        limiter: RequestLimiter,
        clock: Clock,
        spill: SpillPort | None = None,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._routing = routing
        self._sender = sender
        self._limiter = limiter
        self._clock = clock
        self._destinations = Destinations(
            sender, quarantine_topic(prefix=routing.topic_prefix), spill
        )
        self._foreign = ForeignAccounts(grace_s=settings.foreign_account_grace_s)
        self._waiting: deque[PendingAcknowledgement] = deque()
        self._acknowledged = AcknowledgedSignatures(
            settings.remembered_signatures,
            lifetime_s=2 * settings.timestamp_window_s,  # ahead by one, behind by one
        )

    def on_headers(self, context: RequestContext) -> None:
        """Refuse what can be refused by its head alone."""
        app = self._apps().get(context.path)
        if app is not None:
            context.label = app.name
        context.picked = pick_headers(context.headers, _names)
        fault = _misdirection(app, context)
        # The parser has checked its form, and refused a second one.
        declared = context.picked.get(_content_length)
        if fault is not None and not _is_claimed(context.picked):
            self.on_error(context, fault)
        elif self._limiter.overloaded:
            self.on_error(context, Refusal.OVERLOAD)
        # Of zeros before it there may be more than `int` reads.
        elif declared and int(declared[0].lstrip(b"0") or b"0") > self._settings.max_body_bytes:
            self.on_error(context, Refusal.TOO_LARGE)

    def on_error(self, context: RequestContext, reason: Refusal) -> None:
        """Reject a request whose body will not be read.

        The limits are ours, and so may be a proxy that adds to a head. So a request over a limit
        that looks signed gets 503, although it cannot be verified, and Zoom retries it.
        """
        count(metrics.refused, context.label, reason.value)
        if reason is Refusal.DISCONNECTED:
            return
        if reason in _over_a_limit and _is_claimed(pick_headers(context.headers, _signed_names)):
            count(metrics.unavailable, Unavailable.OVER_LIMIT.value)
            reply(context, unavailable_unread)
        else:
            reply(context, refusals[reason])

    def on_body(self, context: RequestContext) -> None:
        """Verify, decide, and hand the record to the sender."""
        app = self._apps().get(context.path)
        fault = _misdirection(app, context)
        if app is None or fault is not None:
            self._misdirected(context, fault or Refusal.UNKNOWN_APP)
            return
        try:
            request = self._verified(app, context)
        except SignatureError as error:
            self._not_verified(context, error.fault)
            return
        access = self._access_fault(app, context)
        if access is not None:
            answer_unavailable(context, Unavailable(access.value))
        elif (app.name, context.picked[signature_header][0]) in self._acknowledged:
            count(metrics.replays, app.name)
            reply(context, responses.acknowledged)
        elif self._limiter.overloaded:
            self.on_error(context, Refusal.OVERLOAD)
        else:
            self._forward(app, request, context)

    def on_response_written(self, context: RequestContext) -> None:
        """Remember a signature, once Zoom has got the 204 for it."""
        if context.response is responses.acknowledged and context.signature:
            self._acknowledged.add(context.label, context.signature)

    def tick(self, now_s: float) -> None:
        """End records that were not acknowledged in time; forget old signatures."""
        self._acknowledged.tick(now_s)
        metrics.remembered.set(len(self._acknowledged))
        waiting = self._waiting
        begun_by_s = now_s - self._settings.produce_deadline_s
        while waiting and (waiting[0].is_settled or waiting[0].begun_s <= begun_by_s):
            pending = waiting.popleft()
            if not pending.is_settled:
                pending.on_deadline()

    def _misdirected(self, context: RequestContext, fault: Refusal) -> None:
        """Answer 503 if Zoom signed it, so that it comes again; else refuse it."""
        reason = self._fault_of_ours(context, misdirection=_misdirections[fault])
        if reason is None:
            self.on_error(context, fault)
        else:
            answer_unavailable(context, reason)

    def _not_verified(self, context: RequestContext, fault: SignatureFault) -> None:
        count(metrics.refused, context.label, fault.value)
        reason = None
        if fault is SignatureFault.TIMESTAMP_OUTSIDE_WINDOW:
            reason = Unavailable.CLOCK
        elif fault is SignatureFault.SIGNATURE_WRONG:
            reason = self._fault_of_ours(context, misdirection=Unavailable.PATH)
        if reason is not None:
            answer_unavailable(context, reason)
            return
        encoded = _single(context, _content_encoding)
        reply(context, responses.not_signed_but_encoded if encoded else responses.not_signed)

    def _fault_of_ours(
        self, context: RequestContext, *, misdirection: Unavailable
    ) -> Unavailable | None:
        """Return which fault of ours may explain that no secret of the path's app has signed."""
        secrets = [secret for app in self._apps() for secret in app.secrets]
        try:
            self._signing_secret(context, secrets, self._clock.now().timestamp())
        except SignatureError as error:
            if error.fault is SignatureFault.TIMESTAMP_OUTSIDE_WINDOW:
                return Unavailable.CLOCK
            return Unavailable.SECRET if self._has_lost_a_secret(context) else None
        return misdirection

    def _has_lost_a_secret(self, context: RequestContext) -> bool:
        """Whether a secret was removed so recently that it may have been a mistake."""
        removed_s = self._apps().secrets_removed_s.get(context.path)
        grace_s = self._settings.secret_grace_s
        return removed_s is not None and self._clock.monotonic_s() - removed_s < grace_s

    def _signing_secret(
        self, context: RequestContext, secrets: Sequence[bytes], now_s: float
    ) -> int:
        picked = context.picked
        return verify(
            context.body,
            timestamps=picked.get(timestamp_header, _none),
            signatures=picked.get(signature_header, _none),
            secrets=secrets,
            now_s=now_s,
            window_s=self._settings.timestamp_window_s,
        )

    def _verified(self, app: App, context: RequestContext) -> SignedRequest:
        now_s = self._clock.now().timestamp()
        index = self._signing_secret(context, app.secrets, now_s)
        count(metrics.verified, app.name, str(index))
        return SignedRequest(
            app=app.name,
            body=context.body,
            secret=app.secrets[index],
            received_at_ms=int(now_s * 1000),
            accounts=app.accounts,
            request_id=_single(context, _request_id),
            traceparent=_single(context, _traceparent),
            encoding=_single(context, _content_encoding),
        )

    def _access_fault(self, app: App, context: RequestContext) -> AccessFault | None:
        if not (app.networks or app.credential):
            return None
        names = {_forwarded} | ({app.credential.name} if app.credential else set())
        picked = pick_headers(context.headers, frozenset(names))
        return access_fault(
            app,
            peer=context.peer,
            forwarded=picked.get(_forwarded, _none),
            credentials=picked.get(app.credential.name, _none) if app.credential else _none,
            hops=self._settings.forwarded_hops,
        )

    def _forward(self, app: App, request: SignedRequest, context: RequestContext) -> None:
        try:
            decision = decide(request, self._routing)
        except Exception as error:  # noqa: BLE001 - signed by Zoom, so it goes to quarantine
            _log.error("decision failed", app=request.app, error=safe_error_text(error))
            decision = quarantined(QuarantineReason.DEFECT, request, self._routing)
        if isinstance(decision, Challenge):
            count(metrics.challenges, request.app)
            metrics.last_challenge.labels(request.app).set(request.received_at_ms / 1000)
            reply(context, responses.challenge_met(decision.answer))
            return
        if isinstance(decision, ForeignAccount):
            if self._foreign.should_retry(
                app,
                decision.account_id,
                age_s=(request.received_at_ms - decision.event_ts_ms) / 1000,
                now_s=self._clock.monotonic_s(),
            ):
                answer_unavailable(context, Unavailable.FOREIGN_ACCOUNT)
                return
            decision = decision.quarantined
        context.signature = context.picked[signature_header][0]
        pending = PendingAcknowledgement(
            context, decision, destinations=self._destinations, clock=self._clock
        )
        try:
            self._sender.send(decision.record, pending.on_settled)
        except TransientError as error:
            pending.on_settled(error)
        else:
            self._waiting.append(pending)


def _misdirection(app: App | None, context: RequestContext) -> Refusal | None:
    if app is None:
        return Refusal.UNKNOWN_APP
    return None if context.method == b"POST" else Refusal.METHOD


def _is_claimed(picked: PickedHeaders) -> bool:
    return is_claimed(
        timestamps=picked.get(timestamp_header, _none),
        signatures=picked.get(signature_header, _none),
    )


def _single(context: RequestContext, name: bytes) -> bytes:
    """Return a header's value, empty where it is absent or ambiguous."""
    values = context.picked.get(name, _none)
    return values[0] if len(values) == 1 else b""
