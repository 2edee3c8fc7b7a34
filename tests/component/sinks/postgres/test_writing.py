"""Raw events: repeats, revisions, odd bodies, rows that are refused."""

from typing import Any

import orjson
import pytest

from runtime.process import metrics_exposition
from schemas.reasons import DeadLetterReason
from sinks.postgres.metrics import metrics as postgres_metrics
from tests.support.enriched_records import (
    SOURCE,
    START_MS,
    complete,
    delivery,
    webhook,
    with_fields,
)
from tests.support.postgres import owner, query


def call(engagement_id: str = "E1", **members: Any) -> bytes:
    return webhook("engagement_started", {"engagement_id": engagement_id, **members})


def total(sample: str) -> float:
    return metrics_exposition.total(metrics_exposition.exposition(), sample)


async def test_an_event_is_one_row_with_all_that_is_known_of_it(dsn: str) -> None:
    async with owner(dsn) as writer:
        await writer.store([delivery(webhook("task_created", {}))])
        await writer.store([delivery(call())])
    (row,) = await query(
        dsn,
        "select *, extract(epoch from event_ts) * 1000 as ms from zcc.raw_event "
        "where event like '%started'",
    )
    assert row["payload"] == orjson.loads(call())
    assert row["enrichment"] == complete
    assert (row["enrichment_status"], row["body"]) == ("complete", None)
    assert (row["account_id"], row["subject"]) == ("ACCOUNT", "engagement/E1")
    assert (row["event"], row["family"]) == ("contact_center.engagement_started", "engagement")
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == (*SOURCE, 1)
    assert (row["partition_key"], row["revision"], row["ms"]) == ("ACCOUNT:E1", 1, START_MS)
    assert row["stored_at"] > row["received_at"] > row["occurred_at"]


async def test_a_repeat_changes_nothing(dsn: str) -> None:
    first = webhook("recording_completed", {"recording_id": "R", "download_url": "one"})
    again = webhook("recording_completed", {"recording_id": "R", "download_url": "two"})
    repeats_before = total("zcc_postgres_repeats_total")
    async with owner(dsn) as writer:
        await writer.store([delivery(first)])
        before = await query(dsn, "select * from zcc.raw_event")
        await writer.store([delivery(again), delivery(first), delivery(again, enrichment=None)])
    assert await query(dsn, "select * from zcc.raw_event") == before
    assert total("zcc_postgres_repeats_total") - repeats_before == 3


async def test_a_higher_revision_changes_the_enrichment_only_and_a_lower_one_nothing(
    dsn: str,
) -> None:
    body = call(user_id="U1")
    known = {**complete, "users": {"U1": {"display_name": "Alex"}}}
    partial = {**complete, "status": "partial"}
    async with owner(dsn) as writer:
        await writer.store([delivery(body, enrichment=partial)])
        (before,) = await query(dsn, "select * from zcc.raw_event")
        await writer.store([delivery(body, enrichment=known, revision=3)])
        (after,) = await query(dsn, "select * from zcc.raw_event")
        await writer.store([delivery(body, enrichment=partial, revision=2)])
        await writer.store([delivery(body, enrichment=partial, revision=3)])
    changed = {"enrichment": known, "enrichment_status": "complete", "revision": 3}
    assert after == {**before, **changed}
    assert await query(dsn, "select * from zcc.raw_event") == [after]
    (moment,) = await query(dsn, "select revision, user_display_name from zcc.engagement_timeline")
    assert tuple(moment.values()) == (3, "Alex")
    (engagement,) = await query(dsn, "select last_user_display_name from zcc.engagement")
    assert tuple(engagement.values()) == ("Alex",)


async def test_nul_is_stored_replaced_with_the_body_next_to_it_and_counted(dsn: str) -> None:
    body = call("E\0", queue_name="a\0b")
    sanitised_before = total("zcc_postgres_sanitised_total")
    async with owner(dsn) as writer:
        assert not await writer.store([delivery(body)])
    (row,) = await query(dsn, "select body, payload->'payload'->'object' o from zcc.raw_event")
    assert row["body"] == body
    assert (row["o"]["engagement_id"], row["o"]["queue_name"]) == ("E\ufffd", "a\ufffdb")
    assert await query(dsn, "select engagement_id from zcc.engagement") == [
        {"engagement_id": "E\ufffd"}
    ]
    assert total("zcc_postgres_sanitised_total") - sanitised_before == 1


@pytest.mark.parametrize(
    "odd",
    [
        b"1e-16383",
        b"1e-16384",
        b"1e-999999999999",
        b"1e308",
        b"-0",
        b"0." + b"1" * 20_000,
        b"9" * 300,
        b'"\\ud83d\\ude00 \\\\u0000 \\u0000"',
        b'{"a":1,"a":2,"":3}',
        b"[" * 190 + b"]" * 190,
        b'"' + "é".encode() * 100_000 + b'"',
    ],
    ids=lambda odd: odd[:12].decode("latin-1"),
)
async def test_whatever_json_zoom_sends_is_stored(dsn: str, odd: bytes) -> None:
    body = call().replace(b'"E1"', b'"E1","odd":%b' % odd)
    async with owner(dsn) as writer:
        assert not await writer.store([delivery(body)])
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 1


async def test_ids_that_no_index_holds_are_stored_raw_only(dsn: str) -> None:
    long_id = "".join(f"{n:x}" for n in range(5000))
    async with owner(dsn) as writer:
        assert not await writer.store([delivery(call(long_id)), delivery(call())])
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 2
    assert len(await query(dsn, "select 1 from zcc.engagement")) == 1


async def test_unreadable_records_are_rejected_before_anything_is_written(dsn: str) -> None:
    good = delivery(call())
    async with owner(dsn) as writer:
        (rejection,) = await writer.store([good, with_fields(good, value=b"{")])
        assert (rejection.offset, rejection.reason) == (1, DeadLetterReason.UNREADABLE)
        assert await query(dsn, "select 1 from zcc.raw_event") == []
        assert not await writer.store([good])


async def test_exactly_the_rows_that_the_store_refuses_are_rejected_and_none_is_stored(
    dsn: str,
) -> None:
    await query(dsn, "alter table zcc.raw_event add check (subject not like '%BAD%')")
    deliveries = [delivery(call(f"BAD{n}" if n in (3, 40) else f"E{n}", n=n)) for n in range(64)]
    async with owner(dsn) as writer:
        rejections = await writer.store(deliveries)
        assert [rejection.offset for rejection in rejections] == [3, 40]
        assert {rejection.reason for rejection in rejections} == {DeadLetterReason.STORE_REFUSED}
        assert {rejection.detail for rejection in rejections} == {"23514 CheckViolation"}
        assert await query(dsn, "select 1 from zcc.raw_event") == []
        assert writer.position == 0
        rest = [each for n, each in enumerate(deliveries) if n not in (3, 40)]
        assert not await writer.store(rest)
    assert len(await query(dsn, "select 1 from zcc.raw_event")) == 62


async def test_a_refused_batch_without_a_rejected_row_is_a_defect(dsn: str) -> None:
    await query(
        dsn,
        """
        create function refuse() returns trigger language plpgsql as $$ begin
            if (select count(*) from zcc.raw_event) > 1 then
                raise sqlstate '22000';
            end if;
            return null;
        end $$;
        create trigger refuse after insert on zcc.raw_event execute function refuse();
        """,
    )
    async with owner(dsn) as writer:
        with pytest.raises(RuntimeError, match="refuses rows: 22000 DataException"):
            await writer.store([delivery(call("E1")), delivery(call("E2"))])
    assert await query(dsn, "select 1 from zcc.raw_event") == []


async def test_rows_are_counted_by_table(dsn: str) -> None:
    def rows(table: str) -> float:
        return float(postgres_metrics.rows.labels(table)._value.get())

    tables = ("raw_event", "engagement_timeline", "engagement")
    before = [rows(table) for table in tables]
    seen_before = total("zcc_postgres_visible_seconds_count")
    async with owner(dsn) as writer:
        await writer.store([delivery(call(n=n)) for n in range(4)])
        await writer.store([delivery(webhook("team_created", {"team_id": "T"}))])
        await writer.store([])
    assert [rows(table) - old for table, old in zip(tables, before, strict=True)] == [5, 4, 1]
    assert total("zcc_postgres_visible_seconds_count") - seen_before == 2
