"""The spill of a process: keeps what the broker does not take, and produces it as soon as it does.

Each process keeps segments under its own name and drains those, in order of arrival, and nobody
else's: but what has been there for a quarter of an hour while the broker acknowledges was left by a
process that is gone, and whoever finds it produces it. Two may do so at once, or one may crash
between producing and deleting: that is a duplicate, which every consumer removes by its event id.
"""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

import structlog

from ingest.spill.backlog import Backlog
from ingest.spill.drain import Drain
from ingest.spill.metrics import metrics
from ingest.spill.segment import SegmentName, parse_name
from ingest.spill.settings import SpillSettings
from ingest.spill.store import SegmentStores
from ingest.spill.writer import SegmentWriter, WriteFailure
from runtime.clock import Clock
from runtime.contracts import Publisher, Settled
from runtime.errors import ConfigurationError, TransientError
from runtime.retries.policy import safe_error_text
from runtime.values import Record

_round_s: Final = 1.0
_round_after_failure_s: Final = 5.0
_poll_interval_s: Final = 60.0
"""Between two listings of what others left."""
_left_after_ms: Final = 15 * 60 * 1000
"""A process that lives has drained by then, or waits for the broker like everybody else."""
_start_timeout_s: Final = 5.0

_log = structlog.get_logger()


class Spill:
    """Implements `ingest.webhook.pending.Spill`. An async context manager.

    ``instance`` is the name of this process; no other that lives may have it.
    """

    def __init__(
        self,
        settings: SpillSettings,
        places: SegmentStores,
        *,
        instance: str,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self._places = places
        self._instance = instance
        self._publisher = publisher
        self._clock = clock
        self._own = Backlog()
        self._draining_own = Drain(places, publisher)
        self._left = Backlog()
        self._draining_left = Drain(places, publisher)
        self._told: set[str] = set()
        self._next_look_s = clock.monotonic_s()
        self._gathering = SegmentWriter(
            places.waiting,
            self._own,
            instance=instance,
            clock=clock,
            deadline_s=settings.deadline_s,
            most_bytes=settings.most_bytes,
        )
        self._setting_aside = SegmentWriter(
            places.refused,
            Backlog(),  # of what this process has set aside, and of nothing that waits
            instance=instance,
            clock=clock,
            deadline_s=settings.deadline_s,
            most_bytes=settings.most_bytes,
        )

    async def __aenter__(self) -> Self:
        """Begin, even where the store does not answer now: see `ready`.

        Raises:
            ConfigurationError: the store refuses.
        """
        for reason in WriteFailure:  # a counter that first shows up at 1 has not increased
            metrics.failed.labels(reason)
        for kind in ("refused", "unreadable"):
            metrics.set_aside.labels(kind)
        try:
            async with asyncio.timeout(_start_timeout_s):
                await self._gathering.probe()
        except (TransientError, TimeoutError) as error:
            _log.warning("spill out of reach", error=str(error))
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._running = [
            self._tasks.create_task(self._gathering.run()),
            self._tasks.create_task(self._setting_aside.run()),
            self._tasks.create_task(self._rounds()),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; what waits to be produced is found again by the next process of this name."""
        for task in self._running:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    @property
    def ready(self) -> bool:
        """Whether a record kept now is likely to be durable in time."""
        return self._gathering.works and not self._gathering.full

    def keep(self, record: Record, settled: Settled) -> None:
        """Keep a record without waiting; ``settled`` is told of the end, later and once.

        None: it is durable, and will be produced as it is. TransientError: it is too late, or too
        much waits, or the store fails; it may be produced all the same. ``settled`` must not raise.
        """
        self._gathering.keep(record, settled)

    def set_aside(self, record: Record, settled: Settled) -> None:
        """Keep a record that its topic does not take, for `zcc spill drain`; else as `keep`."""

        def counted(error: Exception | None) -> None:
            if error is None:
                metrics.set_aside.labels("refused").inc()
            settled(error)

        self._setting_aside.keep(record, counted)

    async def _rounds(self) -> None:
        """Drain for ever. No step waits for another's fault to be mended."""
        steps = (self._produce_own, self._look, self._produce_left, self._prove)
        while True:
            succeeded = [await self._attempt(step) for step in steps]
            self._show()
            await self._clock.sleep(_round_s if all(succeeded) else _round_after_failure_s)

    async def _attempt(self, step: Callable[[], Awaitable[None]]) -> bool:
        try:
            await step()
        except (TransientError, ConfigurationError) as error:
            _log.warning("spill is held up", waiting=self._own.events, error=str(error))
        except Exception as error:  # noqa: BLE001 - ingest goes on, and this is tried again
            _log.error("spill has failed", waiting=self._own.events, error=safe_error_text(error))
        else:
            return True
        return False

    async def _produce_own(self) -> None:
        await self._produce(self._own, self._draining_own)

    async def _produce_left(self) -> None:
        await self._produce(self._left, self._draining_left)

    async def _prove(self) -> None:
        if not self._gathering.works:
            await self._gathering.probe()

    async def _look(self) -> None:
        """Learn at times what is there: own segments of an earlier life, and what others left."""
        if self._clock.monotonic_s() < self._next_look_s:
            return
        own: dict[SegmentName, int] = {}
        left: dict[SegmentName, int] = {}
        left_until_ms = self._clock.now().timestamp() * 1000 - _left_after_ms
        for text, size_bytes in (await self._places.waiting.sizes()).items():
            name = parse_name(text)
            if name is None:
                self._tell_of_foreign(text)
            elif text in self._told:
                pass  # unreadable
            elif name.instance == self._instance:
                own[name] = size_bytes
            elif name.at_ms <= left_until_ms:
                left[name] = size_bytes
        self._own.merge(own)
        self._left = Backlog()
        self._left.merge(left)
        self._next_look_s = self._clock.monotonic_s() + _poll_interval_s

    async def _produce(self, backlog: Backlog, drain: Drain) -> None:
        """Drain, oldest first, for as long as the broker acknowledges."""
        while backlog and self._publisher.ready:
            drained = await drain.oldest(backlog)
            self._told.update(map(str, drained.unreadable))
            _log.info("spilled events produced", events=drained.events, left=backlog.events)
            self._show()

    def _tell_of_foreign(self, name: str) -> None:
        if name not in self._told:
            self._told.add(name)
            metrics.set_aside.labels("unreadable").inc()
            _log.error("segment unreadable", segment=name, error="its name is none of a segment")

    def _show(self) -> None:
        metrics.waiting_events.set(self._own.events)
        metrics.waiting_bytes.set(self._own.size_bytes)
        metrics.waiting_segments.set(len(self._own))
        begun_ms = [ms for ms in (self._own.oldest_ms, self._left.oldest_ms) if ms is not None]
        now_ms = self._clock.now().timestamp() * 1000
        metrics.oldest.set((now_ms - min(begun_ms)) / 1000 if begun_ms else 0)
