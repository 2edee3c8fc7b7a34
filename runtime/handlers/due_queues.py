"""Pure: holds what was read of retry topics until it is due, in order within each partition.

A record holds up those behind it in its partition. All of a topic have the same delay, so the one
in front is the first to be due, but for the clocks of those who put them there; none is let go
before its time.
"""

from collections import deque
from collections.abc import Collection, Mapping

from runtime.retries.retry_topics import due_ms
from runtime.values import Delivery, TopicPartition


class DueQueues:
    """Holds deliveries; ``delays_s`` maps each topic to the delay of its records.

    No record is held for longer than its topic's delay from when it was added: a due time beyond
    that was written by a clock that goes wrong.
    """

    def __init__(self, delays_s: Mapping[str, float]) -> None:
        self._delays_s = delays_s
        self._queues: dict[TopicPartition, deque[tuple[Delivery, int]]] = {}

    @property
    def sources(self) -> Collection[TopicPartition]:
        """The partitions of which something is held."""
        return self._queues.keys()

    def add(self, delivery: Delivery, *, now_ms: int) -> None:
        """Hold a delivery behind those of its partition."""
        latest_ms = now_ms + int(self._delays_s[delivery.topic] * 1000)
        due = min(due_ms(delivery), latest_ms)
        self._queues.setdefault(delivery.source, deque()).append((delivery, due))

    def take(
        self, most: int, *, now_ms: int, without: Collection[TopicPartition]
    ) -> list[Delivery]:
        """Let go of up to ``most`` deliveries that are due, none of them of ``without``."""
        taken: list[Delivery] = []
        for source in [each for each in self._queues if each not in without]:
            queue = self._queues[source]
            while queue and len(taken) < most and queue[0][1] <= now_ms:
                taken.append(queue.popleft()[0])
            if not queue:
                del self._queues[source]
        return taken

    def next_due_ms(self, *, without: Collection[TopicPartition]) -> int | None:
        """Return when the next is due, in epoch milliseconds; None where nothing is held."""
        fronts = (queue[0][1] for source, queue in self._queues.items() if source not in without)
        return min(fronts, default=None)

    def drop(self, source: TopicPartition) -> None:
        """Forget what is held of a partition."""
        self._queues.pop(source, None)

    def clear(self) -> None:
        """Forget everything."""
        self._queues.clear()
