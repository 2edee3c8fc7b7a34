"""Group commit: all records that wait are written as one segment, then the next is begun.

So the number of segments follows the speed of the store, not the rate of events, and thousands of
events a second need few fsyncs. One segment is written at a time, to preserve the order of arrival.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
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
"""The rest waits for the next: a store of 20 MB/s writes this much within the deadline."""

_log = structlog.get_logger()


class WriteFailure(StrEnum):
    """Why an event was not stored; a label of metrics."""

    FULL = "full"
    LATE = "late"
    STORE = "store"


@dataclass(slots=True, eq=False)
class _Pending:
    """A record to be stored, and its callback: None once it was called."""

    record: Record
    size_bytes: int
    settled: Settled | None
    timeout: asyncio.TimerHandle | None = None


class SegmentWriter:
    """Writes records into segments while `run` runs."""

    def __init__(
        self,
        store: SegmentStore,
        backlog: Backlog,
        *,
        instance: str,
        clock: Clock,
        deadline_s: float,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._backlog = backlog
        self._instance = instance
        self._clock = clock
        self._deadline_s = deadline_s
        self._max_bytes = max_bytes
        self._waiting: deque[_Pending] = deque()
        self._something_waits = asyncio.Event()
        self._held_bytes = 0
        self._last_ms = 0
        self.is_healthy = False
        """Whether the store has stored the last segment, and in time."""

    @property
    def is_full(self) -> bool:
        """Whether as many bytes wait as may."""
        return self._backlog.size_bytes + self._held_bytes >= self._max_bytes

    def store(self, record: Record, settled: Settled) -> None:
        """Add a record to the next segment; see `ingest.spill.spill.Spill.store`."""
        loop = asyncio.get_running_loop()
        if self.is_full:
            metrics.failed.labels(WriteFailure.FULL).inc()
            loop.call_soon(settled, TransientError(f"not spilled: {WriteFailure.FULL}"))
            return
        pending = _Pending(record, _size_bytes(record), settled)
        pending.timeout = loop.call_later(self._deadline_s, self._late, pending)
        self._held_bytes += pending.size_bytes
        self._waiting.append(pending)
        self._something_waits.set()

    async def run(self) -> None:
        """Write until cancelled; records that are not written then have failed."""
        try:
            while True:
                await self._something_waits.wait()
                self._something_waits.clear()
                while batch := self._next():
                    await self._write(batch)
        finally:
            for pending in self._waiting:
                self._give_up(pending, WriteFailure.STORE)

    async def probe(self) -> None:
        """Write a segment of no records and delete it again.

        Raises:
            TransientError, ConfigurationError: as the store says.
        """
        segment = await self._segment([])
        await self._put(segment)
        await self._store.delete(str(segment.name))

    def _next(self) -> list[_Pending]:
        """Remove and return the records of the next segment."""
        batch: list[_Pending] = []
        left_bytes = _segment_bytes
        while self._waiting and left_bytes > 0:
            batch.append(self._waiting.popleft())
            left_bytes -= batch[-1].size_bytes
        return batch

    async def _write(self, batch: list[_Pending]) -> None:
        is_durable = False
        try:
            segment = await self._segment([pending.record for pending in batch])
            await self._put(segment)
            is_durable = True
            self._backlog.append(segment.name, len(segment.content))
            metrics.stored.inc(len(batch))
        except (TransientError, ConfigurationError) as error:
            _log.warning("not spilled", events=len(batch), error=str(error))
        except Exception as error:  # noqa: BLE001 - whatever failed, Zoom sends these again
            _log.error("spilling failed", events=len(batch), error=safe_error_text(error))
        finally:
            for pending in batch:
                if is_durable:
                    self._settle(pending, None)
                else:
                    self._give_up(pending, WriteFailure.STORE)

    async def _segment(self, records: list[Record]) -> Segment:
        now_ms = int(self._clock.now().timestamp() * 1000)
        self._last_ms = max(now_ms, self._last_ms + 1)
        return await asyncio.to_thread(
            segment_of, records, at_ms=self._last_ms, instance=self._instance
        )

    async def _put(self, segment: Segment) -> None:
        await self._store.put(str(segment.name), segment.content)
        self.is_healthy = True

    def _late(self, pending: _Pending) -> None:
        self._give_up(pending, WriteFailure.LATE)
        while self._waiting and self._waiting[0].settled is None:
            self._waiting.popleft()  # or a store that hangs would fill the memory

    def _give_up(self, pending: _Pending, reason: WriteFailure) -> None:
        if pending.settled is not None:
            self.is_healthy = False
            metrics.failed.labels(reason).inc()
            self._settle(pending, TransientError(f"not spilled: {reason}"))

    def _settle(self, pending: _Pending, error: TransientError | None) -> None:
        settled, pending.settled = pending.settled, None
        if settled is not None:
            if pending.timeout is not None:
                pending.timeout.cancel()
            self._held_bytes -= pending.size_bytes
            settled(error)


def _size_bytes(record: Record) -> int:
    return len(record.value or b"") + sum(len(value) for _, value in record.headers)
