"""Pure: a dead letter as a person sees it: what its headers say, and nothing of its body."""

from dataclasses import dataclass
from sys import intern
from typing import Final, NamedTuple, Self

from operations.dead_letters.fingerprint import fingerprint
from runtime.values import Delivery
from schemas.envelope import latest_event_ts_ms
from schemas.headers import (
    Headers,
    attempts_header,
    ce_type,
    error_header,
    failed_at_header,
    origin_header,
    reason_header,
    replays_header,
    text,
)
from schemas.identity import epoch_ms

_most_digits: Final = 19
"""Of an offset, which has 64 bits and a sign."""


class RecordId(NamedTuple):
    """Where a record lies, written ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Return the place, or None where the text is none."""
        match written.split("/"):
            case [topic, partition, offset] if topic and _is_number(partition, offset):
                return cls(intern(topic), int(partition), int(offset))
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter's headers say. It is small: many may be held at once.

    ``place`` is the letter's own, ``origin`` that of the record that failed, None where no header
    says it. Texts are empty where their header is missing. ``failed_at_ms`` is then the time of the
    record itself. ``replays`` says how often the record had been sent again before it failed.
    """

    place: RecordId
    worker: str
    reason: str
    event: str
    error: str
    failed_at_ms: int
    attempts: int
    replays: int
    origin: RecordId | None
    key: bytes | None

    @property
    def fingerprint(self) -> str:
        """Equal for letters that failed alike."""
        return fingerprint(self.worker, self.reason, self.event, self.error)


def letter_of(delivery: Delivery, *, worker: str) -> Letter:
    """Return what a record of the dead-letter topic of ``worker`` says of itself."""
    headers = delivery.headers
    return Letter(
        place=RecordId(delivery.topic, delivery.partition, delivery.offset),
        worker=worker,
        reason=_word(headers, reason_header),
        event=_word(headers, ce_type),
        error=_word(headers, error_header),
        failed_at_ms=_failed_at_ms(delivery),
        attempts=_count(headers, attempts_header),
        replays=_count(headers, replays_header),
        origin=RecordId.parse(text(headers, origin_header) or ""),
        key=delivery.key,
    )


def _failed_at_ms(delivery: Delivery) -> int:
    told_ms = epoch_ms(text(delivery.headers, failed_at_header) or "")
    if told_ms is not None:
        return told_ms
    return min(max(delivery.timestamp_ms, 0), latest_event_ts_ms)  # a sender may write anything


def _word(headers: Headers, name: str) -> str:
    return intern(text(headers, name) or "")  # few different ones, held by many letters


def _count(headers: Headers, name: str) -> int:
    written = text(headers, name) or ""
    return int(written) if _is_number(written) else 0


def _is_number(*written: str) -> bool:
    """Whether all are decimal numbers such as Kafka counts with."""
    return all(
        each.isascii() and each.isdecimal() and len(each) <= _most_digits for each in written
    )
