"""Pure: which records a worker has set aside before, as the dead-letter topic tells it.

A letter counts where its record is among the last records of a partition that the worker reads now,
and where nobody has replayed or discarded it. So an old letter of a topic that has moved on counts
no more, and a person who has dealt with letters makes room for others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from runtime.retries.dead_letter_guard import Origin, Past
from runtime.values import Delivery, TopicPartition
from schemas.headers import failed_at_header, origin_header, reason_header, text, worker_header
from schemas.identity import epoch_ms
from schemas.reasons import DeadLetterReason

longest_s: Final = 24 * 3600.0
"""A letter that is older does not count: whoever is on call has had a day to look at it."""

_most_digits: Final = 19
"""Of an offset, which has 64 bits and a sign."""


@dataclass(frozen=True, slots=True)
class DeadLetterHistory:
    """The latest records of a dead-letter topic, and what people did about them."""

    letters: Iterable[Delivery] = ()
    audit: Iterable[Delivery] = ()


def past(
    found: DeadLetterHistory,
    *,
    worker: str,
    positions: Mapping[TopicPartition, int],
    records: int,
    now_ms: int,
) -> Iterator[Past]:
    """Yield what this worker has set aside of the last ``records`` before each of the positions.

    What lies behind a position counts as well: other keys may have been further.
    """
    handled = {name for line in found.audit if (name := _handled(line.value)) is not None}
    for letter in found.letters:
        origin = parse_origin(text(letter.headers, origin_header) or "")
        failed_at = text(letter.headers, failed_at_header) or ""
        failed_at_ms = epoch_ms(failed_at)
        if (
            origin is None
            or failed_at_ms is None
            or text(letter.headers, worker_header) != worker
            or (letter.origin, failed_at) in handled
        ):
            continue
        position = positions.get(TopicPartition(origin.topic, origin.partition))
        age_s = max(0.0, (now_ms - failed_at_ms) / 1000)
        if position is not None and origin.offset >= position - records and age_s < longest_s:
            yield Past(origin, _reason(letter), age_s)


def parse_origin(written: str) -> Origin | None:
    """Return what ``topic/partition/offset`` names, None where the text is something else."""
    match written.split("/"):
        case [topic, partition, offset] if topic and _is_number(partition) and _is_number(offset):
            return Origin(topic, int(partition), int(offset))
        case _:
            return None


def _handled(line: bytes | None) -> tuple[str, str] | None:
    """Return of which letter an audit line tells: where it lies, and when its record failed."""
    try:
        told = orjson.loads(line or b"")
        return str(told["letter"]), str(told["failed_at"])
    except (ValueError, TypeError, KeyError):
        return None


def _reason(letter: Delivery) -> DeadLetterReason:
    """Return why it was set aside; a reason of another version is no defect, as most are none."""
    try:
        return DeadLetterReason(text(letter.headers, reason_header) or "")
    except ValueError:
        return DeadLetterReason.UNREADABLE


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal() and len(written) <= _most_digits
