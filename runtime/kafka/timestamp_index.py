"""Pure: when the records were made that a member has been given, about a second apart.

So that somebody can ask for the age of the first record that is not done, without the price of
keeping a note of each.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from runtime.values import Delivery, TopicPartition

_apart_ms: Final = 1000


class TimestampIndex:
    """Notes of what was read, by partition, from the last offset on that was asked for."""

    def __init__(self) -> None:
        self._marks: dict[TopicPartition, deque[tuple[int, int]]] = {}
        self._next: dict[TopicPartition, int] = {}

    def begin(self, source: TopicPartition, offset: int) -> None:
        """Forget a partition: it is read from this offset on."""
        self._marks[source] = deque()
        self._next[source] = offset

    def note(self, source: TopicPartition, deliveries: Sequence[Delivery]) -> None:
        """Note what was read of a partition next, at least one record."""
        marks = self._marks[source]
        for delivery in deliveries:
            timestamp_ms = delivery.timestamp_ms
            if not marks or abs(timestamp_ms - marks[-1][1]) >= _apart_ms:
                marks.append((delivery.offset, timestamp_ms))
        self._next[source] = deliveries[-1].offset + 1

    def next_offset(self, source: TopicPartition) -> int:
        """Return where a partition is read on."""
        return self._next[source]

    def records_end(self, source: TopicPartition, log_end: int, read_to: int | None) -> int:
        """Return the offset after the last record, of a log that was read up to ``read_to``.

        Behind the last record the log may have markers of transactions, which are none.
        """
        has_all = read_to is not None and read_to >= log_end
        return min(log_end, self._next[source]) if has_all and source in self._next else log_end

    def timestamp_ms(self, source: TopicPartition, offset: int) -> int | None:
        """Return when the first record from this offset on was made, a second too early at most.

        None where none was read: nothing was read from there on, or reading began behind it, as
        where retention has deleted it. Offsets that are asked for rise; earlier ones are forgotten.
        """
        marks = self._marks.get(source)
        if not marks or offset >= self._next[source]:
            return None
        while len(marks) > 1 and marks[1][0] <= offset:
            marks.popleft()
        return marks[0][1]
