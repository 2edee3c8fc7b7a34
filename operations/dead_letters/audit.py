"""Pure: the lines of the audit topic: what a person did about a dead letter."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from sys import intern
from typing import Final, Literal, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from operations.dead_letters.letter import Letter, RecordId
from runtime.values import Record
from schemas.headers import timestamp

Action = Literal["replayed", "discarded"]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line. Places are written ``topic/partition/offset``, times RFC 3339 in UTC.

    ``to`` is the topic that a replay went to, empty for what was discarded; ``replays`` says how
    often the record has been sent again by now. ``by`` is who, as given. ``reason`` may be empty.
    """

    letter: str
    failed_at: str
    worker: str
    origin: str
    fingerprint: str
    action: Action
    to: str
    replays: int
    by: str
    at: str
    reason: str


class Handling(NamedTuple):
    """What is known of a letter that is handled; many are held at once."""

    action: Action
    by: str
    at: str
    reason: str


class LetterName(NamedTuple):
    """What tells a letter from all others, also where its topic was deleted and made again."""

    place: RecordId
    failed_at: str


Handled = Mapping[LetterName, Handling]

_lines: Final = TypeAdapter(AuditLine)


def name_of(letter: Letter) -> LetterName:
    """Return what audit lines know the letter by."""
    return LetterName(letter.place, timestamp(letter.failed_at_ms))


def record_of(line: AuditLine, *, topic: str) -> Record:
    """Return the record to produce; lines of one letter stay in order."""
    return Record(topic, line.letter.encode(), orjson.dumps(asdict(line)))


def read_line(value: bytes | None) -> tuple[LetterName, Handling] | None:
    """Return what a line says, or None where it is none that this version knows."""
    try:
        line = _lines.validate_json(value or b"")
    except ValidationError:
        return None
    place = RecordId.parse(line.letter)
    if place is None:
        return None
    handling = Handling(line.action, intern(line.by), line.at, intern(line.reason))
    return LetterName(place, line.failed_at), handling
