"""Pure: the slowly changing entities of the company, their memberships, and the log of changes.

Facts go by the names of the REST API. A membership in several entities at once, such as the agents
of a queue, is a tie.
"""

import base64
import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from simulator.state.schema_projection import Facts

Tie = Literal["queue_agents", "queue_supervisors", "team_agents", "team_supervisors", "user_skills"]
"""Owner and member: ``queue_agents`` ties agents to a queue."""

Action = Literal["Add", "Update", "Delete"]

max_log_entries: Final = 2_000
"""About 1 KB each."""


@dataclass(frozen=True, slots=True)
class DirectoryKind:
    """A kind of entity. ``aliases`` are members that identify it like its id."""

    category: str
    id_member: str
    name_member: str
    aliases: tuple[str, ...] = ()


user: Final = DirectoryKind("Users", "user_id", "display_name", ("cc_user_id", "user_email"))
queue: Final = DirectoryKind("Queues", "cc_queue_id", "queue_name", ("queue_id",))
flow: Final = DirectoryKind("Flows", "flow_id", "flow_name")
team: Final = DirectoryKind("Teams", "team_id", "team_name")
disposition: Final = DirectoryKind("Dispositions", "disposition_id", "disposition_name")
skill: Final = DirectoryKind("Skills", "skill_id", "skill_name")
role: Final = DirectoryKind("Roles", "role_id", "role_name")
system_status: Final = DirectoryKind("System Statuses", "status_id", "status_name")
inbox: Final = DirectoryKind("Inboxes", "inbox_id", "inbox_name")
business_hour: Final = DirectoryKind("Business Hours", "business_hour_id", "business_hour_name")
closure_set: Final = DirectoryKind("Closures", "closure_set_id", "closure_set_name")
asset: Final = DirectoryKind("Asset Library", "asset_id", "asset_name")
disposition_set: Final = DirectoryKind(
    "Disposition Sets", "disposition_set_id", "disposition_set_name"
)
skill_category: Final = DirectoryKind(
    "Skill Categories", "skill_category_id", "skill_category_name"
)
asset_category: Final = DirectoryKind("Asset Categories", "category_id", "category_name")
region: Final = DirectoryKind("Regions", "region_id", "region_name")
unit: Final = DirectoryKind("Address Book Units", "unit_id", "unit_name")
address_book: Final = DirectoryKind("Address Books", "address_book_id", "address_book_name")
contact: Final = DirectoryKind("Contacts", "contact_id", "display_name")
campaign: Final = DirectoryKind("Campaigns", "outbound_campaign_id", "outbound_campaign_name")
variable_group: Final = DirectoryKind("Variable Groups", "variable_group_id", "variable_group_name")
agent_routing_profile: Final = DirectoryKind(
    "Agent Routing Profiles", "agent_routing_profile_id", "agent_routing_profile_name"
)
consumer_routing_profile: Final = DirectoryKind(
    "Consumer Routing Profiles", "consumer_routing_profile_id", "consumer_routing_profile_name"
)
queue_template: Final = DirectoryKind("Queue Templates", "queue_template_id", "queue_template_name")
storage_location: Final = DirectoryKind(
    "Storage Locations", "storage_location_code", "storage_location_name"
)


def derived_id(*parts: object) -> str:
    """Return an id of the usual shape that always belongs to the same parts."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return base64.urlsafe_b64encode(digest)[:22].decode()


class Directory:
    """All entities by kind and id, in the order in which they were added.

    ``time`` is RFC 3339, ``by`` the id of the user who makes a change.
    """

    def __init__(self) -> None:
        self.log: deque[Facts] = deque(maxlen=max_log_entries)
        self._entities: dict[DirectoryKind, dict[str, dict[str, object]]] = {}
        self._ties: dict[Tie, dict[str, dict[str, dict[str, object]]]] = {}
        self._changes = 0

    def every(self, kind: DirectoryKind) -> Sequence[Facts]:
        """Return all entities of a kind."""
        return list(self._entities.get(kind, {}).values())

    def find(
        self, kind: DirectoryKind, key: str, *, by: Literal["id", "name"] = "id"
    ) -> Facts | None:
        """Return the entity with this id, alias or name."""
        members = (kind.id_member, *kind.aliases) if by == "id" else (kind.name_member,)
        if by == "id" and key in self._entities.get(kind, {}):
            return self._entities[kind][key]
        alike = (e for e in self.every(kind) if key in {e.get(member) for member in members})
        return next(alike, None)

    def founded(self, kind: DirectoryKind, facts: Facts) -> None:
        """Add an entity that exists from the start."""
        self._entities.setdefault(kind, {})[str(facts[kind.id_member])] = dict(facts)

    def added(self, kind: DirectoryKind, facts: Facts, *, time: str, by: str) -> Facts:
        """Add an entity; one without an id gets one."""
        key = str(facts.get(kind.id_member) or derived_id(kind.category, time, self._changes))
        times = {"created_time": time, **_changed_members(time, by)}
        self.founded(kind, {kind.id_member: key, **facts, **times})
        self._note("Add", kind, key, time, by)
        return self._entities[kind][key]

    def changed(self, kind: DirectoryKind, key: str, facts: Facts, *, time: str, by: str) -> None:
        """Set members of an entity; an unknown entity is ignored."""
        if key in self._entities.get(kind, {}):
            self.became(kind, key, {**facts, **_changed_members(time, by)})
            self._note("Update", kind, key, time, by)

    def became(self, kind: DirectoryKind, key: str, facts: Facts) -> None:
        """Set members of an entity without a change of its configuration."""
        entity = self._entities.get(kind, {}).get(key)
        if entity is not None:
            entity |= _merged(entity, facts)

    def removed(self, kind: DirectoryKind, key: str, *, time: str, by: str) -> None:
        """Remove an entity and its ties; an unknown entity is ignored."""
        if key not in self._entities.get(kind, {}):
            return
        self._note("Delete", kind, key, time, by)
        del self._entities[kind][key]
        for owners in self._ties.values():
            owners.pop(key, None)
            for members in owners.values():
                members.pop(key, None)

    def tied(self, tie: Tie, owner: str, member: str, facts: Facts | None = None) -> None:
        """Tie a member to an owner, or change the facts of the tie."""
        members = self._ties.setdefault(tie, {}).setdefault(owner, {})
        members[member] = members.get(member, {}) | dict(facts or {})

    def untied(self, tie: Tie, owner: str, member: str) -> None:
        """Remove a tie."""
        self._ties.get(tie, {}).get(owner, {}).pop(member, None)

    def members(self, tie: Tie, owner: str) -> dict[str, dict[str, object]]:
        """Return the members tied to an owner, each with the facts of the tie."""
        return self._ties.get(tie, {}).get(owner, {})

    def owners(self, tie: Tie, member: str) -> Iterator[str]:
        """Yield the owners of a member."""
        return (owner for owner, members in self._ties.get(tie, {}).items() if member in members)

    def _note(self, action: Action, kind: DirectoryKind, key: str, time: str, by: str) -> None:
        self._changes += 1
        name = str(self._entities[kind][key].get(kind.name_member, key))
        operator = self._entities.get(user, {}).get(by, {}).get("display_name", "REST API")
        self.log.append(
            {
                "operation_log_id": derived_id("operation log", self._changes, key),
                "time": time,
                "operator": operator,
                "category": kind.category,
                "action": action,
                "object_id": key,
                "object_name": name,
                "operation_detail": f"{action} {kind.category}: [{name}]",
            }
        )


def _changed_members(time: str, by: str) -> dict[str, object]:
    return {"last_modified_time": time, "modify_time": time, "modified_by": by}


def _merged(entity: Facts, facts: Facts) -> dict[str, object]:
    """Return the new values, merged into inner objects."""
    merged: dict[str, object] = {}
    for name, value in facts.items():
        known = entity.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            merged[name] = known | _merged(known, value)
        else:
            merged[name] = value
    return merged
