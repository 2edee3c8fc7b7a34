"""Pure: how events of users, queues, teams, hours, closures and assets change the directory.

``updates`` holds new values only; other members stay unchanged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from simulator.state import directory as kinds
from simulator.state.directory import Directory, DirectoryKind, Tie, derived_id
from simulator.state.schema_projection import Facts
from simulator.state.words import queue_words, user_words

status_members: Final = ("status_id", "status_name", "sub_status_id", "sub_status_name")


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """An event that changes the directory: its payload, time and author."""

    event: str
    payload: Facts
    time: str
    by: str

    @property
    def updates(self) -> Facts:
        """The new values, if it has any."""
        return cast("Facts", self.payload.get("updates", {}))

    def text(self, member: str) -> str:
        """Return a member that every such event has."""
        return str(self.payload[member])


def apply_change(directory: Directory, change: DirectoryChange) -> None:
    """Apply an event to the directory, if it changes it.

    Some events of a queue hold its legacy id as well.
    """
    if "queue_id" in change.payload and "cc_queue_id" in change.payload:
        legacy = {"queue_id": change.payload["queue_id"]}
        directory.became(kinds.queue, change.text("cc_queue_id"), legacy)
    if change.event in _changers:
        _changers[change.event](directory, change)


def _user_created(directory: Directory, change: DirectoryChange) -> None:
    facts = user_words(change.payload)
    facts["cc_user_id"] = derived_id("Contact Center user", change.payload["user_id"])
    directory.added(kinds.user, facts, time=change.time, by=change.by)
    for team in cast("list[Facts]", change.payload.get("teams", [])):
        directory.tied("team_agents", str(team["team_id"]), change.text("user_id"))


def _user_updated(directory: Directory, change: DirectoryChange) -> None:
    _set(directory, kinds.user, change, user_words(change.updates))


def _user_deleted(directory: Directory, change: DirectoryChange) -> None:
    for gone in cast("list[Facts]", change.payload["users"]):
        directory.removed(kinds.user, str(gone["user_id"]), time=change.time, by=change.by)


def _user_status_changed(directory: Directory, change: DirectoryChange) -> None:
    state = {name: change.payload.get(f"current_{name}") for name in status_members}
    directory.became(kinds.user, change.text("user_id"), state)


def _user_skills(directory: Directory, change: DirectoryChange) -> None:
    tie = directory.untied if change.event.endswith("unassigned") else directory.tied
    for skill in cast("list[Facts]", change.payload["skills"]):
        tie("user_skills", change.text("user_id"), str(skill["skill_id"]))


def _user_opted(directory: Directory, change: DirectoryChange) -> None:
    queue_id, user_id = change.text("cc_queue_id"), change.text("user_id")
    if user_id in directory.members("queue_agents", queue_id):
        status = {"opt_in_out_status": 2 if change.event.endswith("out") else 0}
        directory.tied("queue_agents", queue_id, user_id, status)


def _queue_created(directory: Directory, change: DirectoryChange) -> None:
    facts = queue_words(change.payload)
    directory.added(kinds.queue, facts, time=change.time, by=change.by)


def _queue_member(directory: Directory, change: DirectoryChange) -> None:
    tie = directory.untied if change.event.endswith("unassigned") else directory.tied
    relation: Tie = "queue_supervisors" if "supervisor" in change.event else "queue_agents"
    tie(relation, change.text("cc_queue_id"), change.text("user_id"))


def _team_updated(directory: Directory, change: DirectoryChange) -> None:
    _set(directory, kinds.team, change, change.payload)


def _team_moved(directory: Directory, change: DirectoryChange) -> None:
    names = ("parent_team_id", "parent_team_name")
    _set(directory, kinds.team, change, {name: change.payload[f"new_{name}"] for name in names})


def _team_members(directory: Directory, change: DirectoryChange) -> None:
    tie = directory.untied if change.event.endswith("unassigned") else directory.tied
    supervise = change.payload["team_role"] == "supervisor"
    relation: Tie = "team_supervisors" if supervise else "team_agents"
    for user_id in cast("list[str]", change.payload["user_ids"]):
        tie(relation, change.text("team_id"), user_id)


def _closure_updated(directory: Directory, change: DirectoryChange) -> None:
    known = directory.find(kinds.closure_set, change.text("closure_set_id")) or {}
    updates = dict(change.updates)
    if "closures" in updates:
        updates["closures"] = _by_id(known.get("closures"), updates["closures"], "closure_id")
    _set(directory, kinds.closure_set, change, updates)


def _asset_updated(directory: Directory, change: DirectoryChange) -> None:
    known = directory.find(kinds.asset, change.text("asset_id")) or {}
    updates = dict(change.updates)
    items = _by_id(known.get("asset_items"), updates.get("asset_item_added"), "asset_item_id")
    items = _by_id(items, updates.get("asset_item_updated"), "asset_item_id")
    deleted = cast("list[Facts]", updates.get("asset_item_deleted", []))
    gone = {item["asset_item_id"] for item in deleted}
    updates["asset_items"] = [item for item in items if item["asset_item_id"] not in gone]
    if updates.get("restore"):
        updates |= {"archived": False, "archived_time": None}
    _set(directory, kinds.asset, change, updates)


def _asset_deleted(directory: Directory, change: DirectoryChange) -> None:
    if change.payload.get("archived"):
        archived = {"archived": True, "archived_time": change.payload.get("archived_time")}
        _set(directory, kinds.asset, change, archived)
    else:
        _removed(kinds.asset)(directory, change)


def _set(directory: Directory, kind: DirectoryKind, change: DirectoryChange, facts: Facts) -> None:
    key = change.text(kind.id_member)
    directory.changed(kind, key, facts, time=change.time, by=change.by)


Changer = Callable[[Directory, DirectoryChange], None]


def _created(kind: DirectoryKind) -> Changer:
    def created(directory: Directory, change: DirectoryChange) -> None:
        directory.added(kind, change.payload, time=change.time, by=change.by)

    return created


def _updated(kind: DirectoryKind) -> Changer:
    def updated(directory: Directory, change: DirectoryChange) -> None:
        _set(directory, kind, change, change.updates)

    return updated


def _removed(kind: DirectoryKind) -> Changer:
    def removed(directory: Directory, change: DirectoryChange) -> None:
        directory.removed(kind, change.text(kind.id_member), time=change.time, by=change.by)

    return removed


def _by_id(known: object, changed: object, id_member: str) -> list[dict[str, object]]:
    """Return the known parts with their changes, then new ones."""
    parts: dict[object, dict[str, object]] = {}
    for part in (*cast("list[Facts]", known or []), *cast("list[Facts]", changed or [])):
        parts[part[id_member]] = parts.get(part[id_member], {}) | dict(part)
    return list(parts.values())


_changers: Final[Mapping[str, Changer]] = {
    "user_created": _user_created,
    "user_updated": _user_updated,
    "user_deleted": _user_deleted,
    "user_status_changed": _user_status_changed,
    "user_skills_assigned": _user_skills,
    "user_skills_unassigned": _user_skills,
    "user_opt_in": _user_opted,
    "user_opt_out": _user_opted,
    "queue_created": _queue_created,
    "queue_deleted": _removed(kinds.queue),
    "queue_agent_assigned": _queue_member,
    "queue_agent_unassigned": _queue_member,
    "queue_supervisor_assigned": _queue_member,
    "queue_supervisor_unassigned": _queue_member,
    "queue_inbound_sla_updated": _updated(kinds.queue),
    "queue_operating_hours_updated": _updated(kinds.queue),
    "team_created": _created(kinds.team),
    "team_updated": _team_updated,
    "team_moved": _team_moved,
    "team_deleted": _removed(kinds.team),
    "team_members_assigned": _team_members,
    "team_members_unassigned": _team_members,
    "business_hours_created": _created(kinds.business_hour),
    "business_hours_updated": _updated(kinds.business_hour),
    "business_hours_deleted": _removed(kinds.business_hour),
    "closure_created": _created(kinds.closure_set),
    "closure_updated": _closure_updated,
    "closure_deleted": _removed(kinds.closure_set),
    "asset_created": _created(kinds.asset),
    "asset_updated": _asset_updated,
    "asset_deleted": _asset_deleted,
}
