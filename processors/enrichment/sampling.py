"""Pure: which events of one kind are measured for drift: enough to see something new soon.

Every event of the first hundred is measured, then about one in sixteen, and besides each whose
object has a member that no event of the kind had before: a new member of the object is found with
its first event. What stands deeper, and new values, are found within some dozens of events. The
gaps between two measured events differ, so that no rhythm of the traffic hides from them.
"""

from collections.abc import Collection
from typing import Final

first_events: Final = 100
"""Events of a kind that are all measured."""

mean_gap: Final = 16

_widest_gap_bits: Final = 5  # gaps of 1 to 32, evenly
_word_bits: Final = 32
_golden: Final = 0x9E3779B1
"""Multiplied by it, successive numbers spread evenly over their highest bits. Source: Knuth, The
Art of Computer Programming, 6.4."""

_max_members: Final = 1_000
"""Members remembered; further ones wait for their turn."""


class EventSample:
    """Chooses among the events of one kind."""

    __slots__ = ("_known", "_measured", "_next", "_seen")

    def __init__(self) -> None:
        self._seen = 0
        self._measured = 0
        self._next = 1
        self._known: set[str] = set()

    def is_due(self, members: Collection[str]) -> bool:
        """Return whether the next event is measured; ``members`` are those of its object."""
        self._seen += 1
        is_new = not self._known.issuperset(members) and len(self._known) < _max_members
        if is_new:
            self._known.update(members)
        if self._seen < self._next:
            return is_new
        self._measured += 1
        self._next = self._seen + (1 if self._seen < first_events else _gap(self._measured))
        return True


def _gap(number: int) -> int:
    mixed = number * _golden & (1 << _word_bits) - 1
    return 1 + (mixed >> _word_bits - _widest_gap_bits)
