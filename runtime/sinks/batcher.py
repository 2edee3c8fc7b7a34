"""Pure: collects deliveries into batches and knows which offsets each batch settles.

The collected records of one partition are its bucket. A batch closes all buckets, or those that the
sink chooses; the others stay open. The spans of a partition's batches have no gap between them:
each starts at the end of the one before, so that gaps in the log are settled too. A batch with an
end that was planned before a crash ends there again, even if some of its records no longer exist.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from runtime.values import Batch, BatchLimits, Collected, Delivery, Span, TopicPartition


@dataclass(slots=True)
class _Open:
    start: int
    end: int
    records: int = 0
    size_bytes: int = 0
    since_s: float = 0.0


class Batcher:
    """Collects from the partitions in ``starts``, each from that offset on.

    Partitions in ``ends`` have a pending plan: the next batch is due once each of them has reached
    its end, regardless of the limits, and holds nothing beyond.
    """

    def __init__(
        self,
        limits: BatchLimits,
        starts: Mapping[TopicPartition, int],
        *,
        ends: Mapping[TopicPartition, int] | None = None,
    ) -> None:
        self._limits = limits
        self._starts = dict(starts)
        self._expected = dict(starts)
        self._planned = dict(ends or {})
        self._unreached = set(self._planned)
        self._open = {s: _Open(starts[s], end) for s, end in self._planned.items()}
        self._deliveries: list[Delivery] = []
        self._bytes = 0
        self._since_s = 0.0

    @property
    def room(self) -> int:
        """How many records are missing until the batch is due; at least 1."""
        return max(1, self._limits.records - len(self._deliveries))

    @property
    def oldest_since_s(self) -> float | None:
        """When the oldest record was added; None where there is none."""
        return self._since_s if self._deliveries else None

    def __len__(self) -> int:
        """Return the number of records collected."""
        return len(self._deliveries)

    def add(self, delivery: Delivery, now_s: float) -> bool:
        """Collect a record; False where it is beyond a planned end and has to be read again.

        Raises:
            ValueError: the offset is before one that was already read.
        """
        source, following = delivery.source, delivery.offset + 1
        expected = self._expected[source]
        if delivery.offset < expected:
            raise ValueError(f"expected an offset from {expected}, got {delivery.offset}")
        self._expected[source] = following
        planned = self._planned.get(source)
        if planned is not None and following >= planned:
            self._unreached.discard(source)
            if following > planned:
                return False
        bucket = self._open.get(source)
        if bucket is None:
            bucket = self._open[source] = _Open(self._starts[source], following)
        if planned is None:
            bucket.end = following
        if not bucket.records:
            bucket.since_s = now_s
        if not self._deliveries:
            self._since_s = now_s
        size_bytes = delivery.size_bytes
        bucket.records += 1
        bucket.size_bytes += size_bytes
        self._deliveries.append(delivery)
        self._bytes += size_bytes
        return True

    def due(self, now_s: float) -> bool:
        """Whether to take the batch now."""
        if self._planned:
            return not self._unreached
        return bool(self._deliveries) and (
            len(self._deliveries) >= self._limits.records
            or self._bytes >= self._limits.size_bytes
            or now_s >= self._since_s + self._limits.age_s
        )

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the batch is due by age; None where age does not matter."""
        if self._planned or not self._deliveries:
            return None
        return max(0.0, self._since_s + self._limits.age_s - now_s)

    def take_due(self, now_s: float) -> Batch:
        """Return the records of the partitions that the limits choose."""
        if self._planned:
            return self.take()
        collected = {
            source: Collected(each.records, each.size_bytes, each.since_s)
            for source, each in self._open.items()
        }
        return self._close(self._limits.chosen(collected, now_s))

    def take(self) -> Batch:
        """Return all that is collected; the next batch begins where this one ends."""
        return self._close(self._open)

    def _close(self, sources: Collection[TopicPartition]) -> Batch:
        closed = {s: each for s, each in self._open.items() if s in sources}
        self._open = {s: each for s, each in self._open.items() if s not in closed}
        taken, remaining = self._deliveries, list[Delivery]()
        if self._open:
            taken = [each for each in self._deliveries if each.source in closed]
            remaining = [each for each in self._deliveries if each.source in self._open]
        self._planned, self._deliveries = {}, remaining
        self._bytes = sum(each.size_bytes for each in self._open.values())
        self._since_s = min((each.since_s for each in self._open.values()), default=0.0)
        self._starts.update({source: each.end for source, each in closed.items()})
        spans = {source: Span(each.start, each.end) for source, each in closed.items()}
        return Batch(tuple(taken), spans)
