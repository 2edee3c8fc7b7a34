"""Pure: timestamps of the first record that a group has not done, read only where it can be old.

A record beyond the log end of the measurement before is younger than that measurement. So a group
that keeps up costs no read, and one that is stuck costs one read.
"""

from collections.abc import Iterable, Mapping

from runtime.kafka import Lag
from runtime.values import TopicPartition


class Ages:
    """The log ends and timestamps of the partitions of one group, kept between measurements."""

    def __init__(self) -> None:
        self._log_ends: dict[TopicPartition, int] = {}
        self._made_ms: dict[TopicPartition, tuple[int, int]] = {}

    def unknown(self, lags: Mapping[TopicPartition, Lag]) -> Mapping[TopicPartition, int]:
        """Return the positions whose timestamps have to be read."""
        return {
            source: lag.position
            for source, lag in self._old(lags)
            if self._made_ms.get(source, (-1, 0))[0] != lag.position
        }

    def note(
        self, lags: Mapping[TopicPartition, Lag], made_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, int]:
        """Record the timestamps; return that of the first record of each partition.

        Partitions without a record from before the last measurement are left out.
        """
        known = {source: (lags[source].position, moment) for source, moment in made_ms.items()}
        self._made_ms |= known
        first_made_ms = {
            source: self._made_ms[source][1]
            for source, lag in self._old(lags)
            if self._made_ms.get(source, (-1, 0))[0] == lag.position
        }
        self._log_ends = {source: lag.log_end for source, lag in lags.items()}
        return first_made_ms

    def _old(self, lags: Mapping[TopicPartition, Lag]) -> Iterable[tuple[TopicPartition, Lag]]:
        """Yield the partitions with an undone record from before the last measurement."""
        for source, lag in lags.items():
            if lag.behind and lag.position < self._log_ends.get(source, lag.log_end):
                yield source, lag
