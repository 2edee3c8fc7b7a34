"""Pure: how far a topic has been read: where reading begins, and whether it has caught up.

Invariants:

1. Within one log the position of a partition never falls.
2. Reading has caught up once each position has reached the end that its partition had when reading
   of the log began. It stays so until the log is replaced: neither an outage nor a new partition
   changes it.
3. A log replaces the one before if its topic has another id or fewer partitions, if a position is
   outside its bounds, or after `forget`. Then each partition is read from its start.
"""

from collections.abc import Mapping
from typing import NamedTuple

from runtime.offsets.topic_ids import differs
from runtime.ports import TopicLog
from runtime.values import TopicPartition


class Beginning(NamedTuple):
    """Where to begin. ``is_anew`` says that all records follow, as if none had been read."""

    starts: Mapping[TopicPartition, int]
    is_anew: bool


class LogPositions:
    """The positions of one reader in one topic, across connections."""

    def __init__(self) -> None:
        self._topic_id: str | None = None
        self._at: dict[TopicPartition, int] = {}
        self._targets: dict[TopicPartition, int] = {}

    @property
    def caught_up(self) -> bool:
        """Whether all was read that the log held when reading of it began."""
        return self._topic_id is not None and not self._targets

    @property
    def missing(self) -> int:
        """How many offsets are left to read until it has caught up."""
        return sum(end - self._at[source] for source, end in self._targets.items())

    def begin(self, log: TopicLog) -> Beginning:
        """Return where to read this log from; called for each new connection."""
        is_anew = not self._continues(log)
        if is_anew:
            self._at, self._targets = {}, {}
        was_caught_up = self.caught_up and not is_anew
        self._topic_id = log.topic_id or self._topic_id or ""
        for source, (start, end) in log.bounds.items():
            self._at.setdefault(source, start)
            if not was_caught_up:
                self._targets[source] = min(end, self._targets.get(source, end))
        self._settle_targets()
        return Beginning({source: self._at[source] for source in log.bounds}, is_anew)

    def advance(self, positions: Mapping[TopicPartition, int]) -> None:
        """Note how far each partition was read."""
        for source, position in positions.items():
            self._at[source] = max(position, self._at[source])
        if self._targets:
            self._settle_targets()

    def forget(self) -> None:
        """Forget the positions: they mean nothing in the log as it is now."""
        self._topic_id, self._at, self._targets = None, {}, {}

    def lag(self, ends: Mapping[TopicPartition, int]) -> int:
        """Return how many offsets are left to read up to these ends."""
        return sum(max(0, end - self._at[source]) for source, end in ends.items())

    def _continues(self, log: TopicLog) -> bool:
        if self._topic_id is None or differs(self._topic_id, log.topic_id):
            return False
        if not self._at.keys() <= log.bounds.keys():
            return False
        return all(
            log.bounds[source].start <= position <= log.bounds[source].end
            for source, position in self._at.items()
        )

    def _settle_targets(self) -> None:
        self._targets = {
            source: end for source, end in self._targets.items() if self._at[source] < end
        }
