"""Pure: collects deliveries into batches and knows which offsets each batch settles.

The spans of a partition's batches follow each other without a hole: each starts where the last one
ended, so that gaps in the log are settled too. A batch whose end was planned before a crash ends
there again, however many of its records still exist.
"""

from collections.abc import Mapping

from runtime.values import Batch, BatchLimits, Delivery, Span, TopicPartition


class Batcher:
    """Collects from the partitions in ``starts``, each from that offset on.

    Partitions in ``ends`` have a pending plan: the next batch is due once each of them has reached
    its end, whatever the limits say, and holds nothing beyond.
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
        self._open = set(self._planned)
        self._ends = dict(self._planned)
        self._deliveries: list[Delivery] = []
        self._bytes = 0
        self._since_s = 0.0
        self._due_at_s = 0.0

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
        if delivery.offset < self._expected[source]:
            raise ValueError(
                f"expected an offset from {self._expected[source]}, got {delivery.offset}"
            )
        self._expected[source] = following
        planned = self._planned.get(source)
        if planned is None:
            self._ends[source] = following
        elif following >= planned:
            self._open.discard(source)
            if following > planned:
                return False
        if not self._deliveries:
            self._since_s = now_s
            self._due_at_s = now_s + self._limits.age_s
        self._deliveries.append(delivery)
        self._bytes += delivery.size_bytes
        return True

    def due(self, now_s: float) -> bool:
        """Whether to take the batch now."""
        if self._planned:
            return not self._open
        return bool(self._deliveries) and (
            len(self._deliveries) >= self._limits.records
            or self._bytes >= self._limits.size_bytes
            or now_s >= self._due_at_s
        )

    def due_in_s(self, now_s: float) -> float | None:
        """Seconds until the batch is due by age; None where age does not tell."""
        if self._planned or not self._deliveries:
            return None
        return max(0.0, self._due_at_s - now_s)

    def take(self) -> Batch:
        """Return what was collected and begin the next batch where this one ends."""
        spans = {source: Span(self._starts[source], end) for source, end in self._ends.items()}
        batch = Batch(tuple(self._deliveries), spans)
        self._starts.update(self._ends)
        self._planned, self._ends, self._deliveries, self._bytes = {}, {}, [], 0
        return batch
