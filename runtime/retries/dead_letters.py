"""Pure: the form of a dead letter.

A dead letter is the polled record, byte for byte and with all its headers, plus headers about the
failure. Kafka Connect's users and tools look for the ``__connect.errors.*`` headers. Source: Apache
Kafka, KIP-298 (error handling in Connect).
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
_max_detail: Final = 1000
"""Characters; a long error text must not make a dead letter outgrow the topic."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker gives a record up. ``detail`` holds no personal data."""

    worker: str
    reason: DeadLetterReason
    detail: str
    attempts: int
    failed_at: datetime


def dead_letter(delivery: Delivery, failure: Failure, *, topic: str) -> Record:
    """Return the record for the dead-letter topic."""
    return Record(
        topic=topic,
        key=delivery.key,
        value=delivery.value,
        headers=delivery.headers + _failure_headers(delivery, failure),
    )


def _failure_headers(delivery: Delivery, failure: Failure) -> Headers:
    detail = failure.detail[:_max_detail]
    headers = {
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
    return tuple((name, value.encode("utf-8", "replace")) for name, value in headers.items())
