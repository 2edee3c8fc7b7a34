"""The work of a poller's active member, from its takeover to its end.

It first commits to the group, which proves that it is still a member. Then it enters the
transactional publisher, which fences every earlier active member. Only then it reads the
watermarks: no other member can change them any more. Its first record claims the next generation.

Pages of different feeds are fetched concurrently and published one after the other, each in one
transaction with the watermark that follows it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from runtime import metrics
from runtime.contracts import Poller
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.pollers.schedule import Schedule
from runtime.pollers.watermarks import Mark, Watermarks
from runtime.ports import Consumer, Position, TransactionalPublisher
from runtime.retries.loop import attempt
from runtime.retries.policy import FaultKind, fault_of
from runtime.values import Assignment, Delivery, Feed, Fetched
from runtime.worker.liveness import Liveness
from runtime.worker.membership import MembershipContext, task_group

_longest_wait_s: Final = 30.0
"""Longest time between two checks for due feeds: the machine's clock may be set."""
_first_hold_s: Final = 5.0
_longest_hold_s: Final = 300.0
"""Shortest and longest wait of a feed that needs a person."""
_figures_interval_s: Final = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WatermarkStore:
    """The compacted topic of a poller's watermarks, of one partition, and how it is used.

    ``read`` returns all records that are committed when it is called. ``enter`` is an entering of
    the poller's one transactional id.
    """

    topic: str
    read: Callable[[], Awaitable[Sequence[Delivery]]]
    enter: Callable[[], AbstractAsyncContextManager[TransactionalPublisher]]


_Pages = asyncio.Queue[tuple[Feed, Fetched]]


class _RefusedError(Exception):
    """A topic refuses a page: its transaction is aborted, the other feeds continue in a new one."""


class Tenure:
    """One period as the active member. `run` it once; it returns soon after `end`."""

    def __init__(
        self,
        poller: Poller,
        store: WatermarkStore,
        context: MembershipContext,
        liveness: Liveness,
        schedule: Schedule,
        assignment: Assignment,
    ) -> None:
        self._poller = poller
        self._store = store
        self._context = context
        self._liveness = liveness
        self._schedule = schedule
        self._feeds = {feed.name: feed for feed in poller.feeds}
        self._positions = {
            source: Position(state.log_end) for source, state in assignment.partitions.items()
        }
        self._succeeded_at: dict[str, datetime] = {}
        self._something_to_do = asyncio.Event()
        self._is_ending = False

    def end(self) -> None:
        """Stop fetching; pages in flight are published, within the time limit."""
        self._is_ending = True
        self._something_to_do.set()

    async def run(self, consumer: Consumer) -> None:
        """Fetch and publish until `end`.

        Raises:
            FencedError: another member is active.
            TransientError: Kafka does not answer.
            ConfigurationError: nothing can be fetched until a person acts.
        """
        try:
            while not self._is_ending:
                # A member that slept through its own succession would fence its successor here.
                await consumer.commit(self._positions)
                async with self._store.enter() as publisher:
                    watermarks = await self._take_over(publisher)
                    with suppress(_RefusedError):
                        await self._fetch_pages(publisher, watermarks)
                self._schedule.release(self._context.clock.monotonic_s())
        finally:
            self._schedule.release(self._context.clock.monotonic_s())

    async def _take_over(self, publisher: TransactionalPublisher) -> Watermarks:
        context, now = self._context, self._context.clock.now()
        watermarks = Watermarks()
        for delivery in await self._store.read():
            watermarks.take(delivery)
        metrics.poller.fenced.labels(context.name).inc(watermarks.fenced_count)
        await publisher.publish([watermarks.claim(self._store.topic, now)])
        for name in self._feeds:
            mark = watermarks[name]
            self._succeeded_at.setdefault(name, now if mark is None else mark.at)
        self._liveness.waits_for = None
        log.info("active", worker=context.name, generation=watermarks.generation)
        return watermarks

    async def _fetch_pages(self, publisher: TransactionalPublisher, watermarks: Watermarks) -> None:
        context, schedule = self._context, self._schedule
        metrics.poller.active.labels(context.name).set(1)
        pages: _Pages = asyncio.Queue()  # as long as the schedule lets it be
        async with task_group() as tasks:
            running = {
                tasks.create_task(self._keep_figures()),
                tasks.create_task(self._publish_pages(pages, publisher, watermarks)),
            }
            while not self._is_ending:
                self._something_to_do.clear()
                now_s = context.clock.monotonic_s()
                schedule.look(now_s, self._due_s(now_s, watermarks))
                while (name := schedule.start()) is not None:
                    page = self._page(self._feeds[name], _watermark(watermarks, name), pages)
                    running.add(fetching := tasks.create_task(page))
                    fetching.add_done_callback(running.discard)
                await self._wait(min(schedule.wait_s(now_s), _longest_wait_s))
            await self._drain()
            for task in running:
                task.cancel()

    async def _drain(self) -> None:
        """Wait until the pages in flight are published, within the time limit."""
        context, schedule = self._context, self._schedule
        until_s = context.clock.monotonic_s() + context.settings.drain_timeout_s
        log.info("draining", worker=context.name, pages=len(schedule.busy))
        while schedule.busy and (left_s := until_s - context.clock.monotonic_s()) > 0:
            self._something_to_do.clear()
            await self._wait(left_s)

    async def _wait(self, longest_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._something_to_do.wait()

    def _due_s(self, now_s: float, watermarks: Watermarks) -> dict[str, float]:
        now, due_s = self._context.clock.now(), {}
        for name in self._schedule.idle:
            due = self._poller.due(self._feeds[name], _watermark(watermarks, name), now)
            if due is not None:
                due_s[name] = now_s + (due - now).total_seconds()
        return due_s

    async def _page(self, feed: Feed, watermark: str | None, pages: _Pages) -> None:
        """Fetch one page, for `_publish_pages` to continue with."""
        try:
            fetched = await attempt(partial(self._fetch, feed, watermark))
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - any fault must be decided about, by class
            self._failed("fetch", feed, error)
            return
        self._context.worked("fetch")
        if fetched.watermark == watermark:
            self._done(feed, moved=False)
        else:
            self._schedule.fetched(feed.name, len(fetched.records))
            pages.put_nowait((feed, fetched))

    async def _fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        call = self._liveness.entered()
        try:
            fetched = await self._poller.fetch(feed, watermark)
        finally:
            self._liveness.left(call)
        if len(fetched.records) > self._poller.page_records:
            raise RuntimeError("a page has more records than the poller says a page may have")
        if fetched.records and fetched.watermark == watermark:
            raise RuntimeError("a page with records does not move the watermark")
        return fetched

    async def _publish_pages(
        self, pages: _Pages, publisher: TransactionalPublisher, watermarks: Watermarks
    ) -> None:
        """Publish the pages in turn, until cancelled."""
        context = self._context
        while True:
            feed, fetched = await pages.get()
            mark = Mark(fetched.watermark, context.clock.now())
            following = watermarks.record(self._store.topic, feed.name, mark)
            try:
                await publisher.publish([*fetched.records, following])
            except RejectedError as error:
                self._failed("publish", feed, error)
                raise _RefusedError from error
            context.worked("publish")
            watermarks.commit(feed.name, mark)
            metrics.poller.records.labels(context.name, feed.name).inc(len(fetched.records))
            self._done(feed, moved=True)

    def _done(self, feed: Feed, *, moved: bool) -> None:
        self._succeeded_at[feed.name] = self._context.clock.now()
        self._schedule.done(feed.name, self._context.clock.monotonic_s(), moved=moved)
        self._something_to_do.set()

    def _failed(self, stage: str, feed: Feed, error: Exception) -> None:
        """Count a failure by its fault, and let the feed wait."""
        context, fault = self._context, fault_of(error)
        context.failed(stage, fault, error)
        metrics.poller.failures.labels(context.name, feed.name, fault.value).inc()
        policy, minimum_s = context.policy, None
        if isinstance(error, TransientError):
            minimum_s = error.retry_after_s
        if fault is not FaultKind.TRANSIENT:
            policy = replace(policy, first_s=_first_hold_s, limit_s=_longest_hold_s)
        failures = self._schedule.failures.get(feed.name, 0) + 1
        delay_s = policy.delay_s(failures, minimum_delay_s=minimum_s)
        self._schedule.failed(feed.name, context.clock.monotonic_s() + delay_s)
        self._something_to_do.set()

    async def _keep_figures(self) -> None:
        """Keep the gauges up to date until cancelled; those of a standby are 0."""
        name, clock, gauges = self._context.name, self._context.clock, metrics.poller
        try:
            while True:
                now = clock.now()
                for feed, at in self._succeeded_at.items():
                    age_s = max(0.0, (now - at).total_seconds())
                    gauges.success_age.labels(name, feed).set(age_s)
                self._show_due(self._schedule.queued)
                metrics.worker.in_flight.labels(name).set(self._schedule.records)
                await clock.sleep(_figures_interval_s)
        finally:
            for feed in self._feeds:
                gauges.success_age.labels(name, feed).set(0)
            self._show_due(())
            gauges.active.labels(name).set(0)
            metrics.worker.in_flight.labels(name).set(0)

    def _show_due(self, queued: Collection[str]) -> None:
        counts = Counter(self._feeds[name].budget for name in queued)
        for budget in {feed.budget for feed in self._feeds.values()}:
            metrics.poller.due.labels(self._context.name, budget).set(counts[budget])


def _watermark(watermarks: Watermarks, feed: str) -> str | None:
    mark = watermarks[feed]
    return None if mark is None else mark.watermark
