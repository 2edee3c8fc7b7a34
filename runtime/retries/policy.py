"""Pure: whose fault an error is, and what becomes of the record it befell.

The world's faults are retried without end, the record's are set aside at once, ours are tried a
few times. Configuration and fencing end the work instead of deciding about a record; the worker
takes them out before it asks here.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Final, Protocol

from runtime.errors import RejectedError, TransientError
from schemas.reasons import DeadLetterReason

_longest_wish_s: Final = 300.0
"""However long the other side wishes to be left alone, ask again after five minutes."""


class RandomSource(Protocol):
    """What is asked of a `random.Random`."""

    def random(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        ...


class FaultKind(StrEnum):
    """Whose fault an error is; a label of metrics."""

    TRANSIENT = "transient"
    REJECTED = "rejected"
    DEFECT = "defect"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Delays grow from ``first_s`` by doubling up to ``limit_s``; jitter takes up to half off."""

    defect_attempts: int
    rng: RandomSource
    first_s: float = 0.1
    limit_s: float = 15.0

    def delay_s(self, attempt: int, *, minimum_delay_s: float | None = None) -> float:
        """Return seconds to wait after the ``attempt``-th failure, counted from 1; finite for all.

        ``minimum_delay_s`` is the least that the other side asks for; it is kept up to five
        minutes.
        """
        doublings = min(attempt - 1, 62)  # 2.0**1024 would overflow; the limit is reached before
        longest_s: float = min(self.limit_s, self.first_s * 2.0**doublings)
        delay_s = longest_s * (1.0 - self.rng.random() / 2)
        if minimum_delay_s is None or not isfinite(minimum_delay_s):
            return delay_s
        return max(delay_s, min(minimum_delay_s, _longest_wish_s))


@dataclass(frozen=True, slots=True)
class Done:
    """The record is settled."""


@dataclass(frozen=True, slots=True)
class RetryInPlace:
    """Try again in place after so many seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Set the record aside; ``detail`` says what happened and holds no personal data."""

    reason: DeadLetterReason
    detail: str


Outcome = Done | RetryInPlace | DeadLetter

_done: Final = Done()


def fault_of(error: Exception) -> FaultKind:
    """Return whose fault an error is, by its class."""
    match error:
        case TransientError():
            return FaultKind.TRANSIENT
        case RejectedError():
            return FaultKind.REJECTED
        case _:
            return FaultKind.DEFECT


def decide(error: Exception | None, attempt: int, policy: RetryPolicy) -> Outcome:
    """Return what becomes of a record after its ``attempt``-th failure of this fault, from 1.

    Without an error it is done, whatever ``attempt`` says.
    """
    match error:
        case None:
            return _done
        case TransientError():
            return RetryInPlace(policy.delay_s(attempt, minimum_delay_s=error.retry_after_s))
        case RejectedError():
            return DeadLetter(error.reason, error.detail)
        case _ if attempt < policy.defect_attempts:
            return RetryInPlace(policy.delay_s(attempt))
        case _:
            return DeadLetter(DeadLetterReason.DEFECT, safe_error_text(error))


def safe_error_text(error: BaseException) -> str:
    """Return the class of an error and where it was raised; never its message, which may tell."""
    place, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        module = trace.tb_frame.f_globals.get("__name__", "?")
        place = f" at {module}:{code.co_qualname}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__qualname__}{place}"
