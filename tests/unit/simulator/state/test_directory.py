"""Users, queues, teams and the rest: what requests make of them."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.simulated_account import SimulatedAccount

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
    document = account.get("get_user", user_id=user.user_id)
    assert document["cc_user_id"] != document["user_id"]
    assert account.get("get_user", user_id=document["cc_user_id"]) == document
    assert account.get("get_user", user_id=user.user_email) == document
    assert account.refusal("get_user", user_id="nobody") == (404, 1001)


def test_a_queue_is_identified_by_either_id_and_by_name_on_request(
    account: SimulatedAccount,
) -> None:
    queue = account.company.queues[2]
    document = account.get("get_queue", queue_id=queue.cc_queue_id)
    assert account.get("get_queue", queue_id=queue.queue_id) == document
    by_name = {"queue_identifier_type": "name"}
    assert account.get("get_queue", queue_id=queue.queue_name, query=by_name) == document
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
    document = account.get("get_user", **here)
    assert (document["status_name"], "sub_status_id" in document) == ("Occupied", False)
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
