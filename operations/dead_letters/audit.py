"""Pure: the lines of the audit topic: the actions of people on dead letters."""

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
    """One line. Record ids are written ``topic/partition/offset``, times RFC 3339 in UTC.

    ``to`` is the topic of a replay, empty for a discarded letter; ``replays`` counts how often the
    record has been replayed by now. ``by`` names a person as given. ``reason`` may be empty.
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
    """The audit line of a handled letter, in short: many are held at once."""

    action: Action
    by: str
    at: str
    reason: str


class LetterName(NamedTuple):
    """Identifies a letter, even if its topic was deleted and created again."""

    record_id: RecordId
    failed_at: str


Handled = Mapping[LetterName, Handling]

_lines: Final = TypeAdapter(AuditLine)


def name_of(letter: Letter) -> LetterName:
    """Return the name of a letter in audit lines."""
    return LetterName(letter.record_id, timestamp(letter.failed_at_ms))


def record_of(line: AuditLine, *, topic: str) -> Record:
    """Return the record to produce; lines of one letter stay in order."""
    return Record(topic, line.letter.encode(), orjson.dumps(asdict(line)))


def read_line(value: bytes | None) -> tuple[LetterName, Handling] | None:
    """Read a line; None if this version does not know its form."""
    try:
        line = _lines.validate_json(value or b"")
    except ValidationError:
        return None
    record_id = RecordId.parse(line.letter)
    if record_id is None:
        return None
    handling = Handling(line.action, intern(line.by), line.at, intern(line.reason))
    return LetterName(record_id, line.failed_at), handling
