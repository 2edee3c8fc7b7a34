"""Pure: since when the oldest record is unfinished, across the memberships of a worker.

A membership that ends in an outage drops its records, and the next one reads them again. Their age
must continue meanwhile. Otherwise an outage that throws members out would look young for as long as
it lasts.
"""

from collections.abc import Mapping

from runtime.values import TopicPartition


class OldestUnfinished:
    """Carries the age of dropped records until one of their partitions advances or is lost."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._positions: Mapping[TopicPartition, int] = {}

    def given_up(self, since_s: float | None, positions: Mapping[TopicPartition, int]) -> None:
        """Note the dropped records: when the oldest was taken, and the positions at that time."""
        if since_s is not None and (self._since_s is None or since_s < self._since_s):
            self._since_s = since_s
            self._positions = dict(positions)

    def since_s(
        self, held_since_s: float | None, positions: Mapping[TopicPartition, int]
    ) -> float | None:
        """Return since when the oldest record is unfinished; None where none is.

        ``held_since_s`` belongs to the records held now, ``positions`` to the partitions owned now.
        """
        if positions and not self._stands_still(positions):
            self._since_s = None
        known = [since_s for since_s in (self._since_s, held_since_s) if since_s is not None]
        return min(known, default=None)

    def _stands_still(self, positions: Mapping[TopicPartition, int]) -> bool:
        common = self._positions.keys() & positions.keys()
        return bool(common) and all(
            positions[source] <= self._positions[source] for source in common
        )
