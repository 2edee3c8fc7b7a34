"""Pure: since when the oldest record is unfinished, across the memberships of a worker.

A member that is left behind in an outage takes its records with it, and the next one reads them
again. Their age must go on meanwhile, or an outage that throws members out would look young for as
long as it lasts.
"""

from collections.abc import Mapping

from runtime.values import TopicPartition


class OldestUnfinished:
    """Carries the age of what was given up until one of its partitions is further, or not owned."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._positions: Mapping[TopicPartition, int] = {}

    def given_up(self, since_s: float | None, positions: Mapping[TopicPartition, int]) -> None:
        """Note what is left undone: since when the oldest was held, and the positions then."""
        if since_s is not None and (self._since_s is None or since_s < self._since_s):
            self._since_s = since_s
            self._positions = dict(positions)

    def since_s(
        self, held_since_s: float | None, positions: Mapping[TopicPartition, int]
    ) -> float | None:
        """Return since when the oldest is unfinished; None where nothing is.

        ``held_since_s`` tells of what is held now, ``positions`` of what is owned now.
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
