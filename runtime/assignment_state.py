"""What a Worker knows of the records of one assignment.

The polling task owns it. A new assignment gets a new one, and a closed one ignores what completes
late, so that nothing of an earlier assignment can move a position of a later one.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from runtime import telemetry
from runtime.errors import ConfigurationError
from runtime.lanes import KeyLanes
from runtime.membership import Surroundings
from runtime.offsets import OffsetTracker
from runtime.values import Assignment, Delivery, PartitionState, TopicPartition

_spread_factor: Final = 10
"""A partition may be done beyond its position by so many times the records in flight."""


class AssignmentState:
    """Positions, lanes and runners of one assignment."""

    def __init__(self, assignment: Assignment, around: Surroundings) -> None:
        settings = around.settings
        self.starts = {source: _start(state) for source, state in assignment.partitions.items()}
        self.lanes = KeyLanes(
            records=settings.in_flight_records, size_bytes=settings.in_flight_bytes
        )
        self.startable: asyncio.Queue[Delivery] = asyncio.Queue()  # bounded by the lanes
        self.runners: list[asyncio.Task[None]] = []
        self.paused: set[TopicPartition] = set()
        self.closed = False
        self.finished_count = 0
        self._around = around
        self._most_spread = _spread_factor * settings.in_flight_records
        self._trackers = {source: OffsetTracker(at) for source, at in self.starts.items()}
        self._committed = dict(self.starts)
        self._freed = asyncio.Event()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """How far each partition is done."""
        return {source: tracker.position for source, tracker in self._trackers.items()}

    @property
    def crowded(self) -> set[TopicPartition]:
        """Partitions of which too much is done beyond the position."""
        return {
            source
            for source, tracker in self._trackers.items()
            if tracker.spread >= self._most_spread
        }

    def uncommitted(self) -> Mapping[TopicPartition, int]:
        """Return the positions that have moved since they were committed."""
        committed = self._committed
        return {source: at for source, at in self.positions.items() if at != committed[source]}

    def committed(self, positions: Mapping[TopicPartition, int]) -> None:
        """Note that these are committed."""
        self._committed.update(positions)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Hold what was polled, and let start what has a free lane.

        Raises:
            ConfigurationError: the log was replaced by another.
        """
        now_s = self._around.clock.monotonic_s()
        for delivery in deliveries:
            try:
                self._trackers[delivery.source].started(delivery.offset)
            except ValueError as error:
                raise ConfigurationError(
                    f"{delivery.topic}/{delivery.partition} went back ({error}), as if the topic "
                    f"had been made anew: reset the group's offsets, then start again"
                ) from None
            if self.lanes.add(delivery, now_s):
                self.startable.put_nowait(delivery)

    def finish(self, delivery: Delivery) -> None:
        """Count a record as done and let the next of its lane start; once closed, ignore it."""
        if self.closed:
            telemetry.worker.late.labels(self._around.name).inc()
            return
        self._trackers[delivery.source].finished(delivery.offset)
        following = self.lanes.finish(delivery)
        if following is not None:
            self.startable.put_nowait(following)
        self.finished_count += 1
        self._freed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what only finished records can bring about."""
        while not condition():
            self._freed.clear()
            await self._freed.wait()

    def close(self) -> None:
        """Cancel what is running and ignore what completes all the same."""
        self.closed = True
        for runner in self.runners:
            runner.cancel()


def _start(state: PartitionState) -> int:
    """Where to go on: what is committed, unless retention has already deleted it."""
    return state.log_start if state.committed is None else max(state.committed, state.log_start)
