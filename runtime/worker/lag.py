"""How far a member is behind, as metrics: records and seconds of each partition that it owns.

By partition, because one that stands still disappears in a sum. What is not owned any more has no
figure here: its new owner tells.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from runtime import metrics
from runtime.clock import Clock
from runtime.ports import Consumer
from runtime.values import TopicPartition


class Positioned(Protocol):
    """Somebody who works through partitions."""

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """How far each partition owned is done."""
        ...


class LagFigures:
    """The series of one membership; a context manager, at whose end they are gone."""

    def __init__(self, worker: str, consumer: Consumer, clock: Clock) -> None:
        self._worker = worker
        self._consumer = consumer
        self._clock = clock
        self._shown: set[TopicPartition] = set()
        self._unread_since_s: dict[TopicPartition, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keep({})

    async def look(self, member: Positioned) -> None:
        """Compare with where the logs end now.

        Raises:
            TransientError: the brokers do not answer; the figures stay as they are.
        """
        ends = await self._consumer.log_ends(tuple(member.positions))
        positions = {source: at for source, at in member.positions.items() if source in ends}
        self._keep(positions)
        for source, position in positions.items():
            labels = (self._worker, source.topic, str(source.partition))
            behind = max(0, ends[source] - position)
            metrics.worker.lag.labels(*labels).set(behind)
            metrics.worker.lag_seconds.labels(*labels).set(self._age_s(source, position, behind))

    def _age_s(self, source: TopicPartition, position: int, behind: int) -> float:
        """Return how old the record at a position is, at least; 0 where there is none.

        Where it was not read yet, its age counts from when it was first seen to be there.
        """
        timestamp_ms = self._consumer.timestamp_ms(source, position)
        if behind and timestamp_ms is None:
            now_s = self._clock.monotonic_s()
            return now_s - self._unread_since_s.setdefault(source, now_s)
        self._unread_since_s.pop(source, None)
        if timestamp_ms is None:
            return 0.0
        return max(0.0, self._clock.now().timestamp() - timestamp_ms / 1000)

    def _keep(self, owned: Mapping[TopicPartition, int]) -> None:
        """Remove the series of all others."""
        for source in self._shown - owned.keys():
            for metric in (metrics.worker.lag, metrics.worker.lag_seconds):
                metric.remove(self._worker, source.topic, str(source.partition))
            self._unread_since_s.pop(source, None)
        self._shown = set(owned)
