"""Stories in any order, with repeats, in any batches, by one sink or several: the same tables."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from random import Random

import orjson

from runtime.errors import TransientError
from runtime.values import Delivery, Rejection, TopicPartition
from schemas.catalogue import events as known
from sinks.postgres.model.rows import tables
from tests.support.enriched_records import SOURCE
from tests.support.postgres import Owner, owner, query
from tests.support.postgres_contents import Contents, contents, differences, moments
from tests.support.projections import REFERENCE_TOPIC, snapshot
from tests.support.simulated_stories import simulated_deliveries

where_first = frozenset({"source_topic", "source_partition", "source_offset"})
"""Where the first record of an event was read: which is the first depends on the order."""

other = TopicPartition(SOURCE.topic, 1)
references = TopicPartition(REFERENCE_TOPIC, 0)

Batches = Iterable[Sequence[Delivery]]

events = [record for story in simulated_deliveries() for record in story]
"""Of every kind, in the order of the stories."""

states = [
    snapshot(entity, entity_id, state, after_s=after_s)
    for entity, entity_id in (("user", "U1"), ("team", "T1"), ("flow", "F1"))
    for after_s, state in ((0, {"flow_name": "old"}), (5, {"flow_name": "new"}), (9, None))
]
"""Entities that change and go."""


async def stored(dsn: str, by_source: Sequence[tuple[TopicPartition, Batches]]) -> Contents:
    """What empty tables hold after all batches, those of each source by a sink of its own."""
    async with AsyncExitStack() as sinks:
        owners = [
            await sinks.enter_async_context(owner(dsn, source=source)) for source, _ in by_source
        ]
        async with asyncio.TaskGroup() as tasks:
            for sink, (_, batches) in zip(owners, by_source, strict=True):
                tasks.create_task(store(sink, batches))
    held = await contents(dsn, without=moments | where_first)
    await query(dsn, f"truncate zcc.kafka_offset, {', '.join(f'zcc.{t.name}' for t in tables)}")
    return held


async def store(sink: Owner, batches: Batches) -> None:
    for batch in batches:
        while (stored := await attempt(sink, batch)) is None:
            pass
        assert stored == ()


async def attempt(sink: Owner, batch: Sequence[Delivery]) -> Sequence[Rejection] | None:
    """None where it has to be tried again, as a worker does: two sinks may be in a deadlock."""
    try:
        return await sink.store(batch)
    except TransientError:
        return None


async def in_order(dsn: str) -> Contents:
    return await stored(dsn, [(SOURCE, [events]), (references, [[each] for each in states])])


def shuffled(records: Sequence[Delivery], rng: Random, *, batches: int) -> Batches:
    """The same in any order, some twice and more, in batches of any sizes."""
    repeats = rng.choices(records, k=len(records) // 4)
    order = rng.sample([*records, *repeats], len(records) + len(repeats))
    cuts = sorted(rng.sample(range(1, len(order)), batches - 1))
    return [order[start:end] for start, end in pairwise([0, *cuts, len(order)])]


async def test_any_order_any_repeats_and_any_batches_give_the_same_tables(dsn: str) -> None:
    expected = await in_order(dsn)
    assert {orjson.loads(row)["event"] for row in expected["raw_event"]} == known.keys()
    for seed in range(3):
        rng = Random(seed)
        by_source = [
            (SOURCE, shuffled(events, rng, batches=3 * 5**seed)),
            (references, shuffled(states, rng, batches=4)),
        ]
        assert differences(await stored(dsn, by_source), expected) == {}, seed


async def test_sinks_that_store_the_same_stories_at_once_give_the_same_tables(dsn: str) -> None:
    expected = await in_order(dsn)
    for seed in range(2):
        rng = Random(seed)
        half, share = len(events) // 2, rng.sample(events, len(events))
        by_source = [
            (SOURCE, shuffled(share[: half + 50], rng, batches=10)),
            (other, shuffled(share[half - 50 :], rng, batches=10)),
            (references, shuffled(states, rng, batches=4)),
        ]
        assert differences(await stored(dsn, by_source), expected) == {}, seed
