"""Pure: one record in flight per key, first in first out, with a bound on all of them.

A lane is the queue of one key; its first record is in flight. Records without a key share the lane
of their partition, because no key says which of them belong together.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from runtime.values import Delivery, TopicPartition


class _Held(NamedTuple):
    delivery: Delivery
    size_bytes: int
    since_s: float


class KeyLanes:
    """Holds records until they are done, at most ``records`` of them and about ``size_bytes``."""

    def __init__(self, *, records: int, size_bytes: int) -> None:
        self._max_records = records
        self._max_bytes = size_bytes
        self._lanes: dict[bytes | TopicPartition, deque[_Held]] = {}
        self._records = 0
        self._bytes = 0

    def __len__(self) -> int:
        """Return the number of held records, waiting ones included."""
        return self._records

    @property
    def room(self) -> int:
        """How many more records may be added; 0 while the bytes are at their bound."""
        if self._bytes >= self._max_bytes:
            return 0
        return max(0, self._max_records - self._records)

    @property
    def oldest_since_s(self) -> float | None:
        """When the oldest record was added; None where nothing is held."""
        return min((lane[0].since_s for lane in self._lanes.values()), default=None)

    def share_of(self, deliveries: Iterable[Delivery]) -> float:
        """Return the share of the bound, about 1 at most, that the lanes of these records hold."""
        lanes = {_lane(delivery) for delivery in deliveries}
        held = [one for name in lanes for one in self._lanes.get(name, ())]
        size_bytes = sum(one.size_bytes for one in held)
        return max(len(held) / self._max_records, size_bytes / self._max_bytes)

    def add(self, delivery: Delivery, now_s: float) -> bool:
        """Hold a record. True where its lane was free, so that it is in flight now."""
        held = _Held(delivery, delivery.size_bytes, now_s)
        self._records += 1
        self._bytes += held.size_bytes
        name = _lane(delivery)
        lane = self._lanes.get(name)
        if lane is None:
            self._lanes[name] = deque((held,))
            return True
        lane.append(held)
        return False

    def finish(self, delivery: Delivery) -> Delivery | None:
        """Drop the record in flight of a lane; return the next one, which is in flight now.

        Raises:
            ValueError: this record is not in flight.
        """
        name = _lane(delivery)
        lane = self._lanes.get(name)
        if lane is None or lane[0].delivery is not delivery:
            raise ValueError(f"offset {delivery.offset} of {delivery.source} is not in flight")
        self._records -= 1
        self._bytes -= lane.popleft().size_bytes
        if lane:
            return lane[0].delivery
        del self._lanes[name]
        return None

    def drop_waiting(self, source: TopicPartition) -> None:
        """Drop all records of a partition that are not in flight."""
        for lane in self._lanes.values():
            in_flight, *waiting = lane
            remaining = [held for held in waiting if held.delivery.source != source]
            if len(remaining) < len(waiting):
                lane.clear()
                lane.extend((in_flight, *remaining))
        held = [one for lane in self._lanes.values() for one in lane]
        self._records, self._bytes = len(held), sum(one.size_bytes for one in held)

    def since_s(self, delivery: Delivery) -> float | None:
        """Return when a record in flight was added; None where it is not in flight."""
        lane = self._lanes.get(_lane(delivery))
        return lane[0].since_s if lane and lane[0].delivery is delivery else None


def _lane(delivery: Delivery) -> bytes | TopicPartition:
    return delivery.source if delivery.key is None else delivery.key
