"""Pure: which offset of a partition may be committed while records finish in any order.

A log has gaps (compaction, transaction markers), so offsets are compared, never counted. The
position is the first offset that has started and not finished; with none of those, the one after
the last that started.
"""

from collections import deque


class OffsetTracker:
    """Follows one partition from ``start``, the first offset that is not known to be done."""

    def __init__(self, start: int) -> None:
        self._next = start
        self._from_position: deque[int] = deque()
        self._unfinished: set[int] = set()

    @property
    def position(self) -> int:
        """The offset that may be committed: everything before it is done."""
        return self._from_position[0] if self._from_position else self._next

    @property
    def spread(self) -> int:
        """How many records from the position on have started; a crash repeats as many."""
        return len(self._from_position)

    def started(self, offset: int) -> None:
        """Note that a record was read; offsets rise.

        Raises:
            ValueError: the offset is before one that was already read.
        """
        if offset < self._next:
            raise ValueError(f"expected an offset from {self._next} on, got {offset}")
        self._next = offset + 1
        self._from_position.append(offset)
        self._unfinished.add(offset)

    def finished(self, offset: int) -> None:
        """Note that a record is done.

        Raises:
            ValueError: it has not started, or is done already.
        """
        if offset not in self._unfinished:
            raise ValueError(f"offset {offset} is not being handled")
        self._unfinished.remove(offset)
        while self._from_position and self._from_position[0] not in self._unfinished:
            self._from_position.popleft()
