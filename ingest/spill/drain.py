"""Produces spilled records, in order within each key."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from ingest.spill.backlog import Backlog
from ingest.spill.metrics import metrics
from ingest.spill.segment import SegmentName, SegmentUnreadableError, records_of, segment_of
from ingest.spill.store import SegmentStore, SegmentStores
from runtime.contracts import Publisher
from runtime.errors import RejectedError, TransientError
from runtime.values import Record

_segments_at_once: Final = 32
"""Read, produced and deleted together, so that round trips do not limit the rate."""
_bytes_at_once: Final = 8 * 1024 * 1024

_keys_at_once: Final = 256
"""Keys that are published at once; a publisher takes a thousand records of unknown topics."""

_publish_timeout_s: Final = 15.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Drained:
    """The result of draining some segments: events acknowledged and events refused.

    ``unreadable`` segments stay in the store.
    """

    events: int
    refused: int
    unreadable: tuple[SegmentName, ...]


@dataclass(frozen=True, slots=True)
class _Spilled:
    """A record and its position, which identifies it."""

    record: Record = field(compare=False)
    segment: SegmentName
    index: int


@dataclass(frozen=True, slots=True)
class _SegmentRead:
    """The records of some segments, in order, and which segments could be read."""

    spilled: list[_Spilled]
    read: list[SegmentName]
    unreadable: tuple[SegmentName, ...]


class Drain:
    """Produces segments and deletes each once all of it is acknowledged.

    After an error all segments are still there, to be drained again. Records acknowledged or
    refused by then are remembered, so only a crash makes duplicates. The next attempt goes record
    by record, because records that a producer sends together fail together.
    """

    def __init__(self, stores: SegmentStores, publisher: Publisher) -> None:
        self._stores = stores
        self._publisher = publisher
        self._acknowledged: set[_Spilled] = set()
        self._refused: set[_Spilled] = set()
        self._keys_at_once = _keys_at_once

    async def oldest(self, backlog: Backlog) -> Drained:
        """Produce the oldest segments of a backlog together, and remove them from it.

        Records that the broker refuses for good move to the store of refused segments.

        Raises:
            TransientError: the broker or the store does not answer.
            ConfigurationError: the store refuses.
        """
        waiting = self._stores.waiting
        names = backlog.first(count=_segments_at_once, size_bytes=_bytes_at_once)
        segments = await _read(waiting, names)
        refused = await self._publish(segments.spilled)
        if refused:
            first = refused[0].segment
            aside = segment_of(
                [each.record for each in refused], at_ms=first.at_ms, instance=first.instance
            )
            await self._stores.refused.put(str(aside.name), aside.content)
            metrics.moved_to_refused.labels("refused").inc(len(refused))
        await asyncio.gather(*(waiting.delete(str(name)) for name in segments.read))
        self._forget()
        for name in names:
            backlog.discard(name)
        events = len(segments.spilled) - len(refused)
        metrics.drained.inc(events)
        return Drained(events, len(refused), segments.unreadable)

    async def retry_refused(self, name: SegmentName) -> Drained:
        """Produce a refused segment again; delete it unless a record is refused again.

        Raises:
            TransientError, ConfigurationError: as `oldest`.
        """
        segment = await _read(self._stores.refused, [name])
        refused = await self._publish(segment.spilled)
        if segment.read and not refused:
            await self._stores.refused.delete(str(name))
        self._forget()
        return Drained(len(segment.spilled) - len(refused), len(refused), segment.unreadable)

    def _forget(self) -> None:
        self._acknowledged.clear()
        self._refused.clear()

    async def _publish(self, spilled: Sequence[_Spilled]) -> list[_Spilled]:
        """Return the records that the broker refuses for good."""
        ended = self._acknowledged | self._refused
        lanes = iter(_lanes(each for each in spilled if each not in ended))
        failures: list[TransientError] = []

        async def publish_lanes() -> None:
            for lane in lanes:
                try:
                    await self._publish_lane(lane)
                except TransientError as error:
                    failures.append(error)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._keys_at_once, len(spilled))):
                tasks.create_task(publish_lanes())
        if failures:
            self._keys_at_once = 1
            raise failures[0]
        self._keys_at_once = _keys_at_once
        return [each for each in spilled if each in self._refused]

    async def _publish_lane(self, lane: Sequence[_Spilled]) -> None:
        for each in lane:
            topic = each.record.topic
            try:
                async with asyncio.timeout(_publish_timeout_s):
                    await self._publisher.publish(each.record)
            except RejectedError as error:
                if not self._refused:  # one line for all
                    _log.error("spilled event refused", topic=topic, error=str(error))
                self._refused.add(each)
            except TimeoutError:
                raise TransientError(f"publish to {topic}: not acknowledged in time") from None
            else:
                self._acknowledged.add(each)


async def _read(store: SegmentStore, names: Sequence[SegmentName]) -> _SegmentRead:
    contents = await asyncio.gather(*(store.get(str(name)) for name in names))
    spilled: list[_Spilled] = []
    read: list[SegmentName] = []
    unreadable: list[SegmentName] = []
    for name, content in zip(names, contents, strict=True):
        if content is None:
            continue  # another process has found it abandoned, and produced it
        try:
            records = await asyncio.to_thread(records_of, content)
        except SegmentUnreadableError as error:
            _log.error("segment unreadable", segment=str(name), error=str(error))
            metrics.moved_to_refused.labels("unreadable").inc()
            unreadable.append(name)
        else:
            read.append(name)
            spilled += [_Spilled(record, name, index) for index, record in enumerate(records)]
    return _SegmentRead(spilled, read, tuple(unreadable))


def _lanes(spilled: Iterable[_Spilled]) -> list[list[_Spilled]]:
    """Return the records of each key in order; a record without a key is alone."""
    by_key: defaultdict[object, list[_Spilled]] = defaultdict(list)
    for each in spilled:
        key = each if each.record.key is None else each.record.key
        by_key[each.record.topic, key].append(each)
    return list(by_key.values())
