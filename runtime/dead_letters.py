"""Pure: what a dead letter looks like, and when there are too many of them.

A dead letter is the record as read, byte for byte and with all its headers, and says beside it what
happened. The ``__connect.errors.*`` headers are the ones that Kafka Connect's users and tools look
for. Source: Apache Kafka, KIP-298 (error handling in Connect).
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runtime.values import Delivery, Record
from schemas.headers import (
    Headers,
    attempts_header,
    error_header,
    failed_at_header,
    origin_header,
    reason_header,
    timestamp,
    worker_header,
)
from schemas.reasons import DeadLetterReason

_connect: Final = "__connect.errors."
_longest_detail: Final = 1000
"""Characters; a dead letter must not outgrow the topic because its story is long."""

_minute_s: Final = 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker sets a record aside. ``detail`` holds no personal data."""

    worker: str
    reason: DeadLetterReason
    detail: str
    attempts: int
    failed_at: datetime


def dead_letter(delivery: Delivery, failure: Failure, *, topic: str) -> Record:
    """Return the record to produce to the dead-letter topic."""
    return Record(
        topic=topic,
        key=delivery.key,
        value=delivery.value,
        headers=delivery.headers + _story(delivery, failure),
    )


def _story(delivery: Delivery, failure: Failure) -> Headers:
    detail = failure.detail[:_longest_detail]
    told = {
        reason_header: failure.reason.value,
        error_header: detail,
        attempts_header: str(failure.attempts),
        origin_header: delivery.origin,
        worker_header: failure.worker,
        failed_at_header: timestamp(int(failure.failed_at.timestamp() * 1000)),
        f"{_connect}topic": delivery.topic,
        f"{_connect}partition": str(delivery.partition),
        f"{_connect}offset": str(delivery.offset),
        f"{_connect}connector.name": failure.worker,
        f"{_connect}exception.message": f"{failure.reason.value}: {detail}",
    }
    return tuple((name, value.encode("utf-8", "replace")) for name, value in told.items())


@dataclass(frozen=True, slots=True)
class GuardBounds:
    """How much may be set aside: shares of the last ``records`` settled ones, and a rate."""

    records: int
    defect_share: float
    rejected_share: float
    per_minute: int


class DeadLetterGuard:
    """Refuses a dead letter where too many of the last records became one, or too many in a minute.

    Few defects of ours are let through: a bad deploy must not drain a topic into its dead letters.
    Records that are at fault themselves stop the work only where they are most of what there is,
    for then it is more likely that the judge is wrong (a store without its migration). Where fewer
    records were settled than the shares are taken of, as many are allowed as of all of them.
    """

    def __init__(self, bounds: GuardBounds) -> None:
        self._bounds = bounds
        self._settled = 0
        self._defects: deque[int] = deque()
        self._rejected: deque[int] = deque()
        self._moments_s: deque[float] = deque()

    def done(self, count: int = 1) -> None:
        """Note that so many more records are settled, dead letters included."""
        self._settled += count

    def refusal(self, reason: DeadLetterReason, *, now_s: float) -> str | None:
        """Note one more dead letter, or return which bound it would pass; ``now_s`` never falls."""
        bounds = self._bounds
        if reason is DeadLetterReason.DEFECT:
            recent, share, setting = self._defects, bounds.defect_share, "DEFECT_SHARE"
        else:
            recent, share, setting = self._rejected, bounds.rejected_share, "REJECTED_SHARE"
        while recent and recent[0] <= self._settled - bounds.records:
            recent.popleft()
        while self._moments_s and self._moments_s[0] <= now_s - _minute_s:
            self._moments_s.popleft()
        if len(recent) + 1 > max(1.0, share * bounds.records):  # the first is never too many
            return f"ZCC_WORKER_GUARD_{setting}"
        if len(self._moments_s) >= bounds.per_minute:
            return "ZCC_WORKER_GUARD_PER_MINUTE"
        recent.append(self._settled)
        self._moments_s.append(now_s)
        return None
