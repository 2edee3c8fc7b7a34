"""Finds how far the objects of a topic reach, by listing them.

One request lists a thousand objects of any age, so a bucket of millions takes minutes. The search
runs only where there is no commit, or where the commit is behind the objects. A call lists a
bounded number of pages and then raises TransientError; the next call continues there.
"""

from collections.abc import Collection
from typing import Final

import structlog

from runtime.errors import TransientError
from runtime.object_store.errors import ObjectGoneError
from runtime.object_store.store import ObjectStore, StoredObject
from runtime.values import Span, TopicPartition
from sinks.object_storage.layout.objects import (
    Frontier,
    Log,
    StoredSpan,
    day_of,
    parse_name,
    stored_span,
    topic_path,
)
from sinks.object_storage.layout.parquet import read_footer
from sinks.object_storage.metrics import metrics
from sinks.object_storage.resuming.concurrency import for_each

_pages_per_call: Final = 1000
"""A million objects: half a minute where a request takes a quarter of a second."""
_days_at_once: Final = 32
_tail_bytes: Final = 64 * 1024
"""Longer than a footer of this sink."""

log = structlog.get_logger()


class TopicSearch:
    """The search in one topic for the objects of one log. Objects of other logs are skipped."""

    def __init__(
        self,
        store: ObjectStore,
        topic: str,
        searched: Log,
        *,
        pages_per_call: int = _pages_per_call,
    ) -> None:
        self._store = store
        self._topic = topic
        self._log = searched
        self._pages_per_call = pages_per_call
        self._days: list[str] | None = None
        self._last: dict[int, tuple[int, list[StoredObject]]] = {}
        self._other_logs: set[str] = set()
        self._pages = 0

    @property
    def replaced(self) -> Collection[str]:
        """Names of earlier logs, while nothing of this one is stored."""
        return () if self._last else self._other_logs

    async def frontiers(
        self, sources: Collection[TopicPartition]
    ) -> dict[TopicPartition, Frontier]:
        """Return how far each of these partitions reaches; those without objects are left out.

        Raises:
            TransientError: the search is not complete, or the store does not answer: call again.
            ConfigurationError: an object with a name of this sink belongs to another log.
        """
        await self._list()
        present = [source for source in sources if source.partition in self._last]
        try:
            frontiers = await for_each(present, self._frontier)
        except ObjectGoneError:
            self._days, self._last = None, {}
            raise
        return dict(zip(present, frontiers, strict=True))

    async def _list(self) -> None:
        if self._days is None:
            self._days = list(await self._store.folders(topic_path(self._topic)))
        first_page = self._pages
        while self._days:
            await for_each(self._days[:_days_at_once], self._list_day)
            del self._days[:_days_at_once]
            if self._days and self._pages - first_page >= self._pages_per_call:
                raise TransientError(
                    f"listing the objects of {self._topic} takes several turns: "
                    f"{self._pages} pages so far, {len(self._days)} days are left"
                )
        log.info("objects listed", topic=self._topic, pages=self._pages)

    async def _list_day(self, folder: str) -> None:
        async for page in self._store.pages(folder):
            self._pages += 1
            metrics.listed_pages.inc()
            for listed in page:
                self._note(listed)

    def _note(self, listed: StoredObject) -> None:
        name = parse_name(listed.path)
        if name is None:
            return
        if name.log != self._log.name:
            self._other_logs.add(name.log)
            return
        start, objects = self._last.get(name.partition, (-1, []))
        if name.start > start:
            self._last[name.partition] = name.start, [listed]
        elif name.start == start and listed not in objects:  # a day may be listed twice
            objects.append(listed)

    async def _frontier(self, source: TopicPartition) -> Frontier:
        start, objects = self._last[source.partition]
        days: dict[str, Span] = {}
        for listed in objects:
            read = await read_span(self._store, listed, self._log)
            days |= {**read.other_days, day_of(listed.path): read.span}
        return Frontier(start, days)


async def read_span(store: ObjectStore, listed: StoredObject, expected: Log) -> StoredSpan:
    """Return the content of the footer of an object of this log.

    Raises:
        ConfigurationError: it is not such an object.
    """
    start = max(0, listed.size_bytes - _tail_bytes)
    tail = await store.get_range(listed.path, start=start, end=listed.size_bytes)
    return stored_span(listed.path, await read_footer(listed.path, tail), expected)
