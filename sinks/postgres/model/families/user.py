"""Pure: users, their assignments, and their activity: work states, logins.

A change of state names the former state, but not its start. So changes are stored as they come, and
the views ``user_status_history`` and ``user_session`` close each with the next one. Assignments
come one by one, so each skill and each number is a row that says whether it still applies.
"""

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
from sinks.postgres.model.families.participants import team_registers
from sinks.postgres.model.json_fields import id_text, object_in, objects_in, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    Projection,
    Reader,
    Values,
    VersionedColumns,
    event_columns,
    event_table,
)
from sinks.postgres.model.tables import Column, columns_of

profile: Final = attributes(
    Column("display_name", "text", "person_name"),
    Column("user_email", "text", "email"),
    *columns_of("text", "role_id", "role_name", "client_integration", "user_access"),
    Column("country_iso_code", "text", "location"),
    Column("emergency_calling", "boolean"),
    Column("user_intents", "jsonb"),
)
"""Members of a user, or of ``updates``, that are columns unchanged."""

looked_up: Final = attributes(
    Column("cc_user_id", "text", "user_ref"),
    Column("region_id", "text"),
    Column("region_name", "text", "location"),
)
"""Attributes that only the REST API has."""

package: Final = attributes(Column("package_name", "text"))

_parts: Final = {
    "channel_settings": attributes(
        *columns_of("integer", "concurrent_message_capacity", "concurrent_email_capacity"),
        *columns_of("boolean", "messaging_occupied", "email_occupied"),
    ),
    "multi_channel_engagements": attributes(
        *columns_of("integer", "max_agent_load", "email_max_agent_load"),
        enable=Column("multi_channel_enabled", "boolean"),
    ),
    "external_url": attributes(
        Column("external_launch_url", "text", "url"),
        enable=Column("external_url_enabled", "boolean"),
    ),
    "user_package": package,
}
"""Members that are objects, and their own members."""

user: Final = Projection(
    "app_user",
    (account_id, user_id),
    (
        *registers_of(profile, looked_up, *_parts.values()),
        VersionedColumns("add_ons_plans", (Column("add_ons_plans", "text[]"),)),
        VersionedColumns("teams", columns_of("text[]", "team_ids", "team_names")),
        VersionedColumns("status", columns_of("text", "status_id", "status_name")),
        VersionedColumns("sub_status", columns_of("text", "sub_status_id", "sub_status_name")),
        deleted,
    ),
    looked_up_lifetime,
)

_assigned: Final = VersionedColumns("assigned", (Column("assigned", "boolean"),))

skill: Final = Projection(
    "user_skill", (account_id, user_id, Column("skill_id", "text")), (_assigned,)
)

phone_number: Final = Projection(
    "user_phone_number",
    (account_id, user_id, Column("phone_number_id", "text")),
    (VersionedColumns("phone_number", (Column("phone_number", "text", "phone"),)), _assigned),
)

_fact_key: Final = (
    account_id,
    user_id,
    Column("occurred_at", "timestamptz"),
    *event_columns,
)

_status_members: Final = ("status_id", "status_name", "sub_status_id", "sub_status_name")

status_change: Final = event_table(
    "user_status_change",
    _fact_key,
    *columns_of("text", *_status_members),
    *columns_of("text", *(f"previous_{name}" for name in _status_members)),
)

presence: Final = event_table("user_presence", _fact_key, Column("presence", "text"))

_presences: Final = {
    "contact_center.user_login": "login",
    "contact_center.user_logout": "logout",
}


def read_user(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    """Yield the update of the user at the top of an event."""
    yield from _user(event, {})


def _user(event: ParsedEvent, registers: Mapping[str, Values]) -> Iterator[ColumnUpdate]:
    user_id = event.text("user_id")
    if user_id is not None:
        known_registers = {
            **values_of(event.object, profile),
            **registers,
            **team_registers(event.object),
        }
        yield ColumnUpdate(user, (event.account_id, user_id), known_registers)


def _created(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    for update in _user(event, {**_settings(event.object), **alive}):
        yield update._replace(bounds={"created_at": event.occurred_at_ms})


def _updated(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    updates = object_in(event.object, "updates") or {}
    yield from _user(event, {**values_of(updates, profile), **_settings(updates)})


def _settings(entity: JsonObject) -> Mapping[str, Values]:
    """Return an object's attributes beyond its plain members."""
    values: dict[str, Values] = {}
    for name, part in _parts.items():
        outer = entity
        if name == "multi_channel_engagements":
            outer = object_in(entity, "channel_settings") or {}
        values |= values_of(object_in(outer, name) or {}, part)
    if isinstance(entity.get("user_add_ons_plans"), list):
        plans = (text(p, "add_ons_plan_name") for p in objects_in(entity, "user_add_ons_plans"))
        values["add_ons_plans"] = (tuple(plan for plan in plans if plan),)
    return values | _status(entity, prefix="")


def _status(entity: JsonObject, *, prefix: str) -> dict[str, Values]:
    """Return the work state; a missing sub status clears it, unless it alone changed."""
    values: dict[str, Values] = {}
    status, sub_status = _pair(entity, f"{prefix}status"), _pair(entity, f"{prefix}sub_status")
    if any(status):
        values["status"] = status
    if any(status) or any(sub_status):
        values["sub_status"] = sub_status
    return values


def _pair(entity: JsonObject, prefix: str) -> Values:
    return text(entity, f"{prefix}_id"), text(entity, f"{prefix}_name")


def _status_changed(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    entity = event.object
    for update in _user(event, _status(entity, prefix="current_")):
        yield update
        cells = tuple(
            text(entity, f"{when}_{name}")
            for when in ("current", "previous")
            for name in _status_members
        )
        yield ColumnUpdate(status_change, _moment(event, update), {"event": cells})


def _presence(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    for update in _user(event, {}):
        yield update
        yield ColumnUpdate(presence, _moment(event, update), {"event": (_presences[event.name],)})


def _moment(event: ParsedEvent, update: ColumnUpdate) -> Values:
    return (*update.key, event.occurred_at_ms, event.event_id, event.event_ts_ms)


def _skills(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    known_registers = {"assigned": (event.name == "contact_center.user_skills_assigned",)}
    for update in _user(event, {}):
        yield update
        for each in objects_in(event.object, "skills"):
            if skill_id := id_text(each, "skill_id"):
                yield ColumnUpdate(skill, (*update.key, skill_id), known_registers)


def _phone_numbers(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    assigned: Mapping[str, Values] = {
        "assigned": (event.name == "contact_center.user_phone_numbers_assigned",)
    }
    for update in _user(event, {}):
        yield update
        for each in objects_in(event.object, "phone_numbers"):
            if number_id := id_text(each, "phone_number_id"):
                number = text(each, "phone_number")
                known_registers = {**assigned, "phone_number": (number,)} if number else assigned
                yield ColumnUpdate(phone_number, (*update.key, number_id), known_registers)


def _deleted(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    for each in objects_in(event.object, "users"):
        if user_id := text(each, "user_id"):
            known_registers = {deleted.name: (event.occurred_at_ms,)}
            yield ColumnUpdate(user, (event.account_id, user_id), known_registers)


projections: Final = (user, skill, phone_number, status_change, presence)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    "contact_center.user_created": (_created,),
    "contact_center.user_updated": (_updated,),
    "contact_center.user_deleted": (_deleted,),
    "contact_center.user_status_changed": (_status_changed,),
    **dict.fromkeys(_presences, (_presence,)),
    "contact_center.user_skills_assigned": (_skills,),
    "contact_center.user_skills_unassigned": (_skills,),
    "contact_center.user_phone_numbers_assigned": (_phone_numbers,),
    "contact_center.user_phone_numbers_unassigned": (_phone_numbers,),
}
