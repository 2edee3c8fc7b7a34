"""Pure: memberships as documents, and the requests that change them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.documents import Document
from simulator.state import directory as kinds
from simulator.state.directory import DirectoryKind, Tie
from simulator.state.entities import find_or_404, shown, user_shown
from simulator.state.lists import listed
from simulator.state.schema_projection import Facts, fitted, fitted_item
from simulator.state.state import State
from simulator.synthetic_values import to_the_second


@dataclass(frozen=True, slots=True)
class _Users:
    """Users tied to an owner; ``path`` is the name of the owner's id in paths."""

    tie: Tie
    owner: DirectoryKind
    path: str


_users: Final[Mapping[str, _Users]] = {
    "queue_agents": _Users("queue_agents", kinds.queue, "queue_id"),
    "queue_supervisors": _Users("queue_supervisors", kinds.queue, "queue_id"),
    "team_agents": _Users("team_agents", kinds.team, "team_id"),
    "team_supervisors": _Users("team_supervisors", kinds.team, "team_id"),
}


def member_answers(state: State) -> Mapping[str, Answer]:
    """Answer the operations about members of queues, teams, roles and skills."""
    answers: dict[str, Answer] = {
        "unassign_queue_agent": partial(_unassign_one, state, _users["queue_agents"]),
        "unassign_queue_supervisor": partial(_unassign_one, state, _users["queue_supervisors"]),
        "opt_user_in_or_out_of_queues": partial(_opt, state),
        "list_team_children": partial(_children, state),
        "list_team_parents": partial(_parents, state),
        "list_role_users": partial(_role_users, state),
        "list_skill_users": partial(_skill_users, state),
        "list_user_skills": partial(_user_skills, state),
        "assign_user_skills": partial(_assign_skills, state),
        "unassign_user_skill": partial(_unassign_skill, state),
        "list_user_queues": partial(_user_queues, state),
    }
    for name, users in _users.items():
        answers[f"list_{name}"] = partial(_list, state, users)
        answers[f"assign_{name}"] = partial(_assign, state, users)
    for name in ("team_agents", "team_supervisors"):
        answers[f"unassign_{name}"] = partial(_unassign, state, _users[name])
    return answers


def _documents(state: State, users: _Users, owner: str, request: RestRequest) -> Iterator[Document]:
    tied = state.directory.members(users.tie, owner)
    for user_id, facts in tied.items():
        who = {"opt_in_out_status": 0, **user_shown(state.directory, user_id), **facts}
        yield fitted_item(request.operation, who)


def _owner(state: State, users: _Users, request: RestRequest) -> str:
    facts = find_or_404(state, users.owner, request.path[users.path], request=request)
    return str(facts[users.owner.id_member])


def _list(state: State, users: _Users, request: RestRequest) -> Listing:
    return listed(request, _documents(state, users, _owner(state, users, request), request))


def _assign(state: State, users: _Users, request: RestRequest) -> Document:
    """Tie users to an owner; the reply has the new ones."""
    owner = _owner(state, users, request)
    named = cast("list[str]", cast("Facts", request.body or {}).get("user_ids", []))
    ids = [str(find_or_404(state, kinds.user, n, request=request)["user_id"]) for n in named]
    time = to_the_second(round(request.now.timestamp() * 1000))
    for user_id in ids:
        state.directory.tied(users.tie, owner, user_id, {"assigned_time": time})
    member = users.tie.rpartition("_")[2]
    known = [user_shown(state.directory, user_id) for user_id in ids]
    return fitted(
        request.operation, {member: [dict(facts) | {"assigned_time": time} for facts in known]}
    )


def _unassign_one(state: State, users: _Users, request: RestRequest) -> None:
    owner = _owner(state, users, request)
    facts = find_or_404(state, kinds.user, request.path["user_id"], request=request)
    state.directory.untied(users.tie, owner, str(facts["user_id"]))


def _unassign(state: State, users: _Users, request: RestRequest) -> None:
    owner = _owner(state, users, request)
    named = request.query.get("user_ids", ())
    for user_id in named if isinstance(named, tuple) else (str(named),):
        facts = find_or_404(state, kinds.user, user_id, request=request)
        state.directory.untied(users.tie, owner, str(facts["user_id"]))


def _opt(state: State, request: RestRequest) -> None:
    """Opt a user in to queues, or out: all of them where the request names none."""
    user_id = str(
        find_or_404(state, kinds.user, request.path["user_id"], request=request)["user_id"]
    )
    body = cast("Facts", request.body)
    mine = list(state.directory.owners("queue_agents", user_id))
    named = cast("list[str]", body.get("queue_ids") or mine)
    for name in named:
        queue_id = str(find_or_404(state, kinds.queue, name, request=request)["cc_queue_id"])
        if queue_id in mine:
            status = {"opt_in_out_status": body["opt_in_out_status"]}
            state.directory.tied("queue_agents", queue_id, user_id, status)


def _children(state: State, request: RestRequest) -> Listing:
    """List the teams below a team, those of the next level first."""
    team_id = str(
        find_or_404(state, kinds.team, request.path["team_id"], request=request)["team_id"]
    )
    deepest = cast("int", request.query.get("max_level", 1))
    teams: list[Facts] = []
    level, above = 0, {team_id}
    while above and level < deepest:
        level += 1
        below = [t for t in state.directory.every(kinds.team) if t.get("parent_team_id") in above]
        teams += [dict(team) | {"level": level} for team in below]
        above = {str(team["team_id"]) for team in below}
    parents = {team.get("parent_team_id") for team in state.directory.every(kinds.team)}
    return listed(
        request,
        (
            fitted_item(request.operation, dict(t) | {"has_children": t["team_id"] in parents})
            for t in teams
        ),
    )


def _parents(state: State, request: RestRequest) -> Listing:
    """List the teams above a team, the nearest first."""
    team = find_or_404(state, kinds.team, request.path["team_id"], request=request)
    above: list[Facts] = []
    parent = state.directory.find(kinds.team, str(team.get("parent_team_id")))
    while parent is not None and parent not in above:
        above.append(parent)
        parent = state.directory.find(kinds.team, str(parent.get("parent_team_id")))
    levels = len(above)
    items = [
        fitted_item(request.operation, dict(facts) | {"level": levels - up})
        for up, facts in enumerate(above, 1)
    ]
    own = {"team_id": team["team_id"], "team_name": team["team_name"], "level": levels}
    return Listing(items, own)


def _role_users(state: State, request: RestRequest) -> Listing:
    role = find_or_404(state, kinds.role, request.path["role_id"], request=request)
    having = [u for u in state.directory.every(kinds.user) if u.get("role_id") == role["role_id"]]
    return listed(request, (fitted_item(request.operation, user) for user in having))


def _skill_users(state: State, request: RestRequest) -> Listing:
    skill = find_or_404(state, kinds.skill, request.path["skill_id"], request=request)
    having = state.directory.owners("user_skills", str(skill["skill_id"]))
    users = (user_shown(state.directory, user_id) for user_id in having)
    return listed(request, (fitted_item(request.operation, user) for user in users))


def _user_skills(state: State, request: RestRequest) -> Listing:
    user_id = str(
        find_or_404(state, kinds.user, request.path["user_id"], request=request)["user_id"]
    )
    having = state.directory.members("user_skills", user_id)
    skills = [
        {**(state.directory.find(kinds.skill, skill_id) or {"skill_id": skill_id}), **level}
        for skill_id, level in having.items()
    ]
    return listed(request, (fitted_item(request.operation, skill) for skill in skills))


def _assign_skills(state: State, request: RestRequest) -> None:
    user_id = str(
        find_or_404(state, kinds.user, request.path["user_id"], request=request)["user_id"]
    )
    for given in cast("list[Facts]", cast("Facts", request.body or {}).get("skills", [])):
        skill = find_or_404(state, kinds.skill, str(given["skill_id"]), request=request)
        level = {"user_proficiency_level": given.get("max_proficiency_level")}
        state.directory.tied("user_skills", user_id, str(skill["skill_id"]), level)


def _unassign_skill(state: State, request: RestRequest) -> None:
    user_id = str(
        find_or_404(state, kinds.user, request.path["user_id"], request=request)["user_id"]
    )
    skill = find_or_404(state, kinds.skill, request.path["skill_id"], request=request)
    state.directory.untied("user_skills", user_id, str(skill["skill_id"]))


def _user_queues(state: State, request: RestRequest) -> Listing:
    user_id = str(
        find_or_404(state, kinds.user, request.path["user_id"], request=request)["user_id"]
    )
    roles: dict[str, list[str]] = {}
    ties: Mapping[Tie, str] = {"queue_agents": "agent", "queue_supervisors": "supervisor"}
    for tie, role in ties.items():
        for queue_id in state.directory.owners(tie, user_id):
            roles.setdefault(queue_id, []).append(role)
    mine = []
    for queue_id, held in roles.items():
        queue = state.directory.find(kinds.queue, queue_id) or {}
        kind = {"user_assignment_type": held[0] if len(held) == 1 else "both"}
        mine.append({**shown(state.directory, kinds.queue, queue), **kind})
    return listed(request, (fitted_item(request.operation, queue) for queue in mine))
