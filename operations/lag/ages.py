"""Pure: when the first record behind each position was made, asked for only where it can be old.

A record that lies behind the end that the log had at the look before is younger than that look.
So a group that keeps up costs no read at all, and one that stands still costs one read.
"""

from collections.abc import Iterable, Mapping

from runtime.kafka import Lag
from runtime.values import TopicPartition


class Ages:
    """What is known of the partitions of one group from look to look."""

    def __init__(self) -> None:
        self._log_ends: dict[TopicPartition, int] = {}
        self._made_ms: dict[TopicPartition, tuple[int, int]] = {}

    def unknown(self, lags: Mapping[TopicPartition, Lag]) -> Mapping[TopicPartition, int]:
        """Return the positions for which it has to be asked when the first record was made."""
        return {
            source: lag.position
            for source, lag in self._old(lags)
            if self._made_ms.get(source, (-1, 0))[0] != lag.position
        }

    def note(
        self, lags: Mapping[TopicPartition, Lag], made_ms: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, int]:
        """Take the answers; return when the first record of each partition was made.

        Partitions without a record that was there at the look before are left out.
        """
        known = {source: (lags[source].position, moment) for source, moment in made_ms.items()}
        self._made_ms |= known
        found = {
            source: self._made_ms[source][1]
            for source, lag in self._old(lags)
            if self._made_ms.get(source, (-1, 0))[0] == lag.position
        }
        self._log_ends = {source: lag.log_end for source, lag in lags.items()}
        return found

    def _old(self, lags: Mapping[TopicPartition, Lag]) -> Iterable[tuple[TopicPartition, Lag]]:
        """Yield the partitions with a record not done that was there at the look before."""
        for source, lag in lags.items():
            if lag.behind and lag.position < self._log_ends.get(source, lag.log_end):
                yield source, lag
