"""The tables are what a plain reading of all events gives, whatever order they take.

The plain reading knows neither stamps nor batches nor rows: it goes through the events from the
oldest to the newest, once, and writes over what was there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.registry import Message, column_updates, projections
from sinks.postgres.model.rows import events_in, read_deliveries
from tests.support.enriched_records import START_MS, complete, delivery
from tests.support.fakes.postgres_tables import FakeTables
from tests.support.simulated_stories import Stored, simulated_deliveries

examples = Path(__file__).parents[4] / "schemas" / "examples"


def read(deliveries: Iterable[Any]) -> list[ParsedEvent]:
    messages, rejections = read_deliveries(deliveries)
    assert rejections == []
    return events_in(messages)


stories = [read(story) for story in simulated_deliveries()]


def plain_reading(events: Sequence[ParsedEvent]) -> Stored:
    tables: Stored = {projection.name: {} for projection in projections}
    for event in sorted(events, key=moment):
        for mention in reversed(list(column_updates(event))):  # what it says first shall stay
            row = tables[mention.projection.name].setdefault(mention.key, {})
            for register in mention.projection.registers:
                if register.takes != "oldest" and register.name in mention.registers:
                    names = [column.name for column in register.columns]
                    row |= zip(names, mention.registers[register.name], strict=True)
            for bound in mention.projection.bounds:
                if bound.column in mention.bounds:
                    choose = min if bound.takes == "least" else max
                    bound_ms = mention.bounds[bound.column]
                    row[bound.column] = choose(row.get(bound.column, bound_ms), bound_ms)
    read_the_oldest_first(events, tables)
    return {
        projection.name: {
            key: dict.fromkeys(stored_columns(projection.name))
            | dict(zip(projection.table.key, key, strict=True))
            | row
            for key, row in tables[projection.name].items()
        }
        for projection in projections
    }


def read_the_oldest_first(events: Sequence[ParsedEvent], tables: Stored) -> None:
    for event in sorted(events, key=lambda e: (moment(e)[:3], -e.revision)):
        for mention in column_updates(event):
            row = tables[mention.projection.name][mention.key]
            for register in mention.projection.registers:
                if register.takes == "oldest" and register.name in mention.registers:
                    names = [column.name for column in register.columns]
                    if not row.keys() & set(names):
                        row |= zip(names, mention.registers[register.name], strict=True)


def moment(event: ParsedEvent) -> tuple[int, int, str, int]:
    return event.occurred_at_ms, event.event_ts_ms, event.event_id, event.revision


def stored_columns(table: str) -> list[str]:
    (projection,) = (p for p in projections if p.name == table)
    registered = [column.name for r in projection.registers for column in r.columns]
    return [*registered, *(bound.column for bound in projection.bounds)]


def in_batches(events: Sequence[Message], rng: Random) -> Iterator[Sequence[Message]]:
    cuts = sorted(rng.sample(range(1, len(events)), min(4, len(events) - 1)))
    for start, end in pairwise([0, *cuts, len(events)]):
        yield events[start:end]


def shuffled(events: Sequence[ParsedEvent], rng: Random) -> list[ParsedEvent]:
    repeats = rng.choices(events, k=rng.randrange(6))
    return rng.sample([*events, *repeats], len(events) + len(repeats))


def stored_from(batches: Iterable[Sequence[Message]]) -> Stored:
    tables = FakeTables()
    for batch in batches:
        tables.take(batch)
    return tables.contents()


@pytest.mark.parametrize("story", stories, ids=lambda story: story[0].name.partition(".")[2])
def test_a_story_reads_the_same_in_any_order_with_repeats_and_in_any_batches(
    story: list[ParsedEvent],
) -> None:
    expected = plain_reading(story)
    for seed in range(12):
        rng = Random(seed)
        assert stored_from(in_batches(shuffled(story, rng), rng)) == expected, seed


@pytest.mark.thorough
@given(st.integers(0, 1 << 30))
def test_all_stories_at_once_read_the_same_in_any_order(seed: int) -> None:
    rng = Random(seed)
    some = [event for story in rng.sample(stories, 4) for event in story]
    assert stored_from(in_batches(shuffled(some, rng), rng)) == plain_reading(some)


documents = [orjson.loads(path.read_bytes()) for path in sorted(examples.rglob("*.json"))]
bodies = [document for document in documents if "event_ts" in document]
"""An example of every event, with every member filled."""


def at_close_times(body: dict[str, Any], draw: Callable[[Any], Any]) -> list[Any]:
    """One or two revisions of an event, of an account where all happens within some moments."""
    entity = dict(body["payload"]["object"])
    for member in list(entity):
        if draw(st.integers(0, 3)) == 0:
            del entity[member]
    entity.pop("date_time_ms", None)
    event_ts = START_MS + draw(st.integers(0, 2))
    payload = {"account_id": "ACCOUNT", "object": entity}
    record = orjson.dumps({"event": body["event"], "event_ts": event_ts, "payload": payload})
    users = {"users": {entity.get("user_id", ""): {"display_name": "Found"}}}
    later = delivery(record, enrichment={**complete, **users}, revision=2)
    return [delivery(record), later] if draw(st.booleans()) else [delivery(record)]


@pytest.mark.thorough
@given(st.data())
def test_any_events_of_one_moment_read_the_same_in_any_order(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(bodies), min_size=1, max_size=8))
    events = read([d for body in chosen for d in at_close_times(body, data.draw)])
    batches = ([event] for event in data.draw(st.permutations(events)))
    assert stored_from(batches) == plain_reading(events) == stored_from([events])
