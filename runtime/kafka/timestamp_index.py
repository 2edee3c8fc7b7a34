"""Pure: timestamps of the records that a member has received, about one per second.

With them a worker knows the age of its first unfinished record without a note per record.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from runtime.values import Delivery, TopicPartition

_apart_ms: Final = 1000


class TimestampIndex:
    """Timestamps by partition, from the last queried offset on."""

    def __init__(self) -> None:
        self._marks: dict[TopicPartition, deque[tuple[int, int]]] = {}
        self._next: dict[TopicPartition, int] = {}

    def begin(self, source: TopicPartition, offset: int) -> None:
        """Forget a partition's timestamps: its next record is at this offset."""
        self._marks[source] = deque()
        self._next[source] = offset

    def note(self, source: TopicPartition, deliveries: Sequence[Delivery]) -> None:
        """Note the next records of a partition, at least one."""
        marks = self._marks[source]
        for delivery in deliveries:
            timestamp_ms = delivery.timestamp_ms
            if not marks or abs(timestamp_ms - marks[-1][1]) >= _apart_ms:
                marks.append((delivery.offset, timestamp_ms))
        self._next[source] = deliveries[-1].offset + 1

    def next_offset(self, source: TopicPartition) -> int:
        """Return the next offset of a partition."""
        return self._next[source]

    def records_end(self, source: TopicPartition, log_end: int, read_to: int | None) -> int:
        """Return the offset after the last record, of a log that was read up to ``read_to``.

        Behind the last record the log may have markers of transactions, which are none.
        """
        has_all = read_to is not None and read_to >= log_end
        return min(log_end, self._next[source]) if has_all and source in self._next else log_end

    def timestamp_ms(self, source: TopicPartition, offset: int) -> int | None:
        """Return the timestamp of the first record from this offset on, at most a second too early.

        None where no such record was read: reading has not reached the offset, or began after it,
        as where retention has deleted it. Queried offsets rise; earlier ones are forgotten.
        """
        marks = self._marks.get(source)
        if not marks or offset >= self._next[source]:
            return None
        while len(marks) > 1 and marks[1][0] <= offset:
            marks.popleft()
        return marks[0][1]
