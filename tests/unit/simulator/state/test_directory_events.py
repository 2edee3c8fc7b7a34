"""Users, queues, teams and the rest: what events make of them."""

from collections.abc import Callable

import pytest

from tests.support.simulated_account import SimulatedAccount


def test_a_queue_lives_from_its_creation_to_its_deletion(account: SimulatedAccount) -> None:
    here = {"cc_queue_id": "Q"}
    agent = account.company.users[7].user_id
    members = {"queue_name": "New", "channel_types": ["chat"], "short_abandon_enable": True}
    account.happened("queue_created", connecting_media_name="Wait", **members, **here)
    document = account.get("get_queue", queue_id="Q")
    assert (document["channel"], document["short_abandon"]) == ("messaging", {"enable": True})
    assert document["connecting_media_filename"] == "Wait"
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
    document = account.get("get_user", user_id="U")
    assert (document["package_name"], document["add_ons_plan"]) == ("premium", ["ai_expert_assist"])
    assert [t["team_id"] for t in document["teams"]] == [team.team_id]
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
    document = account.get("get_team", **here)
    assert (document["team_description"], document["parent_team_name"]) == (
        "For now",
        second.team_name,
    )
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
    document = account.get("get_closure_set", **here)
    assert [(c["closure_id"], c["closure_name"]) for c in document["closures"]] == [
        ("a", "a"),
        ("b", "moved"),
    ]
    assert document["closures"][1]["recurring_days_of_week"] == ["2"]
    assert document["timezone"] == "Europe/Paris"
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
    document = account.get("get_asset", **here)
    assert (document["archived"], "archived_time" in document) == (False, False)
    account.happened("asset_deleted", archived=False, **here)
    assert account.refusal("get_asset", **here) == (404, 10009)


def test_changes_are_a_log_the_newest_first(account: SimulatedAccount) -> None:
    supervisor = account.company.supervisors[1]
    by = {"modified_by": supervisor.user_id}
    account.happened("team_created", team_id="T", team_name="New", **by)
    account.happened("team_updated", at_s=1, team_id="T", team_name="Newer", modified_by="gone")
    account.write("delete_team", team_id="T")
    entries = account.list("list_operation_logs")
    logged = [(e["category"], e["action"], e["object_id"], e["object_name"]) for e in entries]
    assert logged == [
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
