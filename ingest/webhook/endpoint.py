"""The hot path: one webhook in, one record out.

The order of its checks is that of the table in `ingest.webhook.responses`: whose URL, POST, size,
time, signature, and only then what the body says, because from there on it may no longer be
refused. What a wrong setting of ours could bring about is answered 503 where it is, or looks,
signed. There is no task per request: the acknowledgement of the broker calls back, and one look at
the clock for all finds those that wait for too long.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from ingest.apps.registry import App, Apps
from ingest.http.admission import RequestLimiter
from ingest.http.exchange import PickedHeaders, RequestContext, pick_headers
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
from ingest.webhook.replays import AnsweredSignatures
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
    """Answers requests for `ingest.apps.registry`; `tick` has to be called all the while."""

    def __init__(  # noqa: PLR0913 - all that a webhook meets on its way
        self,
        settings: IngestSettings,
        *,
        apps: Callable[[], Apps],
        routing: RoutingSettings,
        sender: Sender,
        admission: RequestLimiter,
        clock: Clock,
        spill: SpillPort | None = None,
    ) -> None:
        self._settings = settings
        self._apps = apps
        self._routing = routing
        self._sender = sender
        self._admission = admission
        self._clock = clock
        self._destinations = Destinations(
            sender, quarantine_topic(prefix=routing.topic_prefix), spill
        )
        self._foreign = ForeignAccounts(grace_s=settings.foreign_account_grace_s)
        self._waiting: deque[PendingAcknowledgement] = deque()
        self._answered = AnsweredSignatures(
            settings.remembered_signatures,
            lasting_s=2 * settings.timestamp_window_s,  # a clock may be ahead by one, behind by one
        )

    def on_headers(self, exchange: RequestContext) -> None:
        """Refuse by the head alone what can be."""
        app = self._apps().get(exchange.path)
        if app is not None:
            exchange.label = app.name
        exchange.picked = pick_headers(exchange.headers, _names)
        fault = _fault(app, exchange)
        # The parser has checked its form, and refused a second one.
        declared = exchange.picked.get(_content_length)
        if fault is not None and not _is_claimed(exchange.picked):
            self.refused(exchange, fault)
        elif self._admission.full:
            self.refused(exchange, Refusal.OVERLOAD)
        # Of zeros before it there may be more than `int` reads.
        elif declared and int(declared[0].lstrip(b"0") or b"0") > self._settings.max_body_bytes:
            self.refused(exchange, Refusal.TOO_LARGE)

    def refused(self, exchange: RequestContext, reason: Refusal) -> None:
        """Answer what will not be read to its end.

        Limits are ours, and so may be a proxy that adds to a head. So what is over one and looks
        signed is to be sent again, though nobody can tell whether it is.
        """
        count(metrics.refused, exchange.label, reason.value)
        if reason is Refusal.DISCONNECTED:
            return
        if reason in _over_a_limit and _is_claimed(pick_headers(exchange.headers, _signed_names)):
            count(metrics.unavailable, Unavailable.OVER_LIMIT.value)
            reply(exchange, unavailable_unread)
        else:
            reply(exchange, refusals[reason])

    def on_body(self, exchange: RequestContext) -> None:
        """Verify, decide and keep."""
        app = self._apps().get(exchange.path)
        fault = _fault(app, exchange)
        if app is None or fault is not None:
            self._misdirected(exchange, fault or Refusal.UNKNOWN_APP)
            return
        try:
            request = self._verified(app, exchange)
        except SignatureError as error:
            self._not_verified(exchange, error.fault)
            return
        access = self._access_fault(app, exchange)
        if access is not None:
            answer_unavailable(exchange, Unavailable(access.value))
        elif (app.name, exchange.picked[signature_header][0]) in self._answered:
            count(metrics.replays, app.name)
            reply(exchange, responses.kept)
        elif self._admission.full:
            self.refused(exchange, Refusal.OVERLOAD)
        else:
            self._keep(app, request, exchange)

    def written(self, exchange: RequestContext) -> None:
        """Remember what was kept, once its sender is told."""
        if exchange.answer is responses.kept and exchange.signature:
            self._answered.add(exchange.label, exchange.signature)

    def tick(self, now_s: float) -> None:
        """Give up waiting for what was not acknowledged in time, and forget what is long over."""
        self._answered.tick(now_s)
        metrics.remembered.set(len(self._answered))
        waiting = self._waiting
        overdue_s = now_s - self._settings.produce_deadline_s
        while waiting and (waiting[0].is_settled or waiting[0].begun_s <= overdue_s):
            keeping = waiting.popleft()
            if not keeping.is_settled:
                keeping.overdue()

    def _misdirected(self, exchange: RequestContext, fault: Refusal) -> None:
        """Have sent again what Zoom signed and what came the wrong way; refuse the rest."""
        reason = self._fault_of_ours(exchange, misdirection=_misdirections[fault])
        if reason is None:
            self.refused(exchange, fault)
        else:
            answer_unavailable(exchange, reason)

    def _not_verified(self, exchange: RequestContext, fault: SignatureFault) -> None:
        count(metrics.refused, exchange.label, fault.value)
        reason = None
        if fault is SignatureFault.TIMESTAMP_OUTSIDE_WINDOW:
            reason = Unavailable.CLOCK
        elif fault is SignatureFault.SIGNATURE_WRONG:
            reason = self._fault_of_ours(exchange, misdirection=Unavailable.PATH)
        if reason is not None:
            answer_unavailable(exchange, reason)
            return
        encoded = _single(exchange, _content_encoding)
        reply(exchange, responses.not_signed_but_encoded if encoded else responses.not_signed)

    def _fault_of_ours(
        self, exchange: RequestContext, *, misdirection: Unavailable
    ) -> Unavailable | None:
        """Return what of ours may be wrong where no secret of the path's own has signed."""
        secrets = [secret for app in self._apps() for secret in app.secrets]
        try:
            self._signing_secret(exchange, secrets, self._clock.now().timestamp())
        except SignatureError as error:
            if error.fault is SignatureFault.TIMESTAMP_OUTSIDE_WINDOW:
                return Unavailable.CLOCK
            return Unavailable.SECRET if self._lost_a_secret(exchange) else None
        return misdirection

    def _lost_a_secret(self, exchange: RequestContext) -> bool:
        """Return whether one was taken away so lately that it may have been a mistake."""
        taken_s = self._apps().secrets_taken_s.get(exchange.path)
        grace_s = self._settings.secret_grace_s
        return taken_s is not None and self._clock.monotonic_s() - taken_s < grace_s

    def _signing_secret(
        self, exchange: RequestContext, secrets: Sequence[bytes], now_s: float
    ) -> int:
        picked = exchange.picked
        return verify(
            exchange.body,
            timestamps=picked.get(timestamp_header, _none),
            signatures=picked.get(signature_header, _none),
            secrets=secrets,
            now_s=now_s,
            window_s=self._settings.timestamp_window_s,
        )

    def _verified(self, app: App, exchange: RequestContext) -> SignedRequest:
        now_s = self._clock.now().timestamp()
        index = self._signing_secret(exchange, app.secrets, now_s)
        count(metrics.verified, app.name, str(index))
        return SignedRequest(
            app=app.name,
            body=exchange.body,
            secret=app.secrets[index],
            received_at_ms=int(now_s * 1000),
            accounts=app.accounts,
            request_id=_single(exchange, _request_id),
            traceparent=_single(exchange, _traceparent),
            encoding=_single(exchange, _content_encoding),
        )

    def _access_fault(self, app: App, exchange: RequestContext) -> AccessFault | None:
        if not (app.networks or app.credential):
            return None
        names = {_forwarded} | ({app.credential.name} if app.credential else set())
        picked = pick_headers(exchange.headers, frozenset(names))
        return access_fault(
            app,
            peer=exchange.peer,
            forwarded=picked.get(_forwarded, _none),
            credentials=picked.get(app.credential.name, _none) if app.credential else _none,
            hops=self._settings.forwarded_hops,
        )

    def _keep(self, app: App, request: SignedRequest, exchange: RequestContext) -> None:
        try:
            decision = decide(request, self._routing)
        except Exception as error:  # noqa: BLE001 - signed by Zoom, so it is kept whatever we broke
            _log.error("decision failed", app=request.app, error=safe_error_text(error))
            decision = quarantined(QuarantineReason.DEFECT, request, self._routing)
        if isinstance(decision, Challenge):
            count(metrics.challenges, request.app)
            metrics.last_challenge.labels(request.app).set(request.received_at_ms / 1000)
            reply(exchange, responses.challenge_met(decision.answer))
            return
        if isinstance(decision, ForeignAccount):
            if self._foreign.is_sent_again(
                app,
                decision.account_id,
                age_s=(request.received_at_ms - decision.event_ts_ms) / 1000,
                now_s=self._clock.monotonic_s(),
            ):
                answer_unavailable(exchange, Unavailable.FOREIGN_ACCOUNT)
                return
            decision = decision.quarantined
        exchange.signature = exchange.picked[signature_header][0]
        keeping = PendingAcknowledgement(
            exchange, decision, destinations=self._destinations, clock=self._clock
        )
        try:
            self._sender.send(decision.record, keeping.settled)
        except TransientError as error:
            keeping.settled(error)
        else:
            self._waiting.append(keeping)


def _fault(app: App | None, exchange: RequestContext) -> Refusal | None:
    if app is None:
        return Refusal.UNKNOWN_APP
    return None if exchange.method == b"POST" else Refusal.METHOD


def _is_claimed(picked: PickedHeaders) -> bool:
    return is_claimed(
        timestamps=picked.get(timestamp_header, _none),
        signatures=picked.get(signature_header, _none),
    )


def _single(exchange: RequestContext, name: bytes) -> bytes:
    """Return a header's value, empty where it is absent or ambiguous."""
    values = exchange.picked.get(name, _none)
    return values[0] if len(values) == 1 else b""
