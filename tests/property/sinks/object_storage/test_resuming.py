"""Whatever crashes, and whatever becomes of the commits: each record once in the objects.

The history is that of a group with one partition. A crash leaves any of a batch's first objects,
in the order in which they are created; then the commit is as the group had it, or gone, or one of
long ago.
"""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import TransientError
from runtime.values import Assignment, Batch, PartitionState, Span
from sinks.object_storage.layout.objects import day_of, parse_name
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from tests.support.enriched_records import (
    SOURCE,
    START_MS,
    delivery,
    webhook,
    with_fields,
    with_header,
)
from tests.support.fakes.sinks import store
from tests.support.objects import opened, parquet_paths

DAY_MS = 86_400_000

Fate = Literal["kept", "gone", "older"]

batches = st.lists(st.integers(1, 6), min_size=1, max_size=4)
lives = st.lists(
    st.tuples(
        batches, st.integers(0, 3), st.sampled_from(["kept", "gone", "older"]), st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
)


class History:
    """The log, what the group committed, and the objects."""

    def __init__(self, folder: Path, days: list[int]) -> None:
        self.settings = ObjectStorageSettings(url=f"file://{folder}/events")
        self.days = days
        self.committed: int | None = None
        self.plan: Span | None = None
        self.boundaries: list[int] = [0]
        self.unfinished = 0
        """The end of a batch of which a crash left a part, and whose plan was lost."""

    def batch(self, span: Span) -> Batch:
        records = []
        for offset in range(span.start, span.end):
            at_ms = START_MS + DAY_MS * self.days[offset]
            record = delivery(webhook("task_created", {"task_id": str(offset)}, at_ms=at_ms))
            record = with_header(record, "zcc-event-id", f"{offset:064x}".encode())
            records.append(with_fields(record, offset=offset))
        return Batch(tuple(records), {SOURCE: span})

    async def live(self, sizes: list[int], left_out: int, fate: Fate, which: int) -> None:
        """Read some batches, crash in the middle of the last one, then lose the commit or not."""
        async with ObjectStorageSink(self.settings) as sink:
            position = await self.take_over(sink)
            # Three faults at once are not promised: no restart inside of what is unfinished.
            for size in (max(0, self.unfinished - position), *sizes):
                span = Span(position, min(position + size, len(self.days)))
                before = await self.paths()
                await self.store(sink, span)
                position = span.end
            await self.forget(await self.paths() - before, left_out)
            if left_out:
                self.committed, self.plan = span.start, span if span.start < span.end else None
        self.unfinished = span.end if left_out and fate == "older" else 0
        if fate != "kept":
            self.plan = None
            earlier = [each for each in self.boundaries if each <= (self.committed or 0)]
            self.committed = None if fate == "gone" else earlier[which % len(earlier)]

    async def take_over(self, sink: ObjectStorageSink) -> int:
        """As the runtime does: a committed plan first, else what the sink says."""
        states = {SOURCE: PartitionState(self.committed, 0, len(self.days))}
        ids = {SOURCE.topic: "T" * 22}
        resume = (await sink.assigned(Assignment("cluster", "group", states, ids)))[SOURCE]
        span = self.plan
        if span is None and resume.planned_end is not None:
            span = Span(resume.offset, resume.planned_end)
        if span is None:
            return resume.offset
        await self.store(sink, span)
        return span.end

    async def store(self, sink: ObjectStorageSink, span: Span) -> None:
        if span.start == span.end:
            return
        self.committed, self.plan = span.start, span
        batch = self.batch(span)
        for _ in range(3):
            try:
                assert await store(sink, batch) == ()
            except TransientError:
                continue
            break
        self.committed, self.plan = span.end, None
        self.boundaries.append(span.end)

    async def paths(self) -> set[str]:
        return set(await parquet_paths(self.settings))

    async def forget(self, created: set[str], count: int) -> None:
        order = sorted(created, key=lambda path: ((parse_name(path) or (0, 0))[1], day_of(path)))
        for path in order[len(order) - min(count, len(order)) :]:
            await opened(self.settings).delete(path)

    async def finish(self) -> Counter[str]:
        async with ObjectStorageSink(self.settings) as sink:
            position = await self.take_over(sink)
            await self.store(sink, Span(position, len(self.days)))
        return Counter([event_id async for event_id in stored_event_ids(self.settings)])


@pytest.mark.thorough
@settings(max_examples=60)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=24), lives)
def test_each_record_is_stored_once(
    days: list[int], story: list[tuple[list[int], int, Fate, int]]
) -> None:
    async def run() -> Counter[str]:
        with tempfile.TemporaryDirectory() as folder:
            history = History(Path(folder), days)
            for life in story:
                await history.live(*life)
            return await history.finish()

    assert asyncio.run(run()) == Counter(f"{offset:064x}" for offset in range(len(days)))
