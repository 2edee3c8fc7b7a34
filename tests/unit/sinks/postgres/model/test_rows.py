"""Rows of a batch, by table."""

from collections.abc import Sequence
from typing import Any

import orjson

from schemas.reasons import DeadLetterReason
from sinks.postgres.model.families.engagement import engagement, timeline, zoom
from sinks.postgres.model.families.reference import reference_entity
from sinks.postgres.model.rows import events_in, raw_table, read_deliveries, rows_by_table, tables
from sinks.postgres.model.tables import Cell, Table
from tests.support.enriched_records import (
    SOURCE,
    START_MS,
    complete,
    delivery,
    voice_call,
    webhook,
    with_fields,
)

engagement_table, timeline_table = engagement.table, timeline.table


def named(table: Table, deliveries: Sequence[Any]) -> list[dict[str, Cell]]:
    messages, rejections = read_deliveries(deliveries)
    assert rejections == []
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in rows_by_table(messages)[table]]


def test_unreadable_deliveries_are_rejected_by_place_and_the_others_read() -> None:
    good = delivery(webhook("task_created", {}), offset=4)
    broken = with_fields(good, value=b"{", offset=5)
    messages, (rejection,) = read_deliveries([good, broken])
    assert [event.delivery for event in events_in(messages)] == [good]
    assert (rejection.source, rejection.offset) == (SOURCE, 5)
    assert rejection.reason is DeadLetterReason.UNREADABLE


def test_a_raw_row_holds_the_body_and_the_enrichment_apart() -> None:
    body = webhook("engagement_started", {"engagement_id": "E1"})
    (row,) = named(raw_table, [delivery(body, offset=7)])
    assert row["payload"] == body
    assert row["enrichment"] == orjson.dumps(complete)
    assert row["enrichment_status"] == "complete"
    assert row["event_ts"] == START_MS
    assert (row["source_topic"], row["source_partition"], row["source_offset"]) == (*SOURCE, 7)
    assert (row["family"], row["revision"], row["body"]) == ("engagement", 1, None)


def test_a_repeat_in_a_batch_is_one_row_the_first_one() -> None:
    body = webhook("recording_completed", {"recording_id": "R1", "download_url": "one"})
    again = webhook("recording_completed", {"recording_id": "R1", "download_url": "two"})
    (row,) = named(raw_table, [delivery(body, offset=1), delivery(again, offset=2)])
    assert (row["payload"], row["source_offset"]) == (body, 1)


def test_a_higher_revision_in_a_batch_replaces_the_enrichment_only() -> None:
    body = webhook("engagement_user_hold", {"engagement_id": "E1", "user_id": "U1"})
    known = {**complete, "users": {"U1": {"display_name": "Alex"}}}
    partial = {**complete, "status": "partial"}
    records = [
        delivery(body, enrichment=partial, offset=1),
        delivery(body, enrichment=known, revision=3, offset=2),
        delivery(body, enrichment=partial, revision=2, offset=3),
    ]
    (raw,) = named(raw_table, records)
    assert (raw["revision"], raw["source_offset"]) == (3, 1)
    assert raw["enrichment_status"] == "complete"
    (moment,) = named(timeline_table, records)
    assert (moment["revision"], moment["user_display_name"]) == (3, "Alex")
    (engagement,) = named(engagement_table, records)
    assert engagement["last_user_display_name"] == "Alex"


def test_the_timeline_has_a_row_for_each_event_that_names_an_engagement() -> None:
    deliveries = [
        delivery(webhook("engagement_started", {"engagement_id": "E2"})),
        delivery(webhook("recording_completed", {"engagement_id": "E1", "recording_id": "R"})),
        delivery(webhook("recording_deleted", {"recording_id": "R"})),
        delivery(webhook("something_new", {"engagement_id": "E1"}, at_ms=START_MS + 1)),
    ]
    rows = named(timeline_table, deliveries)
    assert [(row["engagement_id"], row["family"]) for row in rows] == [
        ("E1", "recording"),
        ("E1", "unknown"),
        ("E2", "engagement"),
    ]


def test_a_follow_up_task_is_no_routing_task() -> None:
    tasks = [
        delivery(webhook(name, {"engagement_id": "E1", "task_id": "T1"}))
        for name in ("engagement_follow_up_task_created", "task_completed")
    ]
    rows = named(timeline_table, tasks)
    assert {row["event"]: row["task_id"] for row in rows} == {
        "contact_center.engagement_follow_up_task_created": None,
        "contact_center.task_completed": "T1",
    }


def test_a_routing_task_tells_its_channel_in_a_way_of_its_own() -> None:
    task = {"engagement_id": "E1", "channel_name": "in_app_chat"}
    (row,) = named(engagement_table, [delivery(webhook("task_created", task))])
    assert (row["channel"], row["channel_source"]) == ("messaging", "in_app_chat")
    unknown = {"engagement_id": "E1", "channel_name": "telepathy"}
    (row,) = named(engagement_table, [delivery(webhook("task_created", unknown))])
    assert (row["channel"], row["channel_source"]) == (None, None)


def test_a_story_ends_as_an_engagement_that_tells_it() -> None:
    (row,) = named(engagement_table, voice_call())
    assert {name: cell for name, cell in row.items() if not name.endswith("_stamp")} == {
        "account_id": "ACCOUNT",
        "engagement_id": "E1",
        "direction": "inbound",
        "channel": "voice",
        "channel_source": "web_video",
        "started_at": START_MS,
        "transfer_from": "zoom_phone",
        "transfer_from_id": "7396294160320",
        "first_flow_id": "F1",
        "first_flow_name": "Main",
        "last_flow_id": "F2",
        "last_flow_name": "Billing",
        "cc_queue_id": "Q2",
        "queue_name": None,
        "last_user_id": "U2",
        "last_user_display_name": "Blake",
        "consumer_id": "C1",
        "consumer_number": "+15550100000",
        "consumer_display_name": "Casey",
        "campaign_dialer_status": None,
        "external_engagement_id": None,
        "phase": "wrap_up",
        "last_event_id": row["last_event_id"],
        "last_occurred_at": START_MS + 11_000,
        "first_occurred_at": START_MS,
        "ended_at": START_MS + 9_000,
        "wrap_up_started_at": START_MS + 7_000,
        "wrap_up_ended_at": START_MS + 10_000,
        "v1_data_ready_at": None,
        "flow_number": None,
        "contact_center_number": None,
        "consumer_invite_number": None,
        "consumer_invite_email": None,
        "upgrade_state": None,
        "upgrade_to_channel": None,
        "upgrade_to_channel_source": None,
        "upgrade_told_at": None,
        "transcript_ready_at": None,
        "transcript_url": None,
        "reported_started_at": START_MS,
        "v2_data_ready_at": START_MS + 11_000,
        **dict.fromkeys(column.name for column in zoom.columns),
    }


def test_the_status_of_a_campaign_is_that_of_the_newest_dialer_event() -> None:
    called = {"engagement_id": "E1", "campaign_dialer_status": "dialing"}
    done = {"engagement_id": "E1", "campaign_dialer_status": "done", "external_engagement_id": "X"}
    (row,) = named(
        engagement_table,
        [
            delivery(webhook("outbound_campaign_dialer_status", done, at_ms=START_MS + 1)),
            delivery(webhook("outbound_campaign_dialer_status", called)),
        ],
    )
    assert (row["campaign_dialer_status"], row["external_engagement_id"]) == ("done", "X")


def test_rows_are_in_the_order_of_their_keys_so_that_writers_cannot_deadlock() -> None:
    deliveries = [
        each for engagement_id in ("E2", "E1") for each in voice_call(engagement_id=engagement_id)
    ]
    messages, _ = read_deliveries(deliveries)
    rows = rows_by_table(messages)
    assert list(rows) == [table for table in tables if table in rows]
    for table, table_rows in rows.items():
        places = [[column.name for column in table.columns].index(name) for name in table.key]
        keys = [tuple(row[place] for place in places) for row in table_rows]
        assert keys == sorted(keys), table.name
        assert len(keys) == len(set(keys))


def test_records_of_the_reference_topic_are_snapshots_and_no_events() -> None:
    state = {"account_id": "ACCOUNT", "entity": "flow", "id": "F1", "state": {"flow_name": "Main"}}
    value = orjson.dumps({**state, "as_of": "2026-03-01T10:00:00Z"})
    snapshot = with_fields(delivery(webhook("x", {})), topic="zcc.reference.v1", value=value)
    messages, rejections = read_deliveries([snapshot])
    assert (events_in(messages), rejections) == ([], [])
    assert rows_by_table(messages)[raw_table] == []
    assert [row[:3] for row in rows_by_table(messages)[reference_entity.table]] == [
        ["ACCOUNT", "flow", "F1"]
    ]
