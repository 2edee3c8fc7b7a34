"""What a Worker knows of the records of one assignment.

The polling task owns it. A new assignment gets a new one, and a closed one ignores what completes
late, so that nothing of an earlier assignment can move a position of a later one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from runtime import metrics
from runtime.errors import ConfigurationError
from runtime.handlers.key_lanes import KeyLanes
from runtime.offsets.metadata import OffsetMap, UnreadableMapError, from_committed, to_commit
from runtime.offsets.tracker import OffsetTracker
from runtime.ports import Position
from runtime.values import Assignment, Delivery, PartitionState, TopicPartition
from runtime.worker.membership import WorkerContext

_spread_factor: Final = 10
"""So many times the records in flight may be read beyond a position; a new owner reads them again,
and handles again those that the map beside the position has no room for."""

_most_held_up: Final = 0.5


log = structlog.get_logger()


class AssignmentState:
    """Positions, lanes and runners of one assignment; ``committed`` is what its group has done."""

    def __init__(
        self,
        assignment: Assignment,
        committed: Mapping[TopicPartition, Position | None],
        context: WorkerContext,
    ) -> None:
        settings = context.settings
        self._around = context
        done = {
            source: self._done(source, state, committed[source])
            for source, state in assignment.partitions.items()
        }
        self.starts = {source: known.position for source, known in done.items()}
        self.lanes = KeyLanes(
            records=settings.in_flight_records, size_bytes=settings.in_flight_bytes
        )
        self.startable: asyncio.Queue[Delivery] = asyncio.Queue()  # bounded by the lanes
        self.runners: list[asyncio.Task[None]] = []
        self.paused: set[TopicPartition] = set()
        self.refused: dict[TopicPartition, float] = {}
        """Partitions that the guard has paused; since when the record that it refused is held."""
        self.closed = False
        self.finished_count = 0
        self._most_spread = _spread_factor * settings.in_flight_records
        self._trackers = {source: OffsetTracker(known) for source, known in done.items()}
        self._committed = {
            source: _to_replace(assignment.partitions[source], committed[source])
            or to_commit(known)
            for source, known in done.items()
        }
        self._freed = asyncio.Event()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """How far each partition is done."""
        return {source: tracker.position for source, tracker in self._trackers.items()}

    @property
    def crowded(self) -> set[TopicPartition]:
        """Partitions of which too much was read beyond the position."""
        return {
            source
            for source, tracker in self._trackers.items()
            if tracker.spread >= self._most_spread
        }

    def held_up(self, waiting: Collection[Delivery]) -> set[TopicPartition]:
        """Return the partitions of what waits for the world, once its lanes fill half the bound."""
        mine = [delivery for delivery in waiting if delivery.source in self.starts]
        if not mine or self.lanes.share_of(mine) < _most_held_up:
            return set()
        return {delivery.source for delivery in mine}

    def uncommitted(self) -> Mapping[TopicPartition, Position]:
        """Return what is done where that has changed since it was committed."""
        positions = {source: to_commit(each.done) for source, each in self._trackers.items()}
        return {source: at for source, at in positions.items() if at != self._committed[source]}

    def committed(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Note that these are committed."""
        self._committed.update(positions)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Hold what was polled and is not done, and let start what has a free lane.

        Raises:
            ConfigurationError: the log was replaced by another.
        """
        now_s, skipped = self._around.clock.monotonic_s(), 0
        for delivery in deliveries:
            if delivery.source in self.refused:
                continue  # fetched before it was paused
            try:
                to_do = self._trackers[delivery.source].started(delivery.offset)
            except ValueError as error:
                raise ConfigurationError(
                    f"{delivery.topic}/{delivery.partition} went back ({error}), as if the topic "
                    f"had been made anew: reset the group's offsets, then start again"
                ) from None
            if not to_do:
                skipped += 1
            elif self.lanes.add(delivery, now_s):
                self.startable.put_nowait(delivery)
        metrics.worker.skipped.labels(self._around.name).inc(skipped)

    def finish(self, delivery: Delivery) -> None:
        """Count a record as done and let the next of its lane start; once closed, ignore it."""
        if self.closed:
            metrics.worker.late.labels(self._around.name).inc()
            return
        self._trackers[delivery.source].finished(delivery.offset)
        following = self.lanes.finish(delivery)
        if following is not None:
            self.startable.put_nowait(following)
        self.finished_count += 1
        self._freed.set()

    def refuse(self, delivery: Delivery) -> None:
        """Pause the partition of a record that may not be set aside; it stays undone.

        Nothing more of the partition starts, and what waits is let go of, so that it takes no room.
        """
        if self.closed:
            return
        since_s = self.lanes.since_s(delivery)
        if since_s is not None:
            first_s = self.refused.get(delivery.source, since_s)
            self.refused[delivery.source] = min(first_s, since_s)
        self.lanes.drop_waiting(delivery.source)
        self.let_go(delivery)

    def let_go(self, delivery: Delivery) -> None:
        """Leave a record undone, and let the next of its lane start."""
        if self.closed:
            return
        following = self.lanes.finish(delivery)
        if following is not None:
            self.startable.put_nowait(following)
        self._freed.set()

    @property
    def oldest_since_s(self) -> float | None:
        """Since when the oldest record is held that is not done; None where all are."""
        held_s = self.lanes.oldest_since_s
        known = [*self.refused.values(), *([] if held_s is None else [held_s])]
        return min(known, default=None)

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

    def _done(
        self, source: TopicPartition, state: PartitionState, committed: Position | None
    ) -> OffsetMap:
        """Return what is done of what the log holds; no more than the position if in doubt."""
        if committed is None:
            return OffsetMap((), state.log_start)
        try:
            done = from_committed(committed, log_end=state.log_end)
        except UnreadableMapError as error:
            name = self._around.name
            metrics.worker.ignored_maps.labels(name).inc()
            log.warning("map ignored", worker=name, **source._asdict(), why=str(error))
            done = OffsetMap((), committed.offset)
        return done.since(state.log_start)


def _to_replace(state: PartitionState, committed: Position | None) -> Position | None:
    """Return what was committed where retention has overtaken it: it is committed anew."""
    overtaken = state.committed is not None and state.committed < state.log_start
    return committed if overtaken else None
