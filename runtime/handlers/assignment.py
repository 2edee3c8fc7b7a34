"""The records, lanes and positions of one assignment of a Worker.

The polling task owns this state. A new assignment gets a new state, and a closed one ignores late
completions, so that no record of an earlier assignment can move a position of a later one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from runtime import metrics
from runtime.errors import ConfigurationError
from runtime.handlers.key_lanes import KeyLanes
from runtime.handlers.publication import Publication
from runtime.handlers.ready_queue import ReadyQueue
from runtime.offsets.metadata import OffsetMap, UnreadableMapError, from_committed, to_commit
from runtime.offsets.tracker import OffsetTracker
from runtime.ports import Position
from runtime.values import Assignment, Delivery, PartitionState, TopicPartition
from runtime.worker.membership import WorkerContext

_spread_factor: Final = 10
"""A partition may be read this many times the in-flight bound beyond its position. A new owner
reads those records again, and handles those again that do not fit into the offset map of the
commit."""

_max_blocked_share: Final = 0.5


log = structlog.get_logger()


class AssignmentState:
    """Positions, lanes and runners of one assignment. ``committed`` is the group's last commit."""

    def __init__(
        self,
        assignment: Assignment,
        committed: Mapping[TopicPartition, Position | None],
        context: WorkerContext,
    ) -> None:
        settings = context.settings
        self._context = context
        done = {
            source: self._done(source, state, committed[source])
            for source, state in assignment.partitions.items()
        }
        self.starts = {source: known.position for source, known in done.items()}
        self.lanes = KeyLanes(
            records=settings.in_flight_records, size_bytes=settings.in_flight_bytes
        )
        self.startable: ReadyQueue[Delivery | Publication] = ReadyQueue()
        """What a runner may take: at most one of each lane, and so bounded by the lanes."""
        self.runners: list[asyncio.Task[None]] = []
        self.paused: set[TopicPartition] = set()
        self.refused: dict[TopicPartition, float] = {}
        """Partitions that the guard has paused; since when the record that it refused is held."""
        self.closed = False
        self.finished_count = 0
        self._max_spread = _spread_factor * settings.in_flight_records
        self._trackers = {source: OffsetTracker(known) for source, known in done.items()}
        self._committed = {
            source: _to_replace(assignment.partitions[source], committed[source])
            or to_commit(known)
            for source, known in done.items()
        }
        self._freed = asyncio.Event()

    @property
    def positions(self) -> Mapping[TopicPartition, int]:
        """The position of each partition."""
        return {source: tracker.position for source, tracker in self._trackers.items()}

    @property
    def crowded(self) -> set[TopicPartition]:
        """Partitions that were read too far beyond their position."""
        return {
            source
            for source, tracker in self._trackers.items()
            if tracker.spread >= self._max_spread
        }

    def blocked_partitions(self, waiting: Collection[Delivery]) -> set[TopicPartition]:
        """Return the partitions of records in retry, once their lanes fill half the bound."""
        mine = [delivery for delivery in waiting if delivery.source in self.starts]
        if not mine or self.lanes.share_of(mine) < _max_blocked_share:
            return set()
        return {delivery.source for delivery in mine}

    def uncommitted(self) -> Mapping[TopicPartition, Position]:
        """Return the positions that have changed since their last commit."""
        positions = {source: to_commit(each.done) for source, each in self._trackers.items()}
        return {source: at for source, at in positions.items() if at != self._committed[source]}

    def committed(self, positions: Mapping[TopicPartition, Position]) -> None:
        """Note that these positions are committed."""
        self._committed.update(positions)

    def take(self, deliveries: Sequence[Delivery]) -> None:
        """Hold polled records that are not done, and start those whose lane is free.

        Raises:
            ConfigurationError: another log has replaced the log of the commit.
        """
        now_s, skipped = self._context.clock.monotonic_s(), 0
        for delivery in deliveries:
            source = delivery.source
            if source in self.refused:
                continue  # fetched before the pause
            try:
                to_do = self._trackers[source].started(delivery.offset)
            except ValueError as error:
                raise ConfigurationError(
                    f"{delivery.topic}/{delivery.partition} went back ({error}), as if the topic "
                    f"had been recreated: reset the group's offsets, then start again"
                ) from None
            if not to_do:
                skipped += 1
            elif self.lanes.add(delivery, now_s):
                self.startable.put(delivery)
        metrics.worker.skipped.labels(self._context.name).inc(skipped)

    def finish(self, delivery: Delivery) -> None:
        """Count a record as done and start the next one of its lane. A closed state ignores it."""
        if self.closed:
            metrics.worker.late.labels(self._context.name).inc()
            return
        self._trackers[delivery.source].finished(delivery.offset)
        following = self.lanes.finish(delivery)
        if following is not None:
            self.startable.put(following)
        self.finished_count += 1
        self._freed.set()

    def refuse(self, delivery: Delivery) -> None:
        """Pause the partition of a record that may not be dead-lettered. The record stays undone.

        No further record of the partition starts, and its waiting ones are released to free their
        room.
        """
        if self.closed:
            return
        since_s = self.lanes.since_s(delivery)
        if since_s is not None:
            first_s = self.refused.get(delivery.source, since_s)
            self.refused[delivery.source] = min(first_s, since_s)
        self.lanes.drop_waiting(delivery.source)
        self.release(delivery)

    def release(self, delivery: Delivery) -> None:
        """Leave a record undone, and start the next one of its lane."""
        if self.closed:
            return
        following = self.lanes.finish(delivery)
        if following is not None:
            self.startable.put(following)
        self._freed.set()

    @property
    def oldest_since_s(self) -> float | None:
        """When the oldest unfinished record was taken; None where all are done."""
        held_s = self.lanes.oldest_since_s
        known = [*self.refused.values(), *([] if held_s is None else [held_s])]
        return min(known, default=None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that only finished records can bring about."""
        while not condition():
            self._freed.clear()
            await self._freed.wait()

    def close(self) -> None:
        """Cancel the runners and ignore later completions."""
        self.closed = True
        for runner in self.runners:
            runner.cancel()

    def _done(
        self, source: TopicPartition, state: PartitionState, committed: Position | None
    ) -> OffsetMap:
        """Return the finished offsets of the present log; in doubt no more than the position."""
        if committed is None:
            return OffsetMap((), state.log_start)
        try:
            done = from_committed(committed, log_end=state.log_end)
        except UnreadableMapError as error:
            name = self._context.name
            metrics.worker.ignored_maps.labels(name).inc()
            log.warning("map ignored", worker=name, **source._asdict(), why=str(error))
            done = OffsetMap((), committed.offset)
        return done.since(state.log_start)


def _to_replace(state: PartitionState, committed: Position | None) -> Position | None:
    """Return the commit that retention has overtaken, which has to be replaced."""
    overtaken = state.committed is not None and state.committed < state.log_start
    return committed if overtaken else None
