"""Pure: the fault of an error, and its consequence for the record.

Transient faults are retried without end, a rejected record becomes a dead letter at once, our own
defects are retried a few times. Configuration and fencing errors end the work and never reach this
module: the worker handles them first.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Final, Protocol

from runtime.errors import RejectedError, TransientError
from schemas.reasons import DeadLetterReason

_max_minimum_delay_s: Final = 300.0
"""A requested delay is kept for at most five minutes, however long it is."""


class RandomSource(Protocol):
    """The part of `random.Random` that jitter needs."""

    def random(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        ...


class FaultKind(StrEnum):
    """The fault of an error; a label of metrics."""

    TRANSIENT = "transient"
    REJECTED = "rejected"
    DEFECT = "defect"


def doubled_delay_s(failures: int, *, first_s: float, limit_s: float) -> float:
    """Return the delay after so many failures in a row, from 1: doubled each time up to a limit."""
    doublings = min(failures - 1, 62)  # 2.0**1024 would overflow; the limit is reached before
    return min(limit_s, first_s * 2.0**doublings)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Delays double from ``first_s`` up to ``limit_s``; jitter subtracts up to half."""

    defect_attempts: int
    rng: RandomSource
    first_s: float = 0.1
    limit_s: float = 15.0

    def delay_s(self, attempt: int, *, minimum_delay_s: float | None = None) -> float:
        """Return the seconds to wait after the ``attempt``-th failure, from 1; always finite.

        ``minimum_delay_s`` is the delay that the other side requests; it is kept up to five
        minutes.
        """
        max_delay_s = doubled_delay_s(attempt, first_s=self.first_s, limit_s=self.limit_s)
        delay_s = max_delay_s * (1.0 - self.rng.random() / 2)
        if minimum_delay_s is None or not isfinite(minimum_delay_s):
            return delay_s
        return max(delay_s, min(minimum_delay_s, _max_minimum_delay_s))


@dataclass(frozen=True, slots=True)
class RetryInPlace:
    """Retry in place after this many seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Write a dead letter. ``detail`` describes the failure without personal data."""

    reason: DeadLetterReason
    detail: str


Outcome = RetryInPlace | DeadLetter


def fault_of(error: Exception) -> FaultKind:
    """Return the fault of an error, by its class."""
    match error:
        case TransientError():
            return FaultKind.TRANSIENT
        case RejectedError():
            return FaultKind.REJECTED
        case _:
            return FaultKind.DEFECT


def decide(error: Exception, attempt: int, policy: RetryPolicy) -> Outcome:
    """Return the consequence of the ``attempt``-th failure of this fault, counted from 1."""
    match error:
        case TransientError():
            return RetryInPlace(policy.delay_s(attempt, minimum_delay_s=error.retry_after_s))
        case RejectedError():
            return DeadLetter(error.reason, error.detail)
        case _ if attempt < policy.defect_attempts:
            return RetryInPlace(policy.delay_s(attempt))
        case _:
            return DeadLetter(DeadLetterReason.DEFECT, safe_error_text(error))


def safe_error_text(error: BaseException) -> str:
    """Return the class of an error and where it was raised. Its message may hold personal data."""
    location, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        module = trace.tb_frame.f_globals.get("__name__", "?")
        location = f" at {module}:{code.co_qualname}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__qualname__}{location}"
