"""The lag of a member as metrics: records and seconds of each partition that it owns.

By partition, because a sum hides a single one that is stuck. Partitions of other members have
no series here; their owners report them.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from runtime import metrics
from runtime.clock import Clock
from runtime.ports import Consumer
from runtime.values import TopicPartition


class Positioned(Protocol):
    """A member that advances through partitions."""

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The position of each owned partition."""
        ...


class LagFigures:
    """The series of one membership. A context manager, which removes them at its end."""

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

    async def update(self, member: Positioned) -> None:
        """Compare the positions with the present ends of the logs.

        Raises:
            TransientError: the brokers do not answer; the series keep their values.
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
        """Return the least age of the record at a position; 0 where there is none.

        The age of an unread record counts from when it was first seen to exist.
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
        """Remove the series of all other partitions."""
        for source in self._shown - owned.keys():
            for metric in (metrics.worker.lag, metrics.worker.lag_seconds):
                metric.remove(self._worker, source.topic, str(source.partition))
            self._unread_since_s.pop(source, None)
        self._shown = set(owned)
