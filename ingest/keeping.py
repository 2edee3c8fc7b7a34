"""What becomes of a signed body between its decision and its answer.

The sender calls back when the broker has the record or refuses it. What it refuses for now, and
what waits for longer than the deadline, goes to the spill, where there is one; else Zoom is told
to send it again.
"""

from typing import Protocol, assert_never

import structlog

from ingest import answers
from ingest.answers import Answer, Unavailable
from ingest.decision import Event, Quarantined
from ingest.exchange import Exchange
from runtime.clock import Clock
from runtime.contracts import Settled
from runtime.errors import RejectedError, TransientError
from runtime.exposition import count, observe
from runtime.retry import described
from runtime.telemetry import ingest as metrics
from runtime.values import Record

_log = structlog.get_logger()


class Spill(Protocol):
    """Where records go that the broker does not take now."""

    @property
    def ready(self) -> bool:
        """Whether a record kept now is likely to be durable in time."""
        ...

    def keep(self, record: Record, settled: Settled) -> None:
        """Keep a record; ``settled`` is told later, of no error only once it is durable."""
        ...


class Keeping:
    """One record on its way. Its exchange is answered exactly once."""

    __slots__ = ("_clock", "_decision", "_exchange", "_spill", "begun_s", "is_settled")

    def __init__(
        self,
        exchange: Exchange,
        decision: Event | Quarantined,
        *,
        clock: Clock,
        spill: Spill | None,
    ) -> None:
        self._exchange = exchange
        self._decision = decision
        self._clock = clock
        self._spill = spill
        self.begun_s = clock.monotonic_s()
        self.is_settled = False

    def settled(self, error: Exception | None) -> None:
        """Take the sender's word; what comes after `overdue` is ignored."""
        if self.is_settled:
            return
        self.is_settled = True
        if error is None:
            self._kept()
        elif isinstance(error, RejectedError):
            # No retry mends it by itself, but 4xx would end it here and now: within the 85 minutes
            # of Zoom's retries a person can raise the topic's max.message.bytes.
            _log.error("record refused", reason=error.reason.value)
            self._given_up(Unavailable.TOO_LARGE)
        elif isinstance(error, TransientError):
            self._spilled_or(Unavailable.BROKER)
        else:
            # Neither message nor locals of the frames: they may hold what the body held.
            _log.error("request failed", error=described(error))
            self._spilled_or(Unavailable.DEFECT)

    def overdue(self) -> None:
        """Wait for the sender no longer."""
        if not self.is_settled:
            self.is_settled = True
            self._spilled_or(Unavailable.DEADLINE)

    def _spilled_or(self, reason: Unavailable) -> None:
        def settled(error: Exception | None) -> None:
            if error is None:
                self._kept()
            else:
                self._given_up(reason)

        if self._spill is None:
            self._given_up(reason)
        else:
            self._spill.keep(self._decision.record, settled)

    def _kept(self) -> None:
        match self._decision:
            case Event(family=family):
                count(metrics.accepted, family)
            case Quarantined(reason=reason):
                count(metrics.quarantined, reason.value)
            case _:
                assert_never(self._decision)
        self._answer(answers.kept)

    def _given_up(self, reason: Unavailable) -> None:
        count(metrics.unavailable, reason.value)
        self._answer(answers.unavailable)

    def _answer(self, answer: Answer) -> None:
        observe(metrics.latency, self._clock.monotonic_s() - self.begun_s)
        reply(self._exchange, answer)
        del self._exchange, self._decision  # `Webhook` may hold this a while yet, but no body


def not_kept(exchange: Exchange, reason: Unavailable) -> None:
    """Have Zoom send it again."""
    count(metrics.unavailable, reason.value)
    reply(exchange, answers.unavailable)


def reply(exchange: Exchange, answer: Answer) -> None:
    """Answer and count it."""
    count(metrics.responses, exchange.label, answer.label)
    exchange.reply(answer)
