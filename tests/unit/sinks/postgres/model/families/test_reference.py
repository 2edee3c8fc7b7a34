"""Records of the reference topic: users, queues, teams, logs, and what has no table."""

from typing import Any

import orjson
import pytest

from processors.entities.kinds import kinds
from schemas.headers import as_of_header, timestamp
from schemas.reasons import DeadLetterReason
from sinks.postgres.model.families.asset import asset
from sinks.postgres.model.families.logs import sms_log, voice_call_log
from sinks.postgres.model.families.operating_hours import business_hour, closure, closure_set
from sinks.postgres.model.families.queue import queue
from sinks.postgres.model.families.reference import reference_entity
from sinks.postgres.model.families.team import team
from sinks.postgres.model.families.user import user
from sinks.postgres.model.rows import read_deliveries
from tests.support.each_case import each_case
from tests.support.enriched_records import START_MS, with_fields
from tests.support.projections import event, rows_of, snapshot

TEAMS = [{"team_id": "T1", "team_name": "One"}]
USER: dict[str, Any] = {
    "user_id": "U1",
    "cc_user_id": "CU1",
    "display_name": "Alex",
    "user_email": "alex@example.com",
    "role_id": "r1",
    "role_name": "Agent",
    "user_access": "active",
    "country_iso_code": "US",
    "region_id": "g1",
    "region_name": "West",
    "package_name": "elite",
}
QUEUE: dict[str, Any] = {
    "cc_queue_id": "Q1",
    "queue_name": "Sales",
    "queue_description": "Who buys",
    "channel": "voice",
    "max_wait_time": 60,
    "wrap_up_time": 30,
    "service_level_threshold_in_seconds": 20,
    "service_level_target_in_percentage": 80,
}
TEAM = {
    "team_id": "T1",
    "team_name": "One",
    "team_description": "First",
    "parent_team_id": "P1",
    "parent_team_name": "Parent",
}
LISTED = {"team_ids": ("T1",), "team_names": ("One",)}


def test_a_snapshot_fills_users_queues_and_teams() -> None:
    snapshots = [
        snapshot("user", "U1", {**USER, "teams": TEAMS}),
        snapshot("queue", "Q1", {**QUEUE, "queue_id": "old", "teams": TEAMS}),
        snapshot("team", "T1", TEAM),
    ]
    as_of = {"looked_up_at": START_MS}
    assert rows_of(user, *snapshots) == [{**USER, **LISTED, **as_of}]
    assert rows_of(queue, *snapshots) == [{**QUEUE, **LISTED, **as_of, "legacy_queue_id": "old"}]
    assert rows_of(team, *snapshots) == [{**TEAM, **as_of}]
    assert rows_of(reference_entity, *snapshots) == []


def test_a_snapshot_yields_to_newer_events_and_to_nothing_older() -> None:
    looked_up = snapshot("user", "U1", {"user_id": "U1", "role_name": "Agent"}, after_s=5)
    older = event("user_updated", user_id="U1", updates={"role_name": "Guest"})
    newer = event("user_updated", after_s=9, user_id="U1", updates={"role_name": "Lead"})
    for order in ((looked_up, older), (older, looked_up)):
        assert rows_of(user, *order)[0]["role_name"] == "Agent"
    for order in ((looked_up, newer), (newer, looked_up)):
        assert rows_of(user, *order)[0]["role_name"] == "Lead"


def test_what_is_gone_keeps_its_row_and_comes_back_when_it_is_seen_again() -> None:
    for table, entity, entity_id, state in (
        (user, "user", "U1", USER),
        (queue, "queue", "Q1", QUEUE),
        (team, "team", "T1", TEAM),
        (reference_entity, "flow", "F1", {"flow_name": "Main"}),
    ):
        seen = snapshot(entity, entity_id, state)
        gone = snapshot(entity, entity_id, None, after_s=5)
        (row,) = rows_of(table, gone, seen)
        assert row["deleted_at"] == START_MS + 5000
        (row,) = rows_of(table, snapshot(entity, entity_id, state, after_s=6), gone)
        assert "deleted_at" not in row


def test_a_deletion_holds_as_of_its_header_whenever_it_was_sent() -> None:
    seen = snapshot("user", "U1", USER, after_s=5)
    early = (as_of_header, timestamp(START_MS + 4000).encode())
    late = (as_of_header, timestamp(START_MS + 6000).encode())
    sent_last = snapshot("user", "U1", None, after_s=60)

    (row,) = rows_of(user, seen, with_fields(sent_last, headers=(early,)))
    assert "deleted_at" not in row
    (row,) = rows_of(user, with_fields(sent_last, headers=(late,)), seen)
    assert row["deleted_at"] == START_MS + 6000


def test_of_one_moment_a_deletion_counts() -> None:
    seen, gone = snapshot("team", "T1", TEAM), snapshot("team", "T1", None)
    for order in ((seen, gone), (gone, seen)):
        (row,) = rows_of(team, *order)
        assert row["deleted_at"] == START_MS


def test_the_service_level_of_a_queue_is_in_its_columns() -> None:
    state = {
        "cc_queue_id": "Q1",
        "channel_types": ["voice"],
        "max_engagement_in_queue": 9,
        "short_abandon": {"enable": True, "threshold": 5},
        "service_level_exclude_long_abandoned_calls": False,
    }
    (row,) = rows_of(queue, snapshot("queue", "Q1", state))
    assert row == {
        "cc_queue_id": "Q1",
        "channel_types": ("voice",),
        "max_engagement_in_queue": 9,
        "short_abandon_enable": True,
        "short_abandon_threshold": 5,
        "service_level_exclude_long_abandoned_calls": False,
        "looked_up_at": START_MS,
    }


def test_hours_closures_and_assets_fill_their_own_tables_too() -> None:
    hours = {
        "business_hour_id": "B1",
        "business_hour_name": "Day",
        "timezone": "UTC",
        "account_default": True,
        "hours": {"hour_type": 2, "custom_hours": []},
    }
    closures = {
        "closure_set_id": "C1",
        "closure_set_name": "Holidays",
        "closures": [{"closure_id": "c1", "closure_name": "Christmas", "recurring_month": 12}],
    }
    library = {"asset_id": "A1", "asset_name": "Music", "archived": True}
    for entity, entity_id, state, table, columns in (
        ("business_hour", "B1", hours, business_hour, {"name": "Day", "hour_type": 2}),
        ("closure_set", "C1", closures, closure_set, {"name": "Holidays"}),
        ("closure_set", "C1", closures, closure, {"name": "Christmas", "recurring_month": 12}),
        ("asset", "A1", library, asset, {"asset_name": "Music", "archived": True}),
    ):
        (row,) = rows_of(table, snapshot(entity, entity_id, state))
        assert columns.items() <= row.items()
        (kept,) = rows_of(reference_entity, snapshot(entity, entity_id, state))
        assert kept["state"] == orjson.dumps(state)


@pytest.mark.parametrize("entity", ["business_hour", "closure_set", "asset"])
def test_what_is_gone_is_gone_in_both_of_its_tables(entity: str) -> None:
    own = {"business_hour": business_hour, "closure_set": closure_set, "asset": asset}[entity]
    for table in (own, reference_entity):
        (row,) = rows_of(table, snapshot(entity, "X", None))
        assert row["deleted_at"] == START_MS


def test_an_asset_out_of_the_archive_has_no_time_of_it() -> None:
    archived = {"asset_id": "A1", "archived": True, "archived_time": "2026-03-01T09:00:00Z"}
    restored = snapshot("asset", "A1", {"asset_id": "A1", "archived": False}, after_s=1)
    (row,) = rows_of(asset, snapshot("asset", "A1", archived), restored)
    assert row == {"asset_id": "A1", "archived": False}


@each_case("entity", kinds)
def test_every_kind_of_entity_arrives_in_a_table(entity: str) -> None:
    tables = {"user": user, "queue": queue, "team": team}
    (row,) = rows_of(tables.get(entity, reference_entity), snapshot(entity, "X", {"a": 1}))
    assert "X" in row.values()


def test_an_entity_without_a_table_is_kept_as_it_came() -> None:
    flow = {"flow_name": "Main", "extra": [1, {"deep": True}]}
    (row,) = rows_of(reference_entity, snapshot("flow", "F:1", flow))
    assert row == {
        "entity": "flow",
        "id": "F:1",
        "state": orjson.dumps(flow),
        "looked_up_at": START_MS,
    }


def test_two_snapshots_of_one_moment_come_out_the_same_in_any_order() -> None:
    one, other = (snapshot("team", "T1", {"team_id": "T1", "team_name": n}) for n in "AB")
    assert rows_of(team, one, other) == rows_of(team, other, one)


SMS: dict[str, Any] = {
    "engagement_id": "E1",
    "direction": "inbound",
    "contact_center_number": "+15550100009",
    "consumer_number": "+15550100000",
    "consumer_display_name": "Casey",
    "country_name": "United States",
    "total_sent_messages": 2**40,
    "total_received_messages": 1,
    "total_sent_files": 0,
    "total_received_files": 3,
}
CALL: dict[str, Any] = {
    "engagement_id": "E1",
    "direction": "inbound",
    "consumer_number": "+15550100000",
    "consumer_display_name": "Casey",
    "country_name": "United States",
    "caller_number": "+15550100001",
    "callee_number": "+15550100002",
    "caller_id": "+15550100003",
    "caller_number_type": "byoc_number",
    "callee_number_type": "toll_free_number",
    "calling_party": "consumer",
    "result": "completed",
    "total_duration": 1200,
    "recorded": True,
    "monitored": False,
    "inbox": False,
    "charge": "$0.010",
    "charge_type": "per_minute",
}
LISTS = {
    "queues": [{"cc_queue_id": "Q1"}, {"queue_id": "old"}],
    "agents": [{"user_id": "U1"}, {"user_id": "U2"}],
    "start_time": "2026-03-01T11:00:00+01:00",
    "end_time": "2026-03-01T10:00:05Z",
}
FROM_LISTS = {
    "cc_queue_ids": ("Q1",),
    "user_ids": ("U1", "U2"),
    "start_time": START_MS,
    "end_time": START_MS + 5000,
    "polled_at": START_MS + 9000,
}


def test_a_row_of_a_log_is_kept_whole_and_in_columns() -> None:
    texted = {**SMS, **LISTS, "sms_types": ["sms", "mms"]}
    (row,) = rows_of(sms_log, snapshot("sms_log", "E1", texted, after_s=9))
    assert row == {
        **SMS,
        **FROM_LISTS,
        "log_id": "E1",
        "sms_types": ("sms", "mms"),
        "row": orjson.dumps(texted),
    }
    kinds = {
        "call_legs": ["inbound"],
        "distributions": ["acd"],
        "types": ["external_call"],
        "sub_types": [],
        "rates": ["$0.010"],
    }
    called = {**CALL, **LISTS, **kinds}
    (row,) = rows_of(voice_call_log, snapshot("voice_call_log", "E1/x", called, after_s=9))
    assert row == {
        **CALL,
        **FROM_LISTS,
        **{name: tuple(kind) for name, kind in kinds.items()},
        "log_id": "E1/x",
        "row": orjson.dumps(called),
    }


def test_a_row_of_a_log_is_as_it_was_last_polled_and_never_taken_away() -> None:
    first = snapshot("sms_log", "E1", SMS)
    later = snapshot("sms_log", "E1", {**SMS, "total_sent_messages": 5}, after_s=1)
    gone = snapshot("sms_log", "E1", None, after_s=2)
    for order in ((first, later, gone), (gone, later, first)):
        (row,) = rows_of(sms_log, *order)
        assert row["total_sent_messages"] == 5
    assert rows_of(voice_call_log, snapshot("voice_call_log", "E1", None)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"value": b"{"},
        {"value": b"[]"},
        {"value": b'{"account_id":"A","entity":"user","id":"U","state":{}}'},
        {"value": b'{"account_id":"A","entity":"user","as_of":"2026-03-01T10:00:00Z","state":{}}'},
        {"value": b'{"account_id":"A","entity":"user","id":"U","as_of":"2026-03-01T10:00:00Z"}'},
        {"value": None, "key": None},
        {"value": None, "key": b"A:user"},
        {"value": None, "key": b"A::U"},
    ],
)
def test_a_record_that_is_no_reference_is_rejected(changes: dict[str, Any]) -> None:
    broken = with_fields(snapshot("user", "U1", USER), **changes)
    messages, (rejection,) = read_deliveries([broken])
    assert messages == []
    assert rejection.reason is DeadLetterReason.UNREADABLE
    assert "U1" not in (rejection.detail or "")


def test_a_nul_in_a_reference_is_replaced() -> None:
    state = {"team_id": "T1", "team_name": "a\0b"}
    (row,) = rows_of(team, snapshot("team", "T1", state))
    assert row["team_name"] == "a\ufffdb"
