"""Pure: a segment, the file or object that holds spilled records, and its name.

Lines of JSON: first the format, its version and the SHA-256 of the rest, then one line for each
record, in order of arrival. Bytes are written as the characters U+0000 to U+00FF, which loses none
of them and leaves a body readable for a person.

The name says when, how many and whose, so that a listing shows what waits. It contains the digest,
so two segments of one name are the same segment.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from runtime.values import Record

_format: Final = "zcc-spill"
_version: Final = 1
_digits: Final = 16
_bytes: Final = "latin-1"  # the encoding that maps each byte to the character of its number

_name: Final = re.compile(rf"(\d{{13}})-(\d+)-([0-9a-f]{{{_digits}}})-([^/]+)\.spill")


class SegmentUnreadableError(Exception):
    """It is torn, or not a segment. The message says which and holds nothing of its content."""


@dataclass(frozen=True, slots=True, order=True)
class SegmentName:
    """The name of a segment. Names sort by ``at_ms``, the wall clock at its writing.

    ``instance`` is the process that wrote it; within it ``at_ms`` is unique.
    """

    at_ms: int
    events: int
    digest: str
    instance: str

    def __str__(self) -> str:
        return f"{self.at_ms:013d}-{self.events}-{self.digest}-{self.instance}.spill"


@dataclass(frozen=True, slots=True)
class Segment:
    """The content of a segment, under its name."""

    name: SegmentName
    content: bytes


def parse_name(text: str) -> SegmentName | None:
    """Return the name, or None if the text is not one."""
    match = _name.fullmatch(text)
    if match is None:
        return None
    at_ms, events, digest, instance = match.groups()
    return SegmentName(int(at_ms), int(events), digest, instance)


def segment_of(records: Sequence[Record], *, at_ms: int, instance: str) -> Segment:
    """Return the segment of these records."""
    body = b"".join(map(_line, records))
    digest = hashlib.sha256(body).hexdigest()
    head = orjson.dumps({"format": _format, "version": _version, "sha256": digest})
    name = SegmentName(at_ms, len(records), digest[:_digits], instance)
    return Segment(name, head + b"\n" + body)


def records_of(content: bytes) -> list[Record]:
    """Return the records of a segment, byte for byte as they were stored.

    Raises:
        SegmentUnreadableError: see there.
    """
    head, _, body = content.partition(b"\n")
    try:
        header = orjson.loads(head)
    except orjson.JSONDecodeError:
        raise SegmentUnreadableError("torn, or not written by the spill") from None
    if not isinstance(header, dict) or header.get("format") != _format:
        raise SegmentUnreadableError("not written by the spill")
    if header.get("version") != _version:
        raise SegmentUnreadableError("written in a version of the format that is not known here")
    if header.get("sha256") != hashlib.sha256(body).hexdigest():
        raise SegmentUnreadableError("torn: its checksum differs")
    try:
        return [_record(line) for line in body.splitlines()]
    except (ValueError, TypeError, KeyError) as error:
        raise SegmentUnreadableError("one of its lines is not a record") from error


def _line(record: Record) -> bytes:
    return orjson.dumps(
        {
            "topic": record.topic,
            "partition": record.partition,
            "key": _text(record.key),
            "headers": [(name, value.decode(_bytes)) for name, value in record.headers],
            "value": _text(record.value),
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _record(line: bytes) -> Record:
    parsed = orjson.loads(line)
    return Record(
        topic=parsed["topic"],
        key=_bytes_of(parsed["key"]),
        value=_bytes_of(parsed["value"]),
        headers=tuple((name, value.encode(_bytes)) for name, value in parsed["headers"]),
        partition=parsed["partition"],
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(_bytes)


def _bytes_of(value: str | None) -> bytes | None:
    return None if value is None else value.encode(_bytes)
