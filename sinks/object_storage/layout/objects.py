"""Pure: the objects of a batch, with their names and footers.

An object holds the records of one partition, one span of offsets and one day. Its name consists of
partition, start of the span and log, so that a writer who repeats the span meets the same name. The
footer repeats the start and adds the end of the span, the cluster id and the topic id.

One rule makes it possible to continue from the objects alone, without a committed offset: an object
whose span starts at offset n is created only after every record below n is stored. So everything
below the largest start of a partition is stored, and each day of the span that starts there is
stored up to the end that its object names. A batch that continues such a span is therefore cut
where its days end, and its pieces are written one after the other. The objects of a piece name in
their footers the other days that reach beyond its start.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

import pyarrow as pa

from runtime.errors import ConfigurationError
from runtime.values import Span, TopicPartition
from sinks.object_storage.layout.rows import ObjectKey, ObjectRow, Rows, table_of

_cluster_id: Final = "zcc.cluster.id"
_topic_id: Final = "zcc.topic.id"
_span_start: Final = "zcc.span.start"
_span_end: Final = "zcc.span.end"
_other_days: Final = "zcc.span.other-days"

_name: Final = re.compile(r"(\d{5,})-(\d{20})-([A-Za-z0-9_-]+)\.parquet", re.ASCII)
_hash_digits: Final = 20
_repair: Final = "move it away, or choose another ZCC_OBJECT_STORAGE_URL"


class Log(NamedTuple):
    """The log of a topic's records. ``topic_id`` is "" where the brokers have no ids."""

    cluster_id: str
    topic_id: str

    @property
    def name(self) -> str:
        """Its part of object names: the topic id, else a hash of the cluster's id.

        The hash has 21 characters, an id has 22.
        """
        if self.topic_id:
            return self.topic_id
        return "c" + hashlib.sha256(self.cluster_id.encode()).hexdigest()[:_hash_digits]


class ObjectName(NamedTuple):
    """The parts of an object's name."""

    partition: int
    start: int
    log: str


@dataclass(frozen=True, slots=True)
class Frontier:
    """How far the objects of a partition reach.

    All records below ``start`` are stored. From there on, the records of each day in ``days`` are
    stored up to the end of a span: that of the day's last object.
    """

    start: int
    days: Mapping[str, Span]

    @property
    def end(self) -> int:
        """The largest offset that a day is stored up to."""
        return max(span.end for span in self.days.values())


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """An object to create, or an existing one that holds these rows."""

    key: ObjectKey
    span: Span
    log: Log
    rows: Sequence[ObjectRow]
    other_days: Mapping[str, Span] = field(default_factory=dict)
    stored: bool = False

    @property
    def path(self) -> str:
        """Its path below the prefix."""
        return object_path(self.key, self.span.start, self.log)

    def table(self) -> pa.Table:
        """Return its content."""
        footer = {
            _cluster_id: self.log.cluster_id,
            _topic_id: self.log.topic_id,
            _span_start: str(self.span.start),
            _span_end: str(self.span.end),
        }
        if self.other_days:
            others = {day: (span.start, span.end) for day, span in self.other_days.items()}
            footer[_other_days] = json.dumps(others)
        return table_of(self.rows).replace_schema_metadata(footer)


def topic_path(topic: str) -> str:
    """Return the folder of a topic."""
    return f"topic={topic}"


def day_path(key: ObjectKey) -> str:
    """Return the folder of a day."""
    return f"{topic_path(key.source.topic)}/date={key.day}"


def object_path(key: ObjectKey, start: int, log: Log) -> str:
    """Return the path of an object.

    The partition comes first: a topic id may begin with ``_``, and many readers of data lakes skip
    files with such names.
    """
    return f"{day_path(key)}/{key.source.partition:05d}-{start:020d}-{log.name}.parquet"


def day_of(path: str) -> str:
    """Return the day of a folder or an object, "" where it has none."""
    match = re.search(r"/date=([^/]+)", path)
    return match[1] if match else ""


def parse_name(path: str) -> ObjectName | None:
    """Return the parts of an object's name, None where this sink does not write such names."""
    match = _name.fullmatch(path.rpartition("/")[2])
    return None if match is None else ObjectName(int(match[1]), int(match[2]), match[3])


class StoredSpan(NamedTuple):
    """A footer's content: the span, and the last spans of other days that end after its start."""

    span: Span
    other_days: Mapping[str, Span]


def stored_span(path: str, metadata: Mapping[bytes, bytes] | None, log: Log) -> StoredSpan:
    """Return the content of the footer of an object of this log.

    Raises:
        ConfigurationError: it names another log, or none.
    """
    footer = metadata or {}
    ids = footer.get(_cluster_id.encode()), footer.get(_topic_id.encode())
    if ids != (log.cluster_id.encode(), log.topic_id.encode()):
        raise ConfigurationError(
            f"{path} exists, but its footer names {_written(ids)}, not cluster {log.cluster_id} "
            f"and topic id {log.topic_id or '(none)'}: {_repair}"
        )
    start, end = (footer.get(key.encode(), b"") for key in (_span_start, _span_end))
    if not start.isdigit() or not end.isdigit():
        raise ConfigurationError(
            f"{path} exists, but its footer names no span of offsets: {_repair}"
        )
    others = json.loads(footer.get(_other_days.encode(), b"{}"))
    return StoredSpan(
        Span(int(start), int(end)), {day: Span(*span) for day, span in others.items()}
    )


def _written(ids: tuple[bytes | None, bytes | None]) -> str:
    if ids == (None, None):
        return "no log"
    cluster_id, topic_id = ((each or b"").decode("utf-8", "replace") or "(none)" for each in ids)
    return f"cluster {cluster_id} and topic id {topic_id}"


def plan_objects(
    rows: Rows,
    spans: Mapping[TopicPartition, Span],
    *,
    logs: Mapping[str, Log],
    frontiers: Mapping[TopicPartition, Frontier],
) -> Iterator[PlannedObject]:
    """Yield the objects of a batch in the order in which they have to be created.

    A day without records has none. Records below the start of a frontier are left out.
    """
    keys: dict[TopicPartition, list[ObjectKey]] = {}
    for key in sorted(rows):
        keys.setdefault(key.source, []).append(key)
    for source, own_keys in keys.items():
        frontier = frontiers.get(source)
        for piece in _pieces(spans[source], frontier):
            if frontier is None or piece.end > frontier.start:
                for key in own_keys:
                    yield from _of_day(key, rows[key], piece, logs[source.topic], frontier)


def _of_day(
    key: ObjectKey, rows: Sequence[ObjectRow], piece: Span, log: Log, frontier: Frontier | None
) -> Iterator[PlannedObject]:
    if frontier is None:
        yield PlannedObject(key, piece, log, rows)
        return
    chosen = [row for row in rows if piece.start <= row.offset < piece.end]
    last = frontier.days.get(key.day)
    if chosen and last is not None and piece.end <= last.end:
        yield PlannedObject(key, last, log, chosen, stored=True)
    elif chosen:
        others = {day: span for day, span in frontier.days.items() if span.end > piece.start}
        yield PlannedObject(key, piece, log, chosen, other_days=others)


def _pieces(span: Span, frontier: Frontier | None) -> Iterator[Span]:
    ends: set[int] = set()
    if frontier is not None:
        ends = {frontier.start, *(last.end for last in frontier.days.values())}
    cuts = sorted(cut for cut in ends if span.start < cut < span.end)
    return (Span(start, end) for start, end in pairwise((span.start, *cuts, span.end)))
