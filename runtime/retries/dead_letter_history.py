"""Pure: the earlier dead letters of a worker, read from the dead-letter topic.

A letter counts where its record is among the last records of a partition that the worker reads now,
and where nobody has replayed or discarded it. So an old letter of an advanced partition does not
count, and a person who has dealt with letters makes room for others.
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

max_age_s: Final = 24 * 3600.0
"""An older letter does not count: the person on call has had a day to deal with it."""

_max_digits: Final = 19
"""Of an offset, which has 64 bits and a sign."""


@dataclass(frozen=True, slots=True)
class DeadLetterHistory:
    """The latest records of a dead-letter topic, and of the audit of people's actions on them."""

    letters: Iterable[Delivery] = ()
    audit: Iterable[Delivery] = ()


def past(
    history: DeadLetterHistory,
    *,
    worker: str,
    positions: Mapping[TopicPartition, int],
    records: int,
    now_ms: int,
) -> Iterator[Past]:
    """Yield this worker's dead letters among the last ``records`` before each of the positions.

    Letters after a position count as well: other keys may have been further.
    """
    handled = {name for line in history.audit if (name := _handled(line.value)) is not None}
    for letter in history.letters:
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
        if position is not None and origin.offset >= position - records and age_s < max_age_s:
            yield Past(origin, _reason(letter), age_s)


def parse_origin(written: str) -> Origin | None:
    """Return the origin in ``topic/partition/offset``, None where the text is something else."""
    match written.split("/"):
        case [topic, partition, offset] if topic and _is_number(partition) and _is_number(offset):
            return Origin(topic, int(partition), int(offset))
        case _:
            return None


def _handled(line: bytes | None) -> tuple[str, str] | None:
    """Return the letter of an audit line: its address, and when its record failed."""
    try:
        entry = orjson.loads(line or b"")
        return str(entry["letter"]), str(entry["failed_at"])
    except (ValueError, TypeError, KeyError):
        return None


def _reason(letter: Delivery) -> DeadLetterReason:
    """Return its reason; an unknown reason of another version counts as no defect."""
    try:
        return DeadLetterReason(text(letter.headers, reason_header) or "")
    except ValueError:
        return DeadLetterReason.UNREADABLE


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal() and len(written) <= _max_digits
