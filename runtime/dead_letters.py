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
    origin = f"{delivery.topic}/{delivery.partition}/{delivery.offset}"
    told = {
        reason_header: failure.reason.value,
        error_header: detail,
        attempts_header: str(failure.attempts),
        origin_header: origin,
        worker_header: failure.worker,
        failed_at_header: timestamp(int(failure.failed_at.timestamp() * 1000)),
        f"{_connect}topic": delivery.topic,
        f"{_connect}partition": str(delivery.partition),
        f"{_connect}offset": str(delivery.offset),
        f"{_connect}connector.name": failure.worker,
        f"{_connect}exception.message": f"{failure.reason.value}: {detail}",
    }
    return tuple((name, value.encode("utf-8", "replace")) for name, value in told.items())


class DeadLetterGuard:
    """Refuses a dead letter where too many of the last ``window`` records became one.

    Few defects of ours are let through: a bad deploy must not drain a topic into its dead letters.
    Records that are at fault themselves stop the work only where they are most of what there is,
    for then it is more likely that the judge is wrong (a store without its migration).
    """

    def __init__(self, *, window: int = 1000, defects: int = 10, rejected: int = 500) -> None:
        self._window = window
        self._most = dict.fromkeys(DeadLetterReason, rejected)
        self._most[DeadLetterReason.DEFECT] = defects
        self._settled = 0
        self._defects: deque[int] = deque()
        self._rejected: deque[int] = deque()

    def settled(self, count: int) -> None:
        """Note that so many more records are done, dead letters included."""
        self._settled += count

    def admits(self, reason: DeadLetterReason) -> bool:
        """Note one more dead letter and return True, or return False where it is one too many."""
        recent = self._defects if reason is DeadLetterReason.DEFECT else self._rejected
        while recent and recent[0] <= self._settled - self._window:
            recent.popleft()
        if len(recent) >= self._most[reason]:
            return False
        recent.append(self._settled)
        return True
