"""What becomes of a signed body between its decision and its answer.

The sender calls back when the broker has the record or refuses it. What it refuses for now, and
what waits for longer than the deadline, goes to the spill, where there is one; else Zoom is told
to send it again.

What its topic will never take as it is goes to quarantine, which may take more. What quarantine
does not take either is set aside in the spill. Zoom sends again only where nothing takes it.
"""

from dataclasses import dataclass
from typing import Protocol, assert_never

import structlog

from ingest.http.exchange import RequestContext
from ingest.http.responses import Answer, unavailable
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
    """Where records go that the broker does not take now."""

    @property
    def ready(self) -> bool:
        """Whether a record kept now is likely to be durable in time."""
        ...

    def keep(self, record: Record, settled: Settled) -> None:
        """Keep a record; ``settled`` is told later, of no error only once it is durable."""
        ...

    def set_aside(self, record: Record, settled: Settled) -> None:
        """Keep a record for a person to produce: its topic does not take it. Else as `keep`."""
        ...


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where a record may go. ``spill`` None = there is none."""

    sender: Sender
    quarantine_topic: str
    spill: SpillPort | None


class PendingAcknowledgement:
    """One record on its way. Its exchange is answered exactly once."""

    __slots__ = (
        *("_clock", "_decision", "_destinations", "_exchange", "_refused", "begun_s", "is_settled"),
    )

    def __init__(
        self,
        exchange: RequestContext,
        decision: RoutedEvent | Quarantined,
        *,
        destinations: Destinations,
        clock: Clock,
    ) -> None:
        self._exchange = exchange
        self._decision = decision
        self._destinations = destinations
        self._clock = clock
        self._refused: Record | None = None
        """What its topic has refused, while quarantine is asked."""
        self.begun_s = clock.monotonic_s()
        self.is_settled = False

    def settled(self, error: Exception | None) -> None:
        """Take the sender's word; what comes after `overdue` is ignored."""
        if self.is_settled:
            return
        if isinstance(error, RejectedError) and isinstance(self._decision, RoutedEvent):
            self._quarantine(error)
            return
        self.is_settled = True
        if error is None:
            self._kept()
        elif isinstance(error, RejectedError):
            self._set_aside(error)
        elif isinstance(error, TransientError):
            self._spill_or_reject(Unavailable.BROKER)
        else:
            # Neither message nor locals of the frames: they may hold what the body held.
            _log.error("request failed", error=safe_error_text(error))
            self._spill_or_reject(Unavailable.DEFECT)

    def overdue(self) -> None:
        """Wait for the sender no longer."""
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
            self._destinations.sender.send(self._decision.record, self.settled)
        except TransientError as error:
            self.settled(error)

    def _set_aside(self, refusal: RejectedError) -> None:
        """Keep what no topic takes where a person finds it, as it was to be produced at first."""

        def settled(error: Exception | None) -> None:
            if error is None:
                self._answer(responses.kept)  # the spill counts it
                return
            # 4xx would end it here and now: within the 85 minutes of Zoom's retries a person can
            # raise the limit.
            _log.error("no topic takes it", refusal=refusal.detail, spill=str(error))
            self._given_up(Unavailable.REFUSED)

        spill = self._destinations.spill
        if spill is None:
            settled(TransientError("ZCC_SPILL_URL is empty"))
        else:
            spill.set_aside(self._refused or self._decision.record, settled)

    def _spill_or_reject(self, reason: Unavailable) -> None:
        def settled(error: Exception | None) -> None:
            if error is None:
                self._kept()
            else:
                self._given_up(reason)

        spill = self._destinations.spill
        if spill is None:
            self._given_up(reason)
        else:
            spill.keep(self._decision.record, settled)

    def _kept(self) -> None:
        match self._decision:
            case RoutedEvent(family=family):
                count(metrics.accepted, family)
            case Quarantined(reason=QuarantineReason.DEFECT as reason):
                # It lies safe, and the code after this one may still make an event of it.
                count(metrics.quarantined, reason.value)
                self._given_up(Unavailable.DEFECT)
                return
            case Quarantined(reason=reason):
                count(metrics.quarantined, reason.value)
            case _:
                assert_never(self._decision)
        self._answer(responses.kept)

    def _given_up(self, reason: Unavailable) -> None:
        count(metrics.unavailable, reason.value)
        self._answer(unavailable)

    def _answer(self, answer: Answer) -> None:
        observe(metrics.latency, self._clock.monotonic_s() - self.begun_s)
        reply(self._exchange, answer)
        del (
            self._exchange,
            self._decision,
            self._refused,
        )  # `Webhook` may hold this a while yet, but no body


def answer_unavailable(exchange: RequestContext, reason: Unavailable) -> None:
    """Have Zoom send it again."""
    count(metrics.unavailable, reason.value)
    reply(exchange, unavailable)


def reply(exchange: RequestContext, answer: Answer) -> None:
    """Answer and count it."""
    count(metrics.responses, exchange.label, answer.label)
    exchange.reply(answer)
