"""Pure: which events of one kind are measured for drift: enough to see a new member soon.

Every event of the first hundred is measured, then about one in sixteen, and besides each whose
object has a set of members that was not seen yet: a new member of the object is found with its
first event. What stands deeper, and new values, are found within some dozens of events. The gaps
between two measured events differ, so that no rhythm of the traffic hides from them.
"""

from typing import Final

first_events: Final = 100
"""Events of a kind that are all measured."""

mean_gap: Final = 16

_widest_gap_bits: Final = 5  # gaps of 1 to 32, evenly
_word_bits: Final = 32
_golden: Final = 0x9E3779B1
"""Multiplied by it, successive numbers spread evenly over their highest bits. Source: Knuth, The
Art of Computer Programming, 6.4."""

_max_shapes: Final = 64
"""Sets of members remembered; with more of them the oldest is measured again."""


class EventSample:
    """Chooses among the events of one kind."""

    __slots__ = ("_measured", "_next", "_seen", "_shapes")

    def __init__(self) -> None:
        self._seen = 0
        self._measured = 0
        self._next = 1
        self._shapes: dict[tuple[str, ...], None] = {}

    def is_due(self, members: tuple[str, ...]) -> bool:
        """Return whether the next event is measured; ``members`` are those of its object."""
        self._seen += 1
        is_new = members not in self._shapes
        if is_new:
            self._remember(members)
        if self._seen < self._next:
            return is_new
        self._measured += 1
        self._next = self._seen + (1 if self._seen < first_events else _gap(self._measured))
        return True

    def _remember(self, members: tuple[str, ...]) -> None:
        self._shapes[members] = None
        if len(self._shapes) > _max_shapes:
            del self._shapes[next(iter(self._shapes))]


def _gap(number: int) -> int:
    mixed = number * _golden & (1 << _word_bits) - 1
    return 1 + (mixed >> _word_bits - _widest_gap_bits)
