"""Pure: what a dead letter looks like.

A dead letter is the record as read, byte for byte and with all its headers, and says beside it what
happened. The ``__connect.errors.*`` headers are the ones that Kafka Connect's users and tools look
for. Source: Apache Kafka, KIP-298 (error handling in Connect).
"""

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
