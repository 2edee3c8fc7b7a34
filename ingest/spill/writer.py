"""Group commit: all that waits to be kept is written as one segment, then the next is begun.

So the number of segments follows the speed of the store, not that of the events, and thousands of
events a second need few fsyncs. One segment at a time, so that their order is that of arrival.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog

from ingest.spill.backlog import Backlog
from ingest.spill.metrics import metrics
from ingest.spill.segment import Segment, segment_of
from ingest.spill.store import SegmentStore
from runtime.clock import Clock
from runtime.contracts import Settled
from runtime.errors import ConfigurationError, TransientError
from runtime.retries.policy import safe_error_text
from runtime.values import Record

_segment_bytes: Final = 4 * 1024 * 1024
"""More than that waits for the next: a store of 20 MB/s has it within the deadline."""

_log = structlog.get_logger()


class WriteFailure(StrEnum):
    """Why an event was not kept; a label of metrics."""

    FULL = "full"
    LATE = "late"
    STORE = "store"


@dataclass(slots=True, eq=False)
class _Kept:
    """A record that was handed over, and who is to be told of it: nobody any more after that."""

    record: Record
    size_bytes: int
    settled: Settled | None
    overdue: asyncio.TimerHandle = field(init=False)


class SegmentWriter:
    """Writes what it is given to keep, for as long as `run` runs."""

    def __init__(
        self,
        store: SegmentStore,
        backlog: Backlog,
        *,
        instance: str,
        clock: Clock,
        deadline_s: float,
        most_bytes: int,
    ) -> None:
        self._store = store
        self._backlog = backlog
        self._instance = instance
        self._clock = clock
        self._deadline_s = deadline_s
        self._most_bytes = most_bytes
        self._waiting: deque[_Kept] = deque()
        self._something_waits = asyncio.Event()
        self._held_bytes = 0
        self._last_ms = 0
        self.works = False
        """Whether the store keeps what it is given, and in time."""

    @property
    def full(self) -> bool:
        """Whether as much waits as may."""
        return self._backlog.size_bytes + self._held_bytes >= self._most_bytes

    def keep(self, record: Record, settled: Settled) -> None:
        """Take a record over; see `ingest.spill.spill.Spill.keep`."""
        loop = asyncio.get_running_loop()
        if self.full:
            metrics.failed.labels(WriteFailure.FULL).inc()
            loop.call_soon(settled, TransientError(f"not spilled: {WriteFailure.FULL}"))
            return
        kept = _Kept(record, _size_bytes(record), settled)
        kept.overdue = loop.call_later(self._deadline_s, self._late, kept)
        self._held_bytes += kept.size_bytes
        self._waiting.append(kept)
        self._something_waits.set()

    async def run(self) -> None:
        """Write for ever; what is not written when this is cancelled has failed."""
        try:
            while True:
                await self._something_waits.wait()
                self._something_waits.clear()
                while batch := self._next():
                    await self._write(batch)
        finally:
            for kept in self._waiting:
                self._give_up(kept, WriteFailure.STORE)

    async def probe(self) -> None:
        """Write a segment of no records and delete it again.

        Raises:
            TransientError, ConfigurationError: as the store says.
        """
        segment = await self._segment([])
        await self._put(segment)
        await self._store.delete(str(segment.name))

    def _next(self) -> list[_Kept]:
        """Take what one segment holds; somebody waits for each of it, see `_late`."""
        batch: list[_Kept] = []
        left_bytes = _segment_bytes
        while self._waiting and left_bytes > 0:
            batch.append(self._waiting.popleft())
            left_bytes -= batch[-1].size_bytes
        return batch

    async def _write(self, batch: list[_Kept]) -> None:
        is_durable = False
        try:
            segment = await self._segment([kept.record for kept in batch])
            await self._put(segment)
            is_durable = True
            self._backlog.append(segment.name, len(segment.content))
            metrics.kept.inc(len(batch))
        except (TransientError, ConfigurationError) as error:
            _log.warning("not spilled", events=len(batch), error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever we broke, Zoom sends these again
            _log.error("spilling failed", events=len(batch), error=safe_error_text(error))
        finally:
            for kept in batch:
                if is_durable:
                    self._tell(kept, None)
                else:
                    self._give_up(kept, WriteFailure.STORE)

    async def _segment(self, records: list[Record]) -> Segment:
        now_ms = int(self._clock.now().timestamp() * 1000)
        self._last_ms = max(now_ms, self._last_ms + 1)
        return await asyncio.to_thread(
            segment_of, records, at_ms=self._last_ms, instance=self._instance
        )

    async def _put(self, segment: Segment) -> None:
        await self._store.put(str(segment.name), segment.content)
        self.works = True

    def _late(self, kept: _Kept) -> None:
        self._give_up(kept, WriteFailure.LATE)
        while self._waiting and self._waiting[0].settled is None:
            self._waiting.popleft()  # so that a store that hangs does not fill the memory

    def _give_up(self, kept: _Kept, reason: WriteFailure) -> None:
        if kept.settled is not None:
            self.works = False
            metrics.failed.labels(reason).inc()
            self._tell(kept, TransientError(f"not spilled: {reason}"))

    def _tell(self, kept: _Kept, error: TransientError | None) -> None:
        settled, kept.settled = kept.settled, None
        if settled is not None:
            kept.overdue.cancel()
            self._held_bytes -= kept.size_bytes
            settled(error)


def _size_bytes(record: Record) -> int:
    return len(record.value or b"") + sum(len(value) for _, value in record.headers)
