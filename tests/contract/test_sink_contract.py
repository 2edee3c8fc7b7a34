"""What every sink keeps, whatever it stores in: see `runtime.contracts.Sink`.

To join, a sink gives a `Case`: how to open one on an empty store, and what lies in it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from runtime.clock import SystemClock
from runtime.contracts import Sink
from runtime.errors import ConfigurationError
from runtime.values import Assignment, Batch, PartitionState, Resume, Span, TopicPartition
from schemas.headers import event_id_header, text
from sinks.object_storage.reading import stored_event_ids
from sinks.object_storage.settings import ObjectStorageSettings
from sinks.object_storage.sink import ObjectStorageSink
from sinks.postgres.migrate import migrate
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink
from tests.support.enriched_records import SOURCE, START_MS, batch, delivery, webhook, with_fields
from tests.support.fakes.sinks import store

OTHER = TopicPartition("zcc.enriched.task.v1", 1)


@dataclass(frozen=True, slots=True)
class Case:
    """A sink under test. ``stored`` counts what lies in the store, by event id."""

    open: Callable[[], AbstractAsyncContextManager[Sink[Any]]]
    stored: Callable[[], Awaitable[Counter[str]]]


@dataclass(slots=True)
class Group:
    """Kafka's side: what the group has committed, and how a sink takes its partitions over."""

    committed: dict[TopicPartition, int] = field(default_factory=dict)
    cluster_id: str = "cluster"
    topic_id: str = "T" * 22

    async def assign(self, sink: Sink[Any], *sources: TopicPartition) -> dict[TopicPartition, int]:
        resumes = await self.resumes(sink, *sources)
        return {source: resume.offset for source, resume in resumes.items()}

    async def resumes(
        self, sink: Sink[Any], *sources: TopicPartition
    ) -> Mapping[TopicPartition, Resume]:
        states = {
            source: PartitionState(self.committed.get(source), log_start=0, log_end=1000)
            for source in sources or (SOURCE,)
        }
        ids = {source.topic: self.topic_id for source in states}
        return await sink.assigned(Assignment(self.cluster_id, "zcc.sink", states, ids))

    def commit(self, stored: Batch) -> None:
        self.committed |= {source: span.end for source, span in stored.spans.items()}


def numbered(count: int, *, start: int = 0, source: TopicPartition = SOURCE) -> Batch:
    """A batch of events that are all different, from two days."""
    bodies = [
        webhook("engagement_user_hold", {"engagement_id": f"E{n % 3}", "n": f"{source}{start + n}"})
        if n % 2
        else webhook(
            "task_created", {"task_id": f"{source}{start + n}"}, at_ms=START_MS + 86_400_000
        )
        for n in range(count)
    ]
    return batch([delivery(body) for body in bodies], start=start, source=source)


def ids(*batches: Batch) -> Counter[str]:
    return Counter(
        text(each.headers, event_id_header) or "" for some in batches for each in some.deliveries
    )


def in_postgres(dsn: str) -> Case:
    migrate(dsn)
    settings = PostgresSettings(dsn=SecretStr(dsn))

    async def stored() -> Counter[str]:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            cursor = await connection.execute("select event_id from zcc.raw_event")
            return Counter([row[0] async for row in cursor])

    return Case(lambda: PostgresSink(settings, SystemClock()), stored)


def in_a_folder(folder: Path) -> Case:
    settings = ObjectStorageSettings(url=f"file://{folder}/events")

    async def stored() -> Counter[str]:
        return Counter([event_id async for event_id in stored_event_ids(settings)])

    return Case(lambda: ObjectStorageSink(settings), stored)


@pytest.fixture(params=["postgres", "object storage"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if request.param == "postgres":
        return in_postgres(request.getfixturevalue("database_dsn"))
    return in_a_folder(tmp_path)


async def test_a_partition_that_nobody_has_read_starts_where_its_log_does(case: Case) -> None:
    async with case.open() as sink:
        assert await Group().assign(sink, SOURCE, OTHER) == {SOURCE: 0, OTHER: 0}


async def test_a_batch_of_several_partitions_is_stored_whole(case: Case) -> None:
    first, second = numbered(7), numbered(5, source=OTHER)
    both = Batch(first.deliveries + second.deliveries, {**first.spans, **second.spans})
    async with case.open() as sink:
        await Group().assign(sink, SOURCE, OTHER)
        assert not await store(sink, both)
    assert await case.stored() == ids(both)


async def test_a_batch_written_again_because_nobody_knew_is_stored_once(case: Case) -> None:
    some = numbered(6)
    async with case.open() as sink:
        await Group().assign(sink)
        assert not await store(sink, some)
        assert not await store(sink, some)
        assert not await store(sink, numbered(3, start=6))
    assert await case.stored() == ids(some, numbered(3, start=6))


@pytest.mark.parametrize("delay_s", [0, 0.002, 0.01, 0.03])
async def test_a_batch_written_again_after_a_cancelled_write_is_stored_once(
    case: Case, delay_s: float
) -> None:
    some = numbered(200)
    async with case.open() as sink:
        await Group().assign(sink)
        try:
            async with asyncio.timeout(delay_s):
                await store(sink, some)
        except TimeoutError:
            pass
        assert not await store(sink, some)
    assert await case.stored() == ids(some)


async def test_what_a_crash_left_uncommitted_is_stored_once_by_the_next_owner(case: Case) -> None:
    group, first, second = Group(), numbered(4), numbered(6, start=4)
    async with case.open() as crashed:
        await group.assign(crashed)
        assert not await store(crashed, first)
        group.commit(first)
        assert not await store(crashed, second)  # and here it crashes, before the commit
    async with case.open() as sink:
        start = (await group.assign(sink))[SOURCE]
        assert start in (4, 10)
        rest = tuple(each for each in second.deliveries if each.offset >= start)
        assert not await store(sink, Batch(rest, {SOURCE: Span(start, 10)}))
        assert not await store(sink, numbered(2, start=10))
    assert await case.stored() == ids(first, second, numbered(2, start=10))


async def test_an_empty_batch_moves_the_position(case: Case) -> None:
    group, gap, rest = Group(), Batch((), {SOURCE: Span(0, 3)}), numbered(2, start=3)
    async with case.open() as sink:
        await group.assign(sink)
        assert not await store(sink, gap)
        group.commit(gap)
        assert not await store(sink, rest)
        group.commit(rest)
    assert await case.stored() == ids(rest)
    async with case.open() as sink:
        assert await group.assign(sink) == {SOURCE: 5}


async def test_an_event_that_comes_twice_loses_nothing(case: Case) -> None:
    some = numbered(3)
    twice = batch([*some.deliveries, some.deliveries[0]])
    later = batch([some.deliveries[1]], start=4)
    async with case.open() as sink:
        await Group().assign(sink)
        assert not await store(sink, twice)
        assert not await store(sink, later)
    assert (await case.stored()).keys() == ids(some).keys()


async def test_a_rejection_names_the_record_and_nothing_is_stored_until_it_is_gone(
    case: Case,
) -> None:
    whole = numbered(5)
    broken = with_fields(whole.deliveries[2], headers=())
    rest = Batch(tuple(each for each in whole.deliveries if each.offset != 2), whole.spans)
    async with case.open() as sink:
        await Group().assign(sink)
        (rejection,) = await store(
            sink, batch([*rest.deliveries[:2], broken, *rest.deliveries[2:]])
        )
        assert (rejection.source, rejection.offset) == (SOURCE, 2)
        assert await case.stored() == Counter()
        assert not await store(sink, rest)
        assert not await store(sink, numbered(1, start=5))
    assert await case.stored() == ids(rest, numbered(1, start=5))


async def test_a_group_that_lost_its_commit_stores_nothing_twice(case: Case) -> None:
    some = numbered(6)
    async with case.open() as sink:
        await Group().assign(sink)
        assert not await store(sink, some)
    async with case.open() as sink:
        offset, planned_end = (await Group().resumes(sink))[SOURCE]
        if planned_end is not None:
            rest = tuple(each for each in some.deliveries if each.offset >= offset)
            assert not await store(sink, Batch(rest, {SOURCE: Span(offset, planned_end)}))
        assert not await store(sink, numbered(2, start=planned_end or offset))
    assert await case.stored() == ids(some, numbered(2, start=6))


async def test_a_topic_that_was_recreated_is_stored_from_its_beginning(case: Case) -> None:
    old, new = numbered(4), numbered(7, source=OTHER)
    renamed = Batch(
        tuple(with_fields(each, topic=SOURCE.topic, partition=0) for each in new.deliveries),
        {SOURCE: Span(0, 7)},
    )
    async with case.open() as sink:
        await Group().assign(sink)
        assert not await store(sink, old)
    async with case.open() as sink:
        assert await Group(topic_id="U" * 22).assign(sink) == {SOURCE: 0}
        assert not await store(sink, renamed)
    assert await case.stored() == ids(old, new)


async def test_another_cluster_is_refused(case: Case) -> None:
    async with case.open() as sink:
        await Group().assign(sink)
        assert not await store(sink, numbered(3))
    async with case.open() as sink:
        with pytest.raises(ConfigurationError, match="cluster"):
            await Group(cluster_id="other").assign(sink)
    assert await case.stored() == ids(numbered(3))
