"""The engagement and its timeline come out the same whatever order and repeats the events take."""

import asyncio
import json
from itertools import pairwise
from random import Random
from typing import Any

import orjson

from runtime.values import TopicPartition
from sinks.postgres.model.rows import read_deliveries, tables
from sinks.postgres.model.tables import Table
from tests.support.enriched_records import START_MS, voice_call
from tests.support.fakes.postgres_tables import FakeTables
from tests.support.postgres import owner, query
from tests.support.projections import event
from tests.support.simulated_stories import simulated_deliveries, stored_rows

OTHER = TopicPartition("zcc.enriched.task.v1", 0)


async def rows_of(dsn: str, account_id: str) -> tuple[Any, ...]:
    """All that is stored of an account; event ids, and so stamps, depend on the account."""
    where = f"where account_id = '{account_id}'"
    engagements = await query(
        dsn,
        "select (to_jsonb(e) - 'account_id' - 'last_event_id')::text as row, "
        f"octet_length(e.last_event_stamp) as stamped from zcc.engagement e {where}",
    )
    timeline = await query(
        dsn,
        "select (to_jsonb(t) - 'account_id' - 'event_id')::text as row "
        f"from zcc.engagement_timeline t {where} order by occurred_at",
    )
    raw = await query(
        dsn,
        "select revision, enrichment, payload->'event' as event "
        f"from zcc.raw_event {where} order by occurred_at",
    )
    (row,) = (without_stamps(engagement) for engagement in engagements)
    return row, timeline, raw


def without_stamps(engagement: dict[str, Any]) -> dict[str, Any]:
    row = json.loads(engagement["row"])
    return {name: cell for name, cell in row.items() if not name.endswith("_stamp")}


async def test_the_events_of_an_engagement_in_order_become_its_row(dsn: str) -> None:
    async with owner(dsn) as writer:
        for record in voice_call():
            await writer.store([record])
    (row,) = await query(
        dsn,
        "select *, extract(epoch from started_at) * 1000 as started_ms, "
        "extract(epoch from ended_at) * 1000 as ended_ms from zcc.engagement",
    )
    expected = {
        "direction": "inbound",
        "channel": "voice",
        "first_flow_name": "Main",
        "last_flow_name": "Billing",
        "cc_queue_id": "Q2",
        "queue_name": None,
        "last_user_id": "U2",
        "last_user_display_name": "Blake",
        "consumer_number": "+15550100000",
        "phase": "wrap_up",
        "state": "ended",
        "started_ms": START_MS,
        "ended_ms": START_MS + 9000,
    }
    assert {name: row[name] for name in expected} == expected
    timeline = await query(
        dsn,
        "select user_display_name, queue_name from zcc.engagement_timeline order by occurred_at",
    )
    assert [tuple(moment.values()) for moment in timeline][3:8] == [
        ("Alex", "Sales"),
        ("Alex", "Sales"),
        ("Alex", "Sales"),
        ("Blake", "Billing"),
        ("Alex", "Sales"),
    ]


async def test_any_order_any_repeats_and_any_batches_give_the_same_rows(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store(voice_call("IN ORDER"))
        for seed in range(8):
            rng = Random(seed)
            records = list(voice_call(f"SHUFFLED {seed}"))
            records += rng.sample(records, 5)
            rng.shuffle(records)
            cuts = sorted(rng.sample(range(1, len(records)), 4))
            for start, end in pairwise([0, *cuts, len(records)]):
                await writer.store(records[start:end])
    expected = await rows_of(dsn, "IN ORDER")
    for seed in range(8):
        assert await rows_of(dsn, f"SHUFFLED {seed}") == expected, seed


async def test_the_merge_statements_give_the_rows_of_the_pure_merge(dsn: str) -> None:
    rng = Random(1)
    records = [record for story_ in simulated_deliveries() for record in story_]
    records += rng.sample(records, 50)
    rng.shuffle(records)
    expected = FakeTables()
    async with owner(dsn) as writer:
        for start in range(0, len(records), 90):
            some = records[start : start + 90]
            expected.take(read_deliveries(some)[0])
            assert not await writer.store(some)
    # No event has their data.
    without_event = {"engagement_outcome", "reference_entity", "sms_log", "voice_call_log"}
    assert {name for name, rows in expected.stored.items() if not rows} == without_event
    for table in tables[1:]:
        rows = await query(dsn, f"select {selected(table)} from zcc.{table.name}")
        stored = stored_rows({table: [list(row.values()) for row in rows]}).get(table.name, {})
        merged = expected.stored[table.name]
        assert {key: plain(table, row) for key, row in stored.items()} == {
            key: plain(table, row) for key, row in merged.items()
        }, table.name


def selected(table: Table) -> str:
    """Columns as their cells are, but for jsonb."""
    as_cells = {"timestamptz": "(extract(epoch from {0}) * 1000)::bigint as {0}"}
    return ", ".join(as_cells.get(c.type, "{0}").format(c.name) for c in table.columns)


def plain(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Documents parsed, and arrays as lists."""
    types = {column.name: column.type for column in table.columns}
    return {name: parsed(types[name], cell) for name, cell in row.items()}


def parsed(type_: str, cell: Any) -> Any:
    if type_ == "jsonb" and isinstance(cell, bytes):
        return orjson.loads(cell)
    return list(cell) if isinstance(cell, tuple) else cell


async def test_two_writers_of_one_engagement_at_once_give_the_same_rows(dsn: str) -> None:
    async with owner(dsn) as one, owner(dsn, source=OTHER) as two:
        await one.store(voice_call("ALONE"))
        for n in range(5):
            records = list(voice_call(f"BOTH {n}"))
            Random(n).shuffle(records)
            await asyncio.gather(one.store(records[:12]), two.store(records[8:]))
    expected = await rows_of(dsn, "ALONE")
    for n in range(5):
        assert await rows_of(dsn, f"BOTH {n}") == expected, n


async def test_the_view_of_supervision_pairs_starts_with_their_ends(dsn: str) -> None:
    call = {"engagement_id": "E1", "user_id": "U1"}
    listening = {**call, "monitoring_user_id": "S1", "action_type": "listen"}
    async with owner(dsn) as writer:
        await writer.store(
            [
                event("engagement_monitor_ended", after_s=9, **listening),
                event("engagement_monitor_started", after_s=2, **listening),
                event("engagement_monitor_started", after_s=5, **listening),
                event("engagement_monitor_started", **{**listening, "action_type": "barge"}),
                event("engagement_takeover_started", after_s=7, **call, takeover_user_id="S1"),
            ]
        )
    rows = await query(
        dsn,
        "select action_type, extract(epoch from started_at) * 1000 - "
        f"{START_MS} as started_ms, extract(epoch from ended_at - started_at) as lasted_s "
        "from zcc.engagement_supervision_interval order by started_at",
    )
    assert [tuple(row.values()) for row in rows] == [
        ("barge", 0, None),
        ("listen", 2000, None),
        ("listen", 5000, 4),
        ("takeover", 7000, None),
    ]
