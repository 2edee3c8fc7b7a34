"""Pure: the directory's entities as documents, and the requests that read and change them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, cast

from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.rest.documents import ApiError, Document
from simulator.state import directory as kinds
from simulator.state.directory import Directory, DirectoryKind, Tie, derived_id
from simulator.state.lists import listed
from simulator.state.schema_projection import Facts, fitted, fitted_item
from simulator.state.state import State
from simulator.synthetic_values import to_the_second
from zoom.catalogue import find

Method = Literal["list", "get", "create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class _Entity:
    """Names of a kind's operations, ``get_<name>`` and so on, and the name of its id in paths."""

    kind: DirectoryKind
    name: str
    plural: str
    path: str
    methods: tuple[Method, ...] = ("list", "get", "create", "update", "delete")


_entities: Final = (
    _Entity(kinds.user, "user", "users", "user_id"),
    _Entity(kinds.queue, "queue", "queues", "queue_id"),
    _Entity(kinds.flow, "flow", "flows", "flow_id", ("list", "get", "update", "delete")),
    _Entity(kinds.team, "team", "teams", "team_id"),
    _Entity(kinds.disposition, "disposition", "dispositions", "disposition_id"),
    _Entity(kinds.skill, "skill", "skills", "skill_id"),
    _Entity(kinds.role, "role", "roles", "role_id"),
    _Entity(kinds.system_status, "system_status", "system_statuses", "status_id"),
    _Entity(kinds.inbox, "inbox", "inboxes", "inbox_id", ("list", "get", "create", "update")),
    _Entity(kinds.business_hour, "business_hour", "business_hours", "business_hour_id"),
    _Entity(kinds.closure_set, "closure_set", "closure_sets", "closure_set_id"),
    _Entity(kinds.asset, "asset", "assets", "asset_id"),
    _Entity(kinds.disposition_set, "disposition_set", "disposition_sets", "disposition_set_id"),
    _Entity(kinds.skill_category, "skill_category", "skill_categories", "skill_category_id"),
    _Entity(kinds.asset_category, "asset_category", "asset_categories", "category_id"),
    _Entity(kinds.region, "region", "regions", "region_id"),
    _Entity(kinds.unit, "address_book_unit", "address_book_units", "unit_id"),
    _Entity(kinds.address_book, "address_book", "address_books", "address_book_id"),
    _Entity(kinds.contact, "address_book_contact", "address_book_contacts", "contact_id"),
    _Entity(kinds.campaign, "campaign", "campaigns", "campaign_id"),
    _Entity(kinds.variable_group, "variable_group", "variable_groups", "variable_group_id"),
    _Entity(
        kinds.agent_routing_profile,
        "agent_routing_profile",
        "agent_routing_profiles",
        "agent_routing_profile_id",
    ),
    _Entity(
        kinds.consumer_routing_profile,
        "consumer_routing_profile",
        "consumer_routing_profiles",
        "consumer_routing_profile_id",
    ),
    _Entity(kinds.queue_template, "queue_template", "queue_templates", "queue_template_id"),
    _Entity(kinds.storage_location, "storage_location", "storage_locations", "", ("list",)),
)

_getters: Final = {entity.kind: f"get_{entity.name}" for entity in _entities if entity.path}


def entity_answers(state: State) -> Mapping[str, Answer]:
    """Answer the operations that read, add, change and remove entities."""
    answers: dict[str, Answer] = {
        "get_queue_operating_hours": partial(_get, state, kinds.queue, "queue_id"),
        "list_flow_entry_points": partial(_entry_points, state),
        "list_entry_points_of_flows": partial(_all_entry_points, state),
        "update_queue_operating_hours": partial(_update, state, kinds.queue, "queue_id"),
        "move_team": partial(_update, state, kinds.team, "team_id"),
        "update_user_status": partial(_user_status, state),
    }
    for entity in _entities:
        offered: Mapping[Method, Answer] = {
            "list": partial(_list, state, entity.kind),
            "get": partial(_get, state, entity.kind, entity.path),
            "create": partial(_create, state, entity.kind),
            "update": partial(_update, state, entity.kind, entity.path),
            "delete": partial(_delete, state, entity.kind, entity.path),
        }
        for method in entity.methods:
            name = entity.plural if method == "list" else entity.name
            answers[f"{method}_{name}"] = offered[method]
    return answers | {"list_address_book_contacts": partial(_contacts, state)}


def find_or_404(state: State, kind: DirectoryKind, key: str, *, request: RestRequest) -> Facts:
    """Return the entity of a request, by id, alias, or name where the request says so.

    Raises:
        ApiError: there is none: 404 with the code of the kind.
    """
    by_name = "name" in {v for n, v in request.query.items() if n.endswith("_identifier_type")}
    entity = state.directory.find(kind, key, by="name" if by_name else "id")
    if entity is None:
        codes = find(_getters[kind]).errors.get(404, ())
        raise ApiError(
            404, codes[0] if codes else 404, f"{kind.category}: there is none of this id"
        )
    return entity


def shown(directory: Directory, kind: DirectoryKind, facts: Facts) -> Facts:
    """Return an entity with the members derived from other entities."""
    return {**facts, **_shown[kind](directory, facts)} if kind in _shown else facts


def user_shown(directory: Directory, user_id: str) -> Facts:
    """Return a user under all names in lists of users; of a deleted one, the id."""
    facts = directory.find(kinds.user, user_id)
    if facts is None:
        return {"user_id": user_id}
    name = {"user_display_name": facts.get("display_name")}
    return {**shown(directory, kinds.user, facts), **name}


def _list(state: State, kind: DirectoryKind, request: RestRequest) -> Listing:
    directory = state.directory
    entities = (shown(directory, kind, facts) for facts in directory.every(kind))
    return listed(request, (fitted_item(request.operation, facts) for facts in entities))


def _get(state: State, kind: DirectoryKind, path: str, request: RestRequest) -> Document:
    facts = find_or_404(state, kind, request.path[path], request=request)
    return fitted(request.operation, shown(state.directory, kind, facts))


def _entry_points(state: State, request: RestRequest) -> Listing:
    facts = find_or_404(state, kinds.flow, request.path["flow_id"], request=request)
    points = cast("list[Facts]", facts.get("entry_points", []))
    return listed(request, (fitted_item(request.operation, point) for point in points))


def _all_entry_points(state: State, request: RestRequest) -> Listing:
    points = (
        {"channel": flow.get("channel"), "channel_source": flow.get("channel_source"), **point}
        for flow in state.directory.every(kinds.flow)
        for point in cast("list[Facts]", flow.get("entry_points", []))
    )
    return listed(request, (fitted_item(request.operation, point) for point in points))


def _contacts(state: State, request: RestRequest) -> Listing:
    book = find_or_404(state, kinds.address_book, request.path["address_book_id"], request=request)
    contacts = (
        {**contact, "address_book_name": book.get("address_book_name")}
        for contact in state.directory.every(kinds.contact)
        if contact.get("address_book_id") == book["address_book_id"]
    )
    return listed(request, (fitted_item(request.operation, contact) for contact in contacts))


def _create(state: State, kind: DirectoryKind, request: RestRequest) -> Document:
    """Add an entity, with an id of its own and other ids derived from it."""
    facts = {**_new.get(kind, {}), **request.path, **cast("Facts", request.body or {})}
    added = state.directory.added(kind, facts, time=_now(request), by=state.owner_id)
    key = str(added[kind.id_member])
    ids = [alias for alias in kind.aliases if alias.endswith("_id")]
    state.directory.became(kind, key, {alias: derived_id(alias, key) for alias in ids})
    return fitted(request.operation, shown(state.directory, kind, added))


def _update(state: State, kind: DirectoryKind, path: str, request: RestRequest) -> None:
    facts = find_or_404(state, kind, request.path[path], request=request)
    key = str(facts[kind.id_member])
    body = cast("Facts", request.body or {})
    state.directory.changed(kind, key, body, time=_now(request), by=state.owner_id)


def _delete(state: State, kind: DirectoryKind, path: str, request: RestRequest) -> None:
    facts = find_or_404(state, kind, request.path[path], request=request)
    key = str(facts[kind.id_member])
    state.directory.removed(kind, key, time=_now(request), by=state.owner_id)


def _user_status(state: State, request: RestRequest) -> None:
    """Set the status of a user; its name follows, and without a sub status it is cleared."""
    facts = find_or_404(state, kinds.user, request.path["user_id"], request=request)
    body = cast("Facts", request.body or {})
    status = find_or_404(state, kinds.system_status, str(body.get("status_id")), request=request)
    names = {"status_name": status["status_name"], "sub_status_id": None, "sub_status_name": None}
    state.directory.became(kinds.user, str(facts["user_id"]), names | dict(body))


def _now(request: RestRequest) -> str:
    return to_the_second(round(request.now.timestamp() * 1000))


def _user(directory: Directory, facts: Facts) -> Facts:
    user_id = str(facts["user_id"])
    ties: tuple[Tie, ...] = ("team_agents", "team_supervisors")
    owners = {owner: None for tie in ties for owner in directory.owners(tie, user_id)}
    teams = (directory.find(kinds.team, owner) for owner in owners)
    role = directory.find(kinds.role, str(facts.get("role_id"))) or {}
    return {
        "role_name": role.get("role_name", facts.get("role_name")),
        "teams": [
            {"team_id": team["team_id"], "team_name": team["team_name"]} for team in teams if team
        ],
    }


def _queue(directory: Directory, facts: Facts) -> Facts:
    key = str(facts["cc_queue_id"])
    return {
        "agents_count": len(directory.members("queue_agents", key)),
        "supervisors_count": len(directory.members("queue_supervisors", key)),
        "teams": [],
    }


def _team(directory: Directory, facts: Facts) -> Facts:
    parent = directory.find(kinds.team, str(facts.get("parent_team_id"))) or {}
    return {"parent_team_name": parent.get("team_name", facts.get("parent_team_name"))}


def _role(directory: Directory, facts: Facts) -> Facts:
    users = directory.every(kinds.user)
    return {"total_users": sum(user.get("role_id") == facts["role_id"] for user in users)}


def _skill(directory: Directory, facts: Facts) -> Facts:
    return {"total_users": sum(1 for _ in directory.owners("user_skills", str(facts["skill_id"])))}


def _disposition(directory: Directory, _facts: Facts) -> Facts:
    return {"queue_count": len(directory.every(kinds.queue))}


def _hours(directory: Directory, facts: Facts) -> Facts:
    """Count the users of business hours or closures; flows never use them here."""
    key = "business_hour_id" if "business_hour_id" in facts else "closure_set_id"
    queues = directory.every(kinds.queue)
    return {"queues_count": sum(q.get(key) == facts[key] for q in queues), "flows_count": 0}


def _asset(_directory: Directory, facts: Facts) -> Facts:
    return {
        "asset_category_id": facts.get("category_id"),
        "asset_category_name": facts.get("category_name"),
    }


def _disposition_set(directory: Directory, _facts: Facts) -> Facts:
    """Every set has all dispositions."""
    return {"dispositions": directory.every(kinds.disposition), "queues": []}


def _address_book(directory: Directory, facts: Facts) -> Facts:
    key = facts["address_book_id"]
    contacts = [c for c in directory.every(kinds.contact) if c.get("address_book_id") == key]
    unit = directory.find(kinds.unit, str(facts.get("unit_id"))) or {}
    return {"total_contacts": len(contacts), "unit_name": unit.get("unit_name")}


def _contact(directory: Directory, facts: Facts) -> Facts:
    book = directory.find(kinds.address_book, str(facts.get("address_book_id"))) or {}
    return {"address_book_name": book.get("address_book_name")}


def _queue_template(_directory: Directory, facts: Facts) -> Facts:
    """Name the members as lists of templates do."""
    return {name.removeprefix("queue_"): value for name, value in facts.items()}


_shown: Final[Mapping[DirectoryKind, Callable[[Directory, Facts], Facts]]] = {
    kinds.user: _user,
    kinds.queue: _queue,
    kinds.team: _team,
    kinds.role: _role,
    kinds.skill: _skill,
    kinds.disposition: _disposition,
    kinds.business_hour: _hours,
    kinds.closure_set: _hours,
    kinds.asset: _asset,
    kinds.disposition_set: _disposition_set,
    kinds.address_book: _address_book,
    kinds.contact: _contact,
    kinds.queue_template: _queue_template,
}

_new: Final[Mapping[DirectoryKind, Facts]] = {
    kinds.user: {"status_id": "0", "status_name": "Offline", "user_access": "active"},
    kinds.disposition: {"status": "active", "disposition_type": "single"},
    kinds.skill: {"skill_type": "text"},
    kinds.inbox: {"inbox_type": "voicemail"},
    kinds.closure_set: {"closure_set_description": "", "account_default": False, "closures": []},
    kinds.business_hour: {"account_default": False},
    kinds.asset: {"archived": False, "asset_items": []},
}
"""The defaults of a new entity."""
