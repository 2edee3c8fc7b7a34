"""Produces spilled segments for as long as the process runs.

Each process stores segments under its own name and drains those, in order of arrival. Segments of
other names are theirs to drain, with one exception: a segment that is a quarter of an hour old
while the broker acknowledges was left by a process that is gone, and any process that finds it
produces it. Two may do so at once, or one may crash between producing and deleting. That makes a
duplicate, which every consumer removes by its event id.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from ingest.spill.backlog import Backlog
from ingest.spill.drain import Drain
from ingest.spill.metrics import metrics
from ingest.spill.segment import SegmentName, parse_name
from ingest.spill.store import SegmentStores
from ingest.spill.writer import SegmentWriter
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import ConfigurationError, TransientError
from runtime.retries.policy import safe_error_text

_round_s: Final = 1.0
_round_after_failure_s: Final = 5.0
_list_interval_s: Final = 60.0
_abandoned_after_ms: Final = 15 * 60 * 1000
"""A process that lives has drained by then, or waits for the broker like every other."""

_log = structlog.get_logger()


class DrainLoop:
    """Drains the segments of ``instance``, which ``writer`` adds to ``own``, and abandoned ones."""

    def __init__(
        self,
        stores: SegmentStores,
        writer: SegmentWriter,
        own: Backlog,
        *,
        instance: str,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._writer = writer
        self._instance = instance
        self._publisher = publisher
        self._clock = clock
        self._own = own
        self._own_drain = Drain(stores, publisher)
        self._abandoned = Backlog()
        self._abandoned_drain = Drain(stores, publisher)
        self._unreadable: set[str] = set()
        """Segments that were reported and stay where they are."""
        self._next_list_s = clock.monotonic_s()

    async def run(self) -> None:
        """Drain until cancelled. Each step is tried in each round, even after failures."""
        steps = (self._produce_own, self._list_segments, self._produce_abandoned, self._probe)
        while True:
            succeeded = [await self._attempt(step) for step in steps]
            self._update_gauges()
            await self._clock.sleep(_round_s if all(succeeded) else _round_after_failure_s)

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> bool:
        try:
            await step()
        except (TransientError, ConfigurationError) as error:
            _log.warning("spill is delayed", waiting=self._own.events, error=str(error))
        except Exception as error:  # noqa: BLE001 - ingest continues, and this is tried again
            _log.error("spill has failed", waiting=self._own.events, error=safe_error_text(error))
        else:
            return True
        return False

    async def _produce_own(self) -> None:
        await self._produce(self._own, self._own_drain)

    async def _produce_abandoned(self) -> None:
        await self._produce(self._abandoned, self._abandoned_drain)

    async def _probe(self) -> None:
        if not self._writer.is_healthy:
            await self._writer.probe()

    async def _list_segments(self) -> None:
        """Find own segments of an earlier run, and abandoned ones; once a minute."""
        if self._clock.monotonic_s() < self._next_list_s:
            return
        own: dict[SegmentName, int] = {}
        abandoned: dict[SegmentName, int] = {}
        abandoned_until_ms = self._clock.now().timestamp() * 1000 - _abandoned_after_ms
        for text, size_bytes in (await self._stores.waiting.sizes()).items():
            name = parse_name(text)
            if name is None:
                self._report_unknown(text)
            elif text in self._unreadable:
                pass
            elif name.instance == self._instance:
                own[name] = size_bytes
            elif name.at_ms <= abandoned_until_ms:
                abandoned[name] = size_bytes
        self._own.merge(own)
        self._abandoned = Backlog()
        self._abandoned.merge(abandoned)
        self._next_list_s = self._clock.monotonic_s() + _list_interval_s

    async def _produce(self, backlog: Backlog, drain: Drain) -> None:
        """Drain, oldest first, while the broker acknowledges."""
        while backlog and self._publisher.ready:
            drained = await drain.oldest(backlog)
            self._unreadable.update(map(str, drained.unreadable))
            _log.info("spilled events produced", events=drained.events, left=backlog.events)
            self._update_gauges()

    def _report_unknown(self, name: str) -> None:
        if name not in self._unreadable:
            self._unreadable.add(name)
            metrics.moved_to_refused.labels("unreadable").inc()
            error = "its name is not that of a segment"
            _log.error("segment unreadable", segment=name, error=error)

    def _update_gauges(self) -> None:
        metrics.waiting_events.set(self._own.events)
        metrics.waiting_bytes.set(self._own.size_bytes)
        metrics.waiting_segments.set(len(self._own))
        oldest_ms = [
            ms for ms in (self._own.oldest_ms, self._abandoned.oldest_ms) if ms is not None
        ]
        now_ms = self._clock.now().timestamp() * 1000
        metrics.oldest.set((now_ms - min(oldest_ms)) / 1000 if oldest_ms else 0)
