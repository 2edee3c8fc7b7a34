"""Users: what they are, what was assigned to them, what they do."""

from typing import Any

import orjson

from sinks.postgres.model.families.user import phone_number, presence, skill, status_change, user
from tests.support.enriched_records import START_MS
from tests.support.projections import event, rows_of

ALEX: dict[str, Any] = {
    "user_id": "U1",
    "display_name": "Alex",
    "user_email": "alex@example.com",
    "role_id": "r1",
    "role_name": "Agent",
}
SETTINGS: dict[str, Any] = {
    "client_integration": "Default",
    "user_access": "active",
    "country_iso_code": "US",
    "emergency_calling": True,
    "channel_settings": {
        "multi_channel_engagements": {
            "enable": True,
            "max_agent_load": 3,
            "email_max_agent_load": 2,
        },
        "concurrent_message_capacity": 4,
        "concurrent_email_capacity": 5,
        "messaging_occupied": False,
        "email_occupied": True,
    },
    "user_intents": [{"intent_group_id": "G", "intent_id": "I"}],
    "user_package": {"package_name": "elite"},
    "user_add_ons_plans": [{"add_ons_plan_name": "ai_expert_assist"}, {}],
}
COLUMNS = {
    "client_integration": "Default",
    "user_access": "active",
    "country_iso_code": "US",
    "emergency_calling": True,
    "multi_channel_enabled": True,
    "max_agent_load": 3,
    "email_max_agent_load": 2,
    "concurrent_message_capacity": 4,
    "concurrent_email_capacity": 5,
    "messaging_occupied": False,
    "email_occupied": True,
    "user_intents": orjson.dumps([{"intent_group_id": "G", "intent_id": "I"}]),
    "package_name": "elite",
    "add_ons_plans": ("ai_expert_assist",),
}


def test_a_new_user_has_all_that_its_event_says() -> None:
    created = event("user_created", **ALEX, **SETTINGS, status_id="0", status_name="Offline")
    (row,) = rows_of(user, created)
    status = {"status_id": "0", "status_name": "Offline"}
    assert row == {**ALEX, **COLUMNS, **status, "created_at": START_MS}


def test_updates_change_what_they_name_and_nothing_else() -> None:
    created = event("user_created", **ALEX, **SETTINGS)
    updates = {
        "role_name": "Lead",
        "channel_settings": {"concurrent_message_capacity": 9},
        "external_url": {"enable": True, "external_launch_url": "https://crm.example.com"},
        "user_add_ons_plans": [],
    }
    updated = event("user_updated", after_s=1, user_id="U1", updates=updates)
    for order in ((created, updated), (updated, created)):
        (row,) = rows_of(user, *order)
        assert row == {
            **ALEX,
            **COLUMNS,
            "role_name": "Lead",
            "concurrent_message_capacity": 9,
            "external_url_enabled": True,
            "external_launch_url": "https://crm.example.com",
            "add_ons_plans": (),
            "created_at": START_MS,
        }


def test_a_state_without_a_sub_state_ends_the_one_before() -> None:
    at_break = {"status_id": "2", "status_name": "Not Ready"}
    sub = {"sub_status_id": "20", "sub_status_name": "Break"}
    events = [
        event("user_updated", user_id="U1", updates={**at_break, **sub}),
        event("user_updated", after_s=1, user_id="U1", updates={"sub_status_id": "21"}),
    ]
    (row,) = rows_of(user, *events)
    assert row == {"user_id": "U1", **at_break, "sub_status_id": "21"}
    ready = {"current_status_id": "1", "current_status_name": "Ready"}
    (row,) = rows_of(user, *events, event("user_status_changed", after_s=2, user_id="U1", **ready))
    assert row == {"user_id": "U1", "status_id": "1", "status_name": "Ready"}


def test_a_change_of_state_is_a_row_with_the_state_before() -> None:
    states = {
        "current_status_id": "2",
        "current_status_name": "Not Ready",
        "current_sub_status_id": "20",
        "current_sub_status_name": "Break",
        "previous_status_id": "1",
        "previous_status_name": "Ready",
        "previous_sub_status_id": "9",
        "previous_sub_status_name": "Fresh",
    }
    (row,) = rows_of(status_change, event("user_status_changed", **ALEX, **states))
    assert {name: cell for name, cell in row.items() if "status" in name} == {
        name.removeprefix("current_"): value for name, value in states.items()
    }
    assert (row["user_id"], row["occurred_at"]) == ("U1", START_MS)


def test_logins_and_logouts_are_rows() -> None:
    events = [event("user_logout", after_s=5, **ALEX), event("user_login", **ALEX)]
    assert [(row["presence"], row["occurred_at"]) for row in rows_of(presence, *events)] == [
        ("login", START_MS),
        ("logout", START_MS + 5000),
    ]
    (row,) = rows_of(user, *events)
    assert row == ALEX


def test_the_teams_of_a_user_are_those_last_listed() -> None:
    teams = [{"team_id": "T1", "team_name": "One"}, {"team_id": "T2", "team_name": "Two"}]
    first = event("user_login", **ALEX, teams=teams)
    later = event("user_logout", after_s=1, **ALEX, teams=teams[1:])
    (row,) = rows_of(user, later, first)
    assert (row["team_ids"], row["team_names"]) == (("T2",), ("Two",))


def test_each_skill_says_whether_it_still_is_assigned() -> None:
    both = [{"skill_id": "S1"}, {"skill_id": "S2"}, {}]
    events = [
        event("user_skills_unassigned", after_s=1, **ALEX, skills=both[:1]),
        event("user_skills_assigned", **ALEX, skills=both),
    ]
    assert rows_of(skill, *events) == [
        {"user_id": "U1", "skill_id": "S1", "assigned": False},
        {"user_id": "U1", "skill_id": "S2", "assigned": True},
    ]


def test_each_number_says_whether_it_still_is_assigned() -> None:
    number = {"phone_number_id": "N1", "phone_number": "+15550100000"}
    events = [
        event("user_phone_numbers_assigned", **ALEX, phone_numbers=[number, {}]),
        event("user_phone_numbers_unassigned", after_s=1, **ALEX, phone_numbers=[{**number}]),
        event(
            "user_phone_numbers_assigned",
            after_s=2,
            **ALEX,
            phone_numbers=[{"phone_number_id": "N2"}],
        ),
    ]
    assert rows_of(phone_number, *events) == [
        {"user_id": "U1", **number, "assigned": False},
        {"user_id": "U1", "phone_number_id": "N2", "assigned": True},
    ]


def test_one_event_deletes_many_and_only_a_new_creation_brings_one_back() -> None:
    gone = event("user_deleted", after_s=5, users=[{"user_id": "U1"}, {"user_id": "U2"}, {}])
    late = event("user_login", after_s=6, **ALEX)
    assert [row["deleted_at"] for row in rows_of(user, gone, late)] == [START_MS + 5000] * 2
    again = event("user_created", after_s=9, **ALEX)
    (first, second) = rows_of(user, again, gone)
    assert "deleted_at" not in first
    assert "deleted_at" in second


def test_an_event_without_the_id_of_its_user_makes_no_row() -> None:
    nameless = [
        event(f"user_{what}", skills=[{"skill_id": "S"}], phone_numbers=[{"phone_number_id": "N"}])
        for what in (
            "created",
            "updated",
            "login",
            "status_changed",
            "skills_assigned",
            "phone_numbers_assigned",
        )
    ]
    for table in (user, presence, status_change, skill, phone_number):
        assert rows_of(table, *nameless) == []


def test_null_instead_of_a_list_takes_nothing_away() -> None:
    teams = [{"team_id": "T1", "team_name": "Support"}]
    plans = [{"add_ons_plan_name": "ai_expert_assist"}]
    events = [
        event("user_created", **ALEX, teams=teams, user_add_ons_plans=plans),
        event("user_updated", after_s=1, **ALEX, updates={"user_add_ons_plans": None}, teams=None),
    ]
    (row,) = rows_of(user, *events)
    assert (row["team_ids"], row["add_ons_plans"]) == (("T1",), ("ai_expert_assist",))
