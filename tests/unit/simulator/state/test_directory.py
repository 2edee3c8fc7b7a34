"""Users, queues, teams and the rest: what events and requests make of them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.support.simulated_account import SimulatedAccount


@pytest.fixture
def account() -> SimulatedAccount:
    return SimulatedAccount()


CREATIONS: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]] = {
    "user": ("user_id", {"user_email": "new@example.com"}, {"country_iso_code": "FR"}),
    "queue": ("queue_id", {"queue_name": "New", "channel": "voice"}, {"max_wait_time": 5}),
    "team": ("team_id", {"team_name": "New", "parent_team_id": "P"}, {"team_name": "Newer"}),
    "disposition": (
        "disposition_id",
        {"disposition_name": "New"},
        {"disposition_name": "Newer", "status": "inactive"},
    ),
    "skill": ("skill_id", {"skill_name": "New"}, {"skill_name": "Newer"}),
    "role": ("role_id", {"role_name": "New"}, {"role_description": "All"}),
    "system_status": ("status_id", {"status_category": "agent_status"}, {"enable": False}),
    "business_hour": (
        "business_hour_id",
        {"business_hour_name": "New", "timezone": "UTC", "hours": {"hour_type": 1}},
        {"timezone": "Europe/Paris"},
    ),
    "closure_set": (
        "closure_set_id",
        {"closure_set_name": "New", "timezone": "UTC"},
        {"account_default": True},
    ),
    "asset": ("asset_id", {"asset_name": "New", "asset_type": "text"}, {"asset_name": "Newer"}),
}


@pytest.mark.parametrize("name", CREATIONS)
def test_what_is_created_can_be_read_changed_and_deleted(
    account: SimulatedAccount, name: str
) -> None:
    path, facts, changes = CREATIONS[name]
    created = account.get(f"create_{name}", body=facts)
    assert facts.items() <= created.items()
    here = {path: created.get(f"cc_{path}", created[path])}
    assert account.get(f"get_{name}", **here).items() >= facts.items()
    account.write(f"update_{name}", body=changes, **here)
    assert account.get(f"get_{name}", **here).items() >= changes.items()
    account.write(f"delete_{name}", **here)
    assert account.refusal(f"get_{name}", **here)[0] == 404
    assert account.refusal(f"update_{name}", body=changes, **here)[0] == 404
    assert account.refusal(f"delete_{name}", **here)[0] == 404


def test_an_inbox_is_created_and_changed(account: SimulatedAccount) -> None:
    created = account.get("create_inbox", body={"inbox_name": "New"})
    here = {"inbox_id": created["inbox_id"]}
    voicemail = {"soft_delete": True, "voicemail_time_limit": 60}
    account.write("update_inbox", body={"voicemail": voicemail}, **here)
    account.write("update_inbox", body={"voicemail": {"soft_delete": False}}, **here)
    assert account.get("get_inbox", **here)["voicemail"] == voicemail | {"soft_delete": False}
    assert "New" in [inbox["inbox_name"] for inbox in account.list("list_inboxes")]


def test_two_users_who_are_created_at_once_have_ids_of_their_own(account: SimulatedAccount) -> None:
    first, second = (account.get("create_user", body={"user_email": e}) for e in ("a@b", "c@d"))
    assert first["user_id"] != second["user_id"]
    assert first["cc_user_id"] != second["cc_user_id"]
    assert account.get("get_user", user_id=second["cc_user_id"])["user_email"] == "c@d"


def test_a_user_goes_by_either_id_and_by_mail_address(account: SimulatedAccount) -> None:
    user = account.company.users[3]
    found = account.get("get_user", user_id=user.user_id)
    assert found["cc_user_id"] != found["user_id"]
    assert account.get("get_user", user_id=found["cc_user_id"]) == found
    assert account.get("get_user", user_id=user.user_email) == found
    assert account.refusal("get_user", user_id="nobody") == (404, 1001)


def test_a_queue_goes_by_either_id_and_by_name_when_asked_so(account: SimulatedAccount) -> None:
    queue = account.company.queues[2]
    found = account.get("get_queue", queue_id=queue.cc_queue_id)
    assert account.get("get_queue", queue_id=queue.queue_id) == found
    by_name = {"queue_identifier_type": "name"}
    assert account.get("get_queue", queue_id=queue.queue_name, query=by_name) == found
    assert account.refusal("get_queue", queue_id=queue.queue_name) == (404, 1201)
    assert account.refusal("get_queue", queue_id=queue.cc_queue_id, query=by_name) == (404, 1201)


def test_a_status_set_by_request_has_its_name_and_no_old_sub_status(
    account: SimulatedAccount,
) -> None:
    here = {"user_id": account.company.users[0].user_id}
    state = {"current_status_id": "2", "current_sub_status_id": "20"}
    account.happened("user_status_changed", **here, **state, current_status_name="Not Ready")
    assert account.get("get_user", **here)["sub_status_id"] == "20"
    account.write("update_user_status", body={"status_id": "3"}, **here)
    found = account.get("get_user", **here)
    assert (found["status_name"], "sub_status_id" in found) == ("Occupied", False)
    refused = account.refusal("update_user_status", body={"status_id": "77"}, **here)
    assert refused == (404, 1101)


def test_states_of_users_are_a_history(account: SimulatedAccount) -> None:
    user_id = account.company.users[0].user_id
    for at_s, status in ((0, "1"), (90, "3")):
        account.happened(
            "user_status_changed", at_s=at_s, user_id=user_id, current_status_id=status
        )
    former, present = account.list("list_agent_status_history")
    assert (former["status_id"], former["duration"]) == ("1", 90)
    assert former["end_time"] == present["start_time"] == "2025-03-01T08:01:30Z"
    assert "end_time" not in present


def test_members_of_a_queue_come_and_go_by_request(account: SimulatedAccount) -> None:
    queue = account.company.queues[0]
    here = {"queue_id": queue.queue_id}
    newcomer = next(u for u in account.company.users[4:] if u not in queue.agents)
    before = account.get("get_queue", **here)
    body = {"user_ids": [newcomer.user_id]}
    [assigned] = account.get("assign_queue_agents", body=body, **here)["agents"]
    assert assigned["display_name"] == newcomer.display_name
    agents = account.list("list_queue_agents", **here)
    assert [a["user_id"] for a in agents][-1] == newcomer.user_id
    mine = account.list("list_user_queues", user_id=newcomer.user_id)
    assert queue.cc_queue_id in [q["cc_queue_id"] for q in mine]
    account.write("unassign_queue_agent", user_id=newcomer.user_id, **here)
    assert account.list("list_queue_agents", **here) == agents[:-1]
    assert account.get("get_queue", **here) == before
    stranger = {"user_ids": ["nobody"]}
    assert account.refusal("assign_queue_agents", body=stranger, **here) == (404, 1001)


def test_who_works_and_watches_in_a_queue_is_both(account: SimulatedAccount) -> None:
    queue = account.company.queues[0]
    watcher = queue.supervisors[0].user_id
    account.get("assign_queue_agents", body={"user_ids": [watcher]}, queue_id=queue.cc_queue_id)
    kinds = {
        q["cc_queue_id"]: q["user_assignment_type"]
        for q in account.list("list_user_queues", user_id=watcher)
    }
    assert kinds.pop(queue.cc_queue_id) == "both"
    assert set(kinds.values()) == {"supervisor"}


def test_members_of_a_team_come_and_go_by_request(account: SimulatedAccount) -> None:
    here = {"team_id": account.company.teams[0].team_id}
    supervisor = account.company.supervisors[0].user_id
    before = account.list("list_team_supervisors", **here)
    account.get("assign_team_supervisors", body={"user_ids": [supervisor]}, **here)
    assert supervisor in [u["user_id"] for u in account.list("list_team_supervisors", **here)]
    teams = account.get("get_user", user_id=supervisor)["teams"]
    assert here["team_id"] in [team["team_id"] for team in teams]
    named: tuple[Any, ...] = ((supervisor,), supervisor)
    for user_ids in named:
        account.write("unassign_team_supervisors", query={"user_ids": user_ids}, **here)
    after = [u["user_id"] for u in account.list("list_team_supervisors", **here)]
    assert after == [u["user_id"] for u in before if u["user_id"] != supervisor]


def test_skills_of_a_user_come_and_go_by_request(account: SimulatedAccount) -> None:
    here = {"user_id": account.company.users[9].user_id}
    skill_id = account.company.skill_ids[0]
    given = {"skills": [{"skill_id": skill_id, "max_proficiency_level": 3}]}
    account.write("assign_user_skills", body=given, **here)
    [skill] = account.list("list_user_skills", **here)
    assert (skill["skill_id"], skill["user_proficiency_level"]) == (skill_id, 3)
    [user] = account.list("list_skill_users", skill_id=skill_id)
    assert user["user_id"] == here["user_id"]
    assert account.get("get_skill", skill_id=skill_id)["total_users"] == 1
    account.write("unassign_user_skill", skill_id=skill_id, **here)
    assert account.list("list_user_skills", **here) == []


def test_an_agent_opts_out_of_all_queues_or_of_one(account: SimulatedAccount) -> None:
    agent = account.company.queues[0].agents[0]
    mine = [q for q in account.company.queues if agent in q.agents]
    others = next(q for q in account.company.queues if agent not in q.agents)
    here = {"user_id": agent.user_id}

    def statuses() -> list[int]:
        return [
            a["opt_in_out_status"]
            for queue in mine
            for a in account.list("list_queue_agents", queue_id=queue.cc_queue_id)
            if a["user_id"] == agent.user_id
        ]

    account.write("opt_user_in_or_out_of_queues", body={"opt_in_out_status": 1}, **here)
    assert set(statuses()) == {1}
    one = {"opt_in_out_status": 0, "queue_ids": [mine[0].queue_id, others.cc_queue_id]}
    account.write("opt_user_in_or_out_of_queues", body=one, **here)
    assert statuses() == [0] + [1] * (len(mine) - 1)
    account.happened("user_opt_out", cc_queue_id=mine[0].cc_queue_id, **here)
    assert statuses()[0] == 2
    account.happened("user_opt_in", cc_queue_id=mine[0].cc_queue_id, **here)
    assert statuses()[0] == 0
    account.happened("user_opt_out", cc_queue_id=others.cc_queue_id, **here)
    outsiders = account.list("list_queue_agents", queue_id=others.cc_queue_id)
    assert agent.user_id not in [a["user_id"] for a in outsiders]


def test_users_have_the_role_that_they_were_given(account: SimulatedAccount) -> None:
    agent, supervisor = account.company.users[-1], account.company.supervisors[0]
    here = {"role_id": supervisor.role_id}
    before = account.get("get_role", **here)["total_users"]
    account.write("update_user", body=here, user_id=agent.user_id)
    assert account.get("get_user", user_id=agent.user_id)["role_name"] == supervisor.role_name
    assert account.get("get_role", **here)["total_users"] == before + 1
    assert agent.user_id in [u["user_id"] for u in account.list("list_role_users", **here)]


def test_teams_are_a_tree(account: SimulatedAccount) -> None:
    top, middle, leaf, *_ = (team.team_id for team in account.company.teams)
    account.write("move_team", body={"parent_team_id": top}, team_id=middle)
    account.write("move_team", body={"parent_team_id": middle}, team_id=leaf)
    name = account.company.teams[1].team_name
    assert account.get("get_team", team_id=leaf)["parent_team_name"] == name
    [child] = account.list("list_team_children", team_id=top)
    assert (child["team_id"], child["level"], child["has_children"]) == (middle, 1, True)
    below = account.list("list_team_children", team_id=top, query={"max_level": 5})
    assert [(t["team_id"], t["level"]) for t in below] == [(middle, 1), (leaf, 2)]
    above = account.listing("list_team_parents", team_id=leaf)
    assert [(t["team_id"], t["level"]) for t in above.items] == [(middle, 1), (top, 0)]
    assert (above.more["team_id"], above.more["level"]) == (leaf, 2)


def test_teams_that_are_above_each_other_have_an_end(account: SimulatedAccount) -> None:
    first, second, *_ = (team.team_id for team in account.company.teams)
    account.write("move_team", body={"parent_team_id": first}, team_id=second)
    account.write("move_team", body={"parent_team_id": second}, team_id=first)
    assert len(account.list("list_team_parents", team_id=first)) == 2


def test_a_queue_lives_from_its_creation_to_its_deletion(account: SimulatedAccount) -> None:
    here = {"cc_queue_id": "Q"}
    agent = account.company.users[7].user_id
    told = {"queue_name": "New", "channel_types": ["chat"], "short_abandon_enable": True}
    account.happened("queue_created", connecting_media_name="Wait", **told, **here)
    found = account.get("get_queue", queue_id="Q")
    assert (found["channel"], found["short_abandon"]) == ("messaging", {"enable": True})
    assert found["connecting_media_filename"] == "Wait"
    account.happened("queue_agent_assigned", user_id=agent, queue_id="legacy", **here)
    account.happened("queue_supervisor_assigned", user_id=agent, **here)
    assert account.get("get_queue", queue_id="legacy")["cc_queue_id"] == "Q"
    listed = {queue["cc_queue_id"]: queue for queue in account.list("list_queues")}
    assert (listed["Q"]["agents_count"], listed["Q"]["supervisors_count"]) == (1, 1)
    account.happened("queue_agent_unassigned", user_id=agent, **here)
    assert account.list("list_queue_agents", queue_id="Q") == []
    account.happened("queue_inbound_sla_updated", updates={"max_wait_time": 7}, **here)
    hours = {"business_hour_id": "B", "business_hour_name": "Summer"}
    account.happened(
        "queue_operating_hours_updated",
        updates=hours | {"account_default_business_hour": False},
        **here,
    )
    assert account.get("get_queue_operating_hours", queue_id="Q").items() >= hours.items()
    account.happened("queue_deleted", **here)
    assert account.refusal("get_queue", queue_id="Q") == (404, 1201)
    assert account.list("list_user_queues", user_id=agent)


def test_a_queue_whose_channel_no_event_tells_has_none(account: SimulatedAccount) -> None:
    account.happened("queue_created", cc_queue_id="Q", queue_name="Mail")
    assert "channel" not in account.get("get_queue", queue_id="Q")


def test_a_user_lives_from_first_day_to_last(account: SimulatedAccount) -> None:
    team, skill_id = account.company.teams[0], account.company.skill_ids[0]
    account.happened(
        "user_created",
        user_id="U",
        display_name="New",
        teams=[{"team_id": team.team_id, "team_name": team.team_name}],
        user_package={"package_name": "premium"},
        user_add_ons_plans=[{"add_ons_plan_name": "ai_expert_assist"}],
    )
    found = account.get("get_user", user_id="U")
    assert (found["package_name"], found["add_ons_plan"]) == ("premium", ["ai_expert_assist"])
    assert [t["team_id"] for t in found["teams"]] == [team.team_id]
    account.happened("user_updated", user_id="U", updates={"country_iso_code": "FR"})
    assert account.get("get_user", user_id="U")["country_iso_code"] == "FR"
    account.happened("user_skills_assigned", user_id="U", skills=[{"skill_id": skill_id}])
    assert len(account.list("list_skill_users", skill_id=skill_id)) == 1
    account.happened("user_skills_unassigned", user_id="U", skills=[{"skill_id": skill_id}])
    assert account.list("list_skill_users", skill_id=skill_id) == []
    account.happened("user_deleted", users=[{"user_id": "U"}])
    account.happened("user_deleted", users=[{"user_id": "U"}])
    assert account.refusal("get_user", user_id="U") == (404, 1001)
    agents = account.list("list_team_agents", team_id=team.team_id)
    assert "U" not in [agent["user_id"] for agent in agents]


def test_a_member_whom_nobody_knows_is_listed_by_id(account: SimulatedAccount) -> None:
    queue_id = account.company.queues[0].cc_queue_id
    account.happened("queue_agent_assigned", user_id="stranger", cc_queue_id=queue_id)
    agents = account.list("list_queue_agents", queue_id=queue_id)
    assert {"user_id": "stranger", "opt_in_out_status": 0} in agents
    account.happened("user_skills_assigned", user_id="stranger", skills=[{"skill_id": "magic"}])
    assert account.refusal("list_user_skills", user_id="stranger") == (404, 1001)
    known = account.company.users[0].user_id
    account.happened("user_skills_assigned", user_id=known, skills=[{"skill_id": "magic"}])
    assert account.list("list_user_skills", user_id=known) == [{"skill_id": "magic"}]


def test_a_team_lives_from_its_creation_to_its_deletion(account: SimulatedAccount) -> None:
    first, second = account.company.teams[:2]
    users = [user.user_id for user in account.company.users[:2]]
    here = {"team_id": "T"}
    account.happened("team_created", team_name="New", parent_team_id=first.team_id, **here)
    account.happened("team_updated", team_description="For now", **here)
    for role in ("agent", "supervisor"):
        account.happened("team_members_assigned", user_ids=users, team_role=role, **here)
    account.happened("team_members_unassigned", user_ids=users[:1], team_role="agent", **here)
    moved = {"new_parent_team_id": second.team_id, "new_parent_team_name": second.team_name}
    account.happened("team_moved", **moved, **here)
    found = account.get("get_team", **here)
    assert (found["team_description"], found["parent_team_name"]) == ("For now", second.team_name)
    assert [u["user_id"] for u in account.list("list_team_agents", **here)] == users[1:]
    assert [u["user_id"] for u in account.list("list_team_supervisors", **here)] == users
    account.happened("team_deleted", **here)
    assert account.refusal("get_team", **here) == (404, 4102)


def test_business_hours_live_from_creation_to_deletion(account: SimulatedAccount) -> None:
    here = {"business_hour_id": "B"}
    hours = {"business_hour_name": "Été", "timezone": "UTC", "account_default": False}
    account.happened("business_hours_created", **hours, **here)
    account.happened("business_hours_updated", updates={"timezone": "Europe/Paris"}, **here)
    assert account.get("get_business_hour", **here)["timezone"] == "Europe/Paris"
    default = {
        h["business_hour_name"]: h["queues_count"] for h in account.list("list_business_hours")
    }
    assert default == {"24/7": len(account.company.queues), "Été": 0}
    account.happened("business_hours_deleted", **here)
    assert account.refusal("get_business_hour", **here) == (404, 3601)


def test_an_update_of_closures_names_some_of_them(account: SimulatedAccount) -> None:
    here = {"closure_set_id": "S"}
    closures = [{"closure_id": i, "closure_name": i, "recurring_days_of_week": [2]} for i in "ab"]
    account.happened("closure_created", closures=closures, timezone="UTC", **here)
    update = {"closures": [{"closure_id": "b", "closure_name": "moved"}]}
    account.happened("closure_updated", updates=update, **here)
    account.happened("closure_updated", updates={"timezone": "Europe/Paris"}, **here)
    found = account.get("get_closure_set", **here)
    assert [(c["closure_id"], c["closure_name"]) for c in found["closures"]] == [
        ("a", "a"),
        ("b", "moved"),
    ]
    assert found["closures"][1]["recurring_days_of_week"] == ["2"]
    assert found["timezone"] == "Europe/Paris"
    account.happened("closure_deleted", **here)
    account.happened("closure_updated", updates=update, **here)
    assert account.refusal("get_closure_set", **here) == (404, 3701)


def test_an_asset_goes_to_the_archive_and_back_before_it_is_deleted(
    account: SimulatedAccount,
) -> None:
    here = {"asset_id": "A"}
    item = {"asset_item_id": "1", "asset_item_name": "one"}
    account.happened("asset_created", asset_name="Hello", asset_items=[item], **here)
    for updates in (
        {"asset_item_added": [{"asset_item_id": "2", "asset_item_name": "two"}]},
        {"asset_item_updated": [{"asset_item_id": "1", "asset_item_name": "uno"}]},
        {"asset_item_deleted": [{"asset_item_id": "2"}]},
    ):
        account.happened("asset_updated", updates=updates, **here)
    assert account.get("get_asset", **here)["asset_items"] == [item | {"asset_item_name": "uno"}]
    archived_time = "2025-03-01T08:00:00Z"
    account.happened("asset_deleted", archived=True, archived_time=archived_time, **here)
    assert account.get("get_asset", **here)["archived_time"] == archived_time
    account.happened("asset_updated", updates={"restore": True}, **here)
    found = account.get("get_asset", **here)
    assert (found["archived"], "archived_time" in found) == (False, False)
    account.happened("asset_deleted", archived=False, **here)
    assert account.refusal("get_asset", **here) == (404, 10009)


def test_changes_are_a_log_the_newest_first(account: SimulatedAccount) -> None:
    supervisor = account.company.supervisors[1]
    by = {"modified_by": supervisor.user_id}
    account.happened("team_created", team_id="T", team_name="New", **by)
    account.happened("team_updated", at_s=1, team_id="T", team_name="Newer", modified_by="gone")
    account.write("delete_team", team_id="T")
    entries = account.list("list_operation_logs")
    told = [(e["category"], e["action"], e["object_id"], e["object_name"]) for e in entries]
    assert told == [
        ("Teams", "Delete", "T", "Newer"),
        ("Teams", "Update", "T", "Newer"),
        ("Teams", "Add", "T", "New"),
    ]
    assert entries[2]["operator"] == supervisor.display_name
    assert entries[1]["operator"] == "REST API"
    oldest_first = account.list("list_operation_logs", query={"sort_order": "asc"})
    assert oldest_first == entries[::-1]
    added = account.list("list_operation_logs", query={"action": "Add"})
    assert added == entries[2:]


@pytest.mark.parametrize(
    "change",
    [
        lambda account: account.happened("user_status_changed", user_id="nobody"),
        lambda account: account.happened("team_updated", team_id="none", team_name="X"),
        lambda account: account.happened("queue_deleted", cc_queue_id="none"),
        lambda account: account.happened("queue_agent_unassigned", cc_queue_id="q", user_id="u"),
    ],
)
def test_an_event_about_what_nobody_knows_changes_nothing(
    account: SimulatedAccount, change: Callable[[SimulatedAccount], None]
) -> None:
    before = account.list("list_teams"), account.list("list_users"), account.list("list_queues")
    change(account)
    assert before == (
        account.list("list_teams"),
        account.list("list_users"),
        account.list("list_queues"),
    )
    assert account.list("list_operation_logs") == []
