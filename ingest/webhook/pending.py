"""A record on its way, from its decision to the response.

The sender calls back when the broker has the record or refuses it. If the broker is unavailable or
the deadline passes, the record goes to the spill. Without a spill the request gets 503, and Zoom
retries it.

A record that its topic will never accept goes to quarantine, whose limits may be higher. If
quarantine refuses it too, the spill keeps it for a person. Only a record that nothing accepts gets
503.
"""

from dataclasses import dataclass
from typing import Protocol, assert_never

import structlog

from ingest.http.request_context import RequestContext
from ingest.http.responses import Response, unavailable
from ingest.metrics import metrics
from ingest.webhook import responses
from ingest.webhook.quarantine import refused_by_topic
from ingest.webhook.responses import Unavailable
from ingest.webhook.routing import Quarantined, RoutedEvent
from runtime.clock import Clock
from runtime.contracts import Sender, Settled
from runtime.errors import RejectedError, TransientError
from runtime.process.metrics_exposition import count, observe
from runtime.retries.policy import safe_error_text
from runtime.values import Record
from schemas.reasons import QuarantineReason

_log = structlog.get_logger()


class SpillPort(Protocol):
    """Stores records that the broker does not accept now."""

    @property
    def ready(self) -> bool:
        """Whether a record stored now is likely to be durable in time."""
        ...

    def store(self, record: Record, settled: Settled) -> None:
        """Store a record; ``settled`` is called later, without an error once it is durable."""
        ...

    def store_refused(self, record: Record, settled: Settled) -> None:
        """Store a record that no topic accepts, for a person to produce; else as `store`."""
        ...


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where a record may go. ``spill`` is None if none is set up."""

    sender: Sender
    quarantine_topic: str
    spill: SpillPort | None


class PendingAcknowledgement:
    """One record on its way. Its request is answered exactly once."""

    __slots__ = (
        *("_clock", "_context", "_decision", "_destinations", "_refused", "begun_s", "is_settled"),
    )

    def __init__(
        self,
        context: RequestContext,
        decision: RoutedEvent | Quarantined,
        *,
        destinations: Destinations,
        clock: Clock,
    ) -> None:
        self._context = context
        self._decision = decision
        self._destinations = destinations
        self._clock = clock
        self._refused: Record | None = None
        """The record that its topic has refused, while quarantine decides."""
        self.begun_s = clock.monotonic_s()
        self.is_settled = False

    def on_settled(self, error: Exception | None) -> None:
        """Record the publisher's result. A result after the deadline is ignored."""
        if self.is_settled:
            return
        if isinstance(error, RejectedError) and isinstance(self._decision, RoutedEvent):
            self._quarantine(error)
            return
        self.is_settled = True
        if error is None:
            self._on_stored()
        elif isinstance(error, RejectedError):
            self._store_refused(error)
        elif isinstance(error, TransientError):
            self._spill_or_reject(Unavailable.BROKER)
        else:
            # Neither message nor locals of the frames: they may hold what the body held.
            _log.error("request failed", error=safe_error_text(error))
            self._spill_or_reject(Unavailable.DEFECT)

    def on_deadline(self) -> None:
        """Stop waiting for the publisher."""
        if not self.is_settled:
            self.is_settled = True
            self._spill_or_reject(Unavailable.DEADLINE)

    def _quarantine(self, refusal: RejectedError) -> None:
        self._refused = self._decision.record
        self._decision = refused_by_topic(
            self._refused,
            detail=refusal.detail,
            quarantine_topic=self._destinations.quarantine_topic,
        )
        try:
            self._destinations.sender.send(self._decision.record, self.on_settled)
        except TransientError as error:
            self.on_settled(error)

    def _store_refused(self, refusal: RejectedError) -> None:
        """Store the record as it was first to be produced: no topic accepts it."""

        def settled(error: Exception | None) -> None:
            if error is None:
                self._answer(responses.acknowledged)  # the spill counts it
                return
            # 4xx would end it here and now: within the 85 minutes of Zoom's retries a person can
            # raise the limit.
            _log.error("no topic takes it", refusal=refusal.detail, spill=str(error))
            self._answer_unavailable(Unavailable.REFUSED)

        spill = self._destinations.spill
        if spill is None:
            settled(TransientError("ZCC_SPILL_URL is empty"))
        else:
            spill.store_refused(self._refused or self._decision.record, settled)

    def _spill_or_reject(self, reason: Unavailable) -> None:
        def settled(error: Exception | None) -> None:
            if error is None:
                self._on_stored()
            else:
                self._answer_unavailable(reason)

        spill = self._destinations.spill
        if spill is None:
            self._answer_unavailable(reason)
        else:
            spill.store(self._decision.record, settled)

    def _on_stored(self) -> None:
        match self._decision:
            case RoutedEvent(family=family):
                count(metrics.accepted, family)
            case Quarantined(reason=QuarantineReason.DEFECT as reason):
                # It is stored, and a later version of the code may still make an event of it.
                count(metrics.quarantined, reason.value)
                self._answer_unavailable(Unavailable.DEFECT)
                return
            case Quarantined(reason=reason):
                count(metrics.quarantined, reason.value)
            case _:
                assert_never(self._decision)
        self._answer(responses.acknowledged)

    def _answer_unavailable(self, reason: Unavailable) -> None:
        count(metrics.unavailable, reason.value)
        self._answer(unavailable)

    def _answer(self, response: Response) -> None:
        observe(metrics.latency, self._clock.monotonic_s() - self.begun_s)
        reply(self._context, response)
        del (
            self._context,
            self._decision,
            self._refused,
        )  # `Webhook` may hold this a while yet, but no body


def answer_unavailable(context: RequestContext, reason: Unavailable) -> None:
    """Answer 503, so that Zoom sends it again."""
    count(metrics.unavailable, reason.value)
    reply(context, unavailable)


def reply(context: RequestContext, response: Response) -> None:
    """Answer a request and count it."""
    count(metrics.responses, context.label, response.label)
    context.reply(response)
