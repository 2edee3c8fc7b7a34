"""Pure: holds records of retry topics until they are due, in order within each partition.

A record blocks the later ones of its partition. All records of a topic have the same delay, so the
first one is due first, apart from differences between their writers' clocks. No record leaves
before its time.
"""

from collections import deque
from collections.abc import Collection, Mapping

from runtime.retries.retry_topics import due_ms
from runtime.values import Delivery, TopicPartition


class DueQueues:
    """Holds deliveries. ``delays_s`` maps each topic to the delay of its records.

    No record is held longer than its topic's delay after it was added: a later due time comes from
    a wrong clock.
    """

    def __init__(self, delays_s: Mapping[str, float]) -> None:
        self._delays_s = delays_s
        self._queues: dict[TopicPartition, deque[tuple[Delivery, int]]] = {}

    @property
    def sources(self) -> Collection[TopicPartition]:
        """The partitions with held records."""
        return self._queues.keys()

    def add(self, delivery: Delivery, *, now_ms: int) -> None:
        """Hold a delivery after the others of its partition."""
        latest_ms = now_ms + int(self._delays_s[delivery.topic] * 1000)
        due = min(due_ms(delivery), latest_ms)
        self._queues.setdefault(delivery.source, deque()).append((delivery, due))

    def take(
        self, max_records: int, *, now_ms: int, without: Collection[TopicPartition]
    ) -> list[Delivery]:
        """Release up to ``max_records`` due deliveries, none of partitions in ``without``."""
        taken: list[Delivery] = []
        for source in [each for each in self._queues if each not in without]:
            queue = self._queues[source]
            while queue and len(taken) < max_records and queue[0][1] <= now_ms:
                taken.append(queue.popleft()[0])
            if not queue:
                del self._queues[source]
        return taken

    def next_due_ms(self, *, without: Collection[TopicPartition]) -> int | None:
        """Return when the next one is due, in epoch milliseconds; None where nothing is held."""
        fronts = (queue[0][1] for source, queue in self._queues.items() if source not in without)
        return min(fronts, default=None)

    def drop(self, source: TopicPartition) -> None:
        """Drop the held records of a partition."""
        self._queues.pop(source, None)

    def clear(self) -> None:
        """Drop all held records."""
        self._queues.clear()
