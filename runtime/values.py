"""Pure: what travels through the runtime: deliveries in, records out, batches to sinks, pages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.headers import Headers
from schemas.reasons import DeadLetterReason


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record as read. ``value`` None is a tombstone; ``timestamp_ms`` is the sender's.

    ``attempt`` is 1, and more each time that a handler asked to see the record `Deferred`.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    attempt: int = 1

    @property
    def origin(self) -> str:
        """Where it was read, as text."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def source(self) -> TopicPartition:
        """The partition that it was read from."""
        return TopicPartition(self.topic, self.partition)

    @property
    def size_bytes(self) -> int:
        """Bytes of key, value and headers."""
        size_bytes = len(self.key or b"") + len(self.value or b"")
        for name, value in self.headers:  # half the time of a sum over an iterator
            size_bytes += len(name) + len(value)
        return size_bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A record to produce. Without a ``partition`` the key decides (murmur2, as Java does)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """An answer of a handler: produce these records, and call again after the worker's next delay.

    Meanwhile later records of the key are handled. Where no delay is left, the record becomes a
    dead letter.
    """

    records: Sequence[Record] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets ``start`` to ``end``, the end not included; gaps inside are records that are gone."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one or more partitions, in order within each, and the offsets that they settle.

    Once the batch is stored, the position of each partition is ``spans[partition].end``, even
    where its last deliveries became dead letters.
    """

    deliveries: tuple[Delivery, ...]
    spans: Mapping[TopicPartition, Span]


class Collected(NamedTuple):
    """What is collected of one partition; the oldest record has been held since ``since_s``."""

    records: int
    size_bytes: int
    since_s: float


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """A batch is due when it reaches the first of these; the age is that of its oldest record."""

    records: int
    size_bytes: int
    age_s: float

    def chosen(
        self,
        collected: Mapping[TopicPartition, Collected],
        now_s: float,  # noqa: ARG002 - for limits that choose by age
    ) -> Collection[TopicPartition]:
        """Return the partitions to store of a batch that is due, one at least; here all.

        What is collected of the others stays open, for a later batch.
        """
        return collected.keys()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that the store will never take; ``detail`` holds no personal data."""

    source: TopicPartition
    offset: int
    reason: DeadLetterReason
    detail: str


@dataclass(frozen=True, slots=True)
class PartitionState:
    """The state of a partition at assignment. ``committed`` is None where the group has none."""

    committed: int | None
    log_start: int
    log_end: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a consumer was just given.

    ``topic_ids`` names the log behind each topic, as Kafka's tools print it: a topic that was
    recreated has another. It is "" where the brokers have none (before 2.8).
    """

    cluster_id: str
    group: str
    partitions: Mapping[TopicPartition, PartitionState]
    topic_ids: Mapping[str, str] = field(default_factory=dict)


class Resume(NamedTuple):
    """Where a sink continues with a partition.

    With ``planned_end``, the span from ``offset`` to it may be stored in part: it has to be
    presented whole before anything behind it.
    """

    offset: int
    planned_end: int | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """One thing that a poller follows with a watermark of its own; ``name`` is a label of metrics.

    ``budget`` is an opaque label: the class of the other side's limits that its fetches use up.
    """

    name: str
    budget: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One page of a feed, and the watermark that holds once its records are acknowledged.

    A page with records moves the watermark: the same one would fetch them again for ever.
    """

    records: Sequence[Record]
    watermark: str
