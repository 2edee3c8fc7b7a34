"""Pure: a dead letter by its headers, without its body."""

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

_max_digits: Final = 19
"""Of an offset, which has 64 bits and a sign."""


class RecordId(NamedTuple):
    """The address of a record, written ``topic/partition/offset``."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """Return the id that a text writes, None if it writes none."""
        match written.split("/"):
            case [topic, partition, offset] if topic and _is_number(partition, offset):
                return cls(intern(topic), int(partition), int(offset))
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Letter:
    """The headers of a dead letter. It is small, as many are held at once.

    ``record_id`` is that of the letter, ``origin`` that of the record that failed, None if no
    header names it. Texts are empty where their header is missing; ``failed_at_ms`` is then the
    time of the letter. ``replays`` counts the replays of the record before it failed.
    """

    record_id: RecordId
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
    """Read a record of the dead-letter topic of ``worker``."""
    headers = delivery.headers
    return Letter(
        record_id=RecordId(delivery.topic, delivery.partition, delivery.offset),
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
    written_ms = epoch_ms(text(delivery.headers, failed_at_header) or "")
    if written_ms is not None:
        return written_ms
    return min(max(delivery.timestamp_ms, 0), latest_event_ts_ms)  # a sender may write anything


def _word(headers: Headers, name: str) -> str:
    return intern(text(headers, name) or "")  # few different ones, held by many letters


def _count(headers: Headers, name: str) -> int:
    written = text(headers, name) or ""
    return int(written) if _is_number(written) else 0


def _is_number(*written: str) -> bool:
    """Whether all are decimal numbers such as Kafka counts with."""
    return all(each.isascii() and each.isdecimal() and len(each) <= _max_digits for each in written)
