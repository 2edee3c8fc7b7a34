"""Pure: which offset of a partition may be committed while records finish in any order.

A log has gaps (compaction, transaction markers), so offsets are compared, never counted. The
position is the first offset known to be unfinished; without any, the offset after the last finished
record.
"""

from collections import deque

from runtime.offsets.metadata import OffsetMap


class OffsetTracker:
    """Follows one partition from the position of ``done``, the earlier work of the group."""

    def __init__(self, done: OffsetMap) -> None:
        self._end = done.end
        self._expected = done.position
        self._awaited = deque(done.unfinished)
        self._from_position: deque[int] = deque()
        self._unfinished: set[int] = set()

    @property
    def position(self) -> int:
        """The offset that may be committed: everything before it is done."""
        if self._from_position:
            return self._from_position[0]
        return self._awaited[0] if self._awaited else self._end

    @property
    def done(self) -> OffsetMap:
        """The finished offsets, those beyond the position included."""
        return OffsetMap((*sorted(self._unfinished), *self._awaited), self._end)

    @property
    def spread(self) -> int:
        """How many records from the position on have started; a new owner reads them again."""
        return len(self._from_position)

    def started(self, offset: int) -> bool:
        """Note that a record was read; offsets rise. False where it was done before.

        Raises:
            ValueError: the offset is before one that was already read.
        """
        if offset < self._expected:
            raise ValueError(f"expected an offset from {self._expected} on, got {offset}")
        self._expected = offset + 1
        while self._awaited and self._awaited[0] < offset:
            self._awaited.popleft()  # the log no longer holds it
        if self._awaited and self._awaited[0] == offset:
            self._awaited.popleft()
        elif offset < self._end:
            return False
        self._end = max(self._end, offset + 1)
        self._from_position.append(offset)
        self._unfinished.add(offset)
        return True

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
