"""Pure: the form of a record in a retry topic, and its restoration.

A record that a handler returns as `Deferred` goes to the topic of the worker's first delay. A
record that is still not ready after that goes to the topic of the next delay, until none is left.
It waits as polled, byte for byte and with all its headers. Further headers say where it was first
read, how often it was tried, since when it is not ready, and when it is due. A record without those
headers, as a person or a tool may write it there, is due at once and counts as tried for the first
time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from runtime.errors import RejectedError
from runtime.values import Delivery, Record
from schemas.headers import (
    attempts_header,
    due_at_header,
    first_failed_at_header,
    origin_header,
    text,
    timestamp,
)
from schemas.identity import epoch_ms
from schemas.reasons import DeadLetterReason

_own: Final = frozenset({origin_header, attempts_header, first_failed_at_header, due_at_header})
_max_digits: Final = 9  # of an attempt's number


class RetryTopic(NamedTuple):
    """A topic whose records wait ``delay_s`` from when they were written."""

    name: str
    delay_s: float


class RetryTopics:
    """The retry topics of one worker, in the order in which a record passes them."""

    def __init__(self, topics: Sequence[RetryTopic] = ()) -> None:
        self._topics = tuple(topics)
        self._names = frozenset(topic.name for topic in self._topics)

    @property
    def delays_s(self) -> Mapping[str, float]:
        """Topic to its delay."""
        return dict(self._topics)

    def restore_original(self, read: Delivery) -> Delivery:
        """Return a polled delivery as it was first read, with the number of this attempt.

        A delivery of another topic is returned unchanged.

        Raises:
            RejectedError: a record of a retry topic does not say where it was first read.
        """
        if read.topic not in self._names:
            return read
        topic, partition, offset = _origin(read)
        return replace(
            read,
            topic=topic,
            partition=partition,
            offset=offset,
            headers=tuple(header for header in read.headers if header[0] not in _own),
            attempt=_attempts(read) + 1,
        )

    def following(self, read: Delivery, *, now_ms: int) -> Record | None:
        """Return the record for the next retry topic; None where no delay is left."""
        first = self.restore_original(read)
        if first.attempt > len(self._topics):
            return None
        topic = self._topics[first.attempt - 1]
        headers = {
            origin_header: first.origin,
            attempts_header: str(first.attempt),
            first_failed_at_header: self.since(read, now_ms=now_ms),
            due_at_header: timestamp(now_ms + int(topic.delay_s * 1000)),
        }
        own = tuple((name, value.encode()) for name, value in headers.items())
        return Record(topic.name, first.key, first.value, first.headers + own)

    def since(self, read: Delivery, *, now_ms: int) -> str:
        """Return since when the record is not ready: now, at its first attempt."""
        known = text(read.headers, first_failed_at_header) if read.topic in self._names else None
        return timestamp(now_ms) if known is None else known


def due_ms(read: Delivery) -> int:
    """Return when a record of a retry topic is due, in epoch milliseconds; 0 for at once.

    Only records of retry topics have a due time.
    """
    return epoch_ms(text(read.headers, due_at_header) or "") or 0


def _origin(read: Delivery) -> tuple[str, int, int]:
    parts = (text(read.headers, origin_header) or "").split("/")
    match parts:
        case [topic, partition, offset] if _is_number(partition) and _is_number(offset):
            return topic, int(partition), int(offset)
        case _:
            raise RejectedError(
                DeadLetterReason.UNREADABLE, f"{origin_header}: expected topic/partition/offset"
            )


def _attempts(read: Delivery) -> int:
    known = text(read.headers, attempts_header) or ""
    return int(known) if _is_number(known) and len(known) <= _max_digits else 0


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal()
