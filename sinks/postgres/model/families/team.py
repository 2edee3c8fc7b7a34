"""Pure: teams, their parents, and their members."""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.envelope import JsonObject
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import (
    account_id,
    alive,
    attributes,
    deleted,
    looked_up_lifetime,
    registers_of,
    user_id,
    values_of,
)
from sinks.postgres.model.json_fields import text, texts
from sinks.postgres.model.projection import (
    ColumnUpdate,
    Projection,
    Reader,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column, columns_of

profile: Final = attributes(*columns_of("text", "team_name", "team_description"))

team: Final = Projection(
    "team",
    (account_id, Column("team_id", "text")),
    (
        *registers_of(profile),
        VersionedColumns("parent", columns_of("text", "parent_team_id", "parent_team_name")),
        deleted,
    ),
    looked_up_lifetime,
)

member: Final = Projection(
    "team_member",
    (account_id, Column("team_id", "text"), user_id, Column("team_role", "text")),
    (VersionedColumns("assigned", (Column("assigned", "boolean"),)),),
)

_created: Final = "contact_center.team_created"
_deleted: Final = "contact_center.team_deleted"
_moved: Final = "contact_center.team_moved"
_assigned: Final = "contact_center.team_members_assigned"
_unassigned: Final = "contact_center.team_members_unassigned"


def values(entity: JsonObject) -> dict[str, Values]:
    """Return an object's attributes of a team, and its parent where it names one."""
    return values_of(entity, profile) | _parent(entity, prefix="")


def _parent(entity: JsonObject, *, prefix: str) -> dict[str, Values]:
    parent_id = text(entity, f"{prefix}parent_team_id")
    name = text(entity, f"{prefix}parent_team_name")
    return {"parent": (parent_id, name)} if parent_id else {}


def _team(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    team_id = event.text("team_id")
    if team_id is not None:
        registers = {**values(event.object), **_change(event)}
        bounds = {"created_at": event.occurred_at_ms} if event.name == _created else {}
        yield ColumnUpdate(team, (event.account_id, team_id), registers, bounds)


def _change(event: ParsedEvent) -> Mapping[str, Values]:
    if event.name == _moved:
        return _parent(event.object, prefix="new_")
    if event.name == _created:
        return alive
    return {deleted.name: (event.occurred_at_ms,)} if event.name == _deleted else {}


def _members(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    team_id, role = event.text("team_id"), event.text("team_role")
    if team_id is not None and role is not None:
        assigned_registers: Mapping[str, Values] = {"assigned": (event.name == _assigned,)}
        for person in texts(event.object, "user_ids") or ():
            yield ColumnUpdate(
                member, (event.account_id, team_id, person, role), assigned_registers
            )


projections: Final = (team, member)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    **dict.fromkeys((_created, _deleted, _moved, "contact_center.team_updated"), (_team,)),
    _assigned: (_members,),
    _unassigned: (_members,),
}
