"""Pure: queues, their agents and supervisors, and the callbacks booked in them.

No event reports changes of most of a queue's settings. ``task_queue_move`` holds those that applied
to a waiting task, and the reference topic brings those of the REST API.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import (
    account_id,
    alive,
    attributes,
    cells_of,
    deleted,
    registers_of,
    user_id,
    values_of,
)
from sinks.postgres.model.families.user import read_user
from sinks.postgres.model.json_fields import id_text, moment_ms, object_in, objects_in
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column, columns_of

queue_id: Final = Column("cc_queue_id", "text")

queueing: Final = (
    *columns_of("integer", "max_wait_time", "wrap_up_time", "max_engagement_in_queue"),
    Column("short_abandon_enable", "boolean"),
    *columns_of(
        "integer",
        "short_abandon_threshold",
        "distribution_type",
        "distribution_duration_in_seconds",
    ),
)
"""Settings that events of waiting tasks repeat."""

settings: Final = attributes(
    *columns_of("text", "queue_name", "queue_description"),
    *columns_of("integer", "dispositions_count", "disposition_sets_count"),
    Column("channel_types", "text[]"),
    *queueing,
    *columns_of("text", "connecting_media_id", "connecting_media_name"),
    *columns_of("text", "transferring_media_id", "transferring_media_name"),
    *columns_of("text", "holding_media_id", "holding_media_name"),
    *columns_of("text", "waiting_room_id", "waiting_room_name", "message_accept"),
    *columns_of("boolean", "wrap_up_expiration", "overflow_to_goodbye_message"),
    *columns_of("text", "overflow_to_cc_queue_id", "overflow_to_flow_id", "overflow_to_inbox_id"),
    Column("auto_close_message_enabled", "boolean"),
    Column("auto_close_message", "text"),
    Column("auto_close_timeout", "integer"),
    Column("auto_close_alert_message_enabled", "boolean"),
    Column("auto_close_alert_message", "text"),
    Column("auto_close_alert_message_time", "integer"),
    Column("recording_storage_location", "text"),
    Column("queue_created_time", "timestamptz"),
    queue_id=Column("legacy_queue_id", "text"),
)

service_level: Final = attributes(
    *columns_of(
        "integer",
        "service_level_threshold_in_seconds",
        "service_level_target_in_percentage",
    ),
    *columns_of(
        "boolean",
        "service_level_exclude_short_abandoned_calls",
        "service_level_exclude_long_abandoned_calls",
        "service_level_exclude_abandoned_quit_engagements",
    ),
)

_operating_hours: Final = attributes(
    *columns_of("text", "business_hour_id", "business_hour_name"),
    *columns_of("text", "closure_set_id", "closure_set_name"),
    *columns_of("boolean", "account_default_business_hour", "account_default_closure_set"),
)

queue: Final = Projection(
    "queue",
    (account_id, queue_id),
    (
        *registers_of(settings, service_level, _operating_hours),
        VersionedColumns("channel", (Column("channel", "text"),)),
        VersionedColumns("teams", columns_of("text[]", "team_ids", "team_names")),
        deleted,
    ),
    (MinMaxColumn("looked_up_at", "greatest"),),
)

member: Final = Projection(
    "queue_member",
    (account_id, queue_id, user_id, Column("persona", "text")),
    (
        VersionedColumns("assigned", (Column("assigned", "boolean"),)),
        VersionedColumns("opted_in", (Column("opted_in", "boolean"),)),
    ),
)

_attendee: Final = attributes(
    *columns_of("text", "first_name", "last_name", personal="person_name"),
    Column("email", "text", "email"),
    Column("phone_number", "text", "phone"),
)

scheduled_callback: Final = Projection(
    "scheduled_callback",
    (
        account_id,
        queue_id,
        Column("start_time", "timestamptz"),
        Column("attendee_id", "text", "pseudonymous_id"),
    ),
    (
        VersionedColumns(
            "booking",
            (
                *_attendee.values(),
                Column("channel", "text"),
                Column("booked_at", "timestamptz"),
                Column("event_id", "text"),
            ),
        ),
    ),
)
"""Zoom gives a callback no id: person, queue and time are its key."""

_memberships: Final[Mapping[str, tuple[str, str, bool]]] = {
    "contact_center.queue_agent_assigned": ("agent", "assigned", True),
    "contact_center.queue_agent_unassigned": ("agent", "assigned", False),
    "contact_center.queue_supervisor_assigned": ("supervisor", "assigned", True),
    "contact_center.queue_supervisor_unassigned": ("supervisor", "assigned", False),
    "contact_center.user_opt_in": ("agent", "opted_in", True),
    "contact_center.user_opt_out": ("agent", "opted_in", False),
}
"""Persona, register and its value. Only an agent opts in to a queue."""


def _queue(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    queue_id = event.text("cc_queue_id")
    if queue_id is not None:
        updates = object_in(event.object, "updates") or event.object
        registers = {
            **values_of(event.object, settings),
            **values_of(updates, service_level),
            **values_of(updates, _operating_hours),
            **_existence(event),
        }
        yield ColumnUpdate(queue, (event.account_id, queue_id), registers)


def _existence(event: ParsedEvent) -> Mapping[str, Values]:
    match event.name:
        case "contact_center.queue_created":
            return alive
        case "contact_center.queue_deleted":
            return {deleted.name: (event.occurred_at_ms,)}
        case _:
            return {}


def _membership(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    queue_id, person = event.text("cc_queue_id"), event.text("user_id")
    if queue_id is not None and person is not None:
        persona, register, value = _memberships[event.name]
        key = event.account_id, queue_id, person, persona
        yield ColumnUpdate(member, key, {register: (value,)})


def _booked(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    queue_id, start_ms = event.text("cc_queue_id"), moment_ms(event.object, "start_time")
    if queue_id is None or start_ms is None:
        return
    booked = event.text("queue_channel"), event.occurred_at_ms, event.event_id
    for attendee in objects_in(event.object, "attendees"):
        if attendee_id := id_text(attendee, "attendee_id"):
            key = event.account_id, queue_id, start_ms, attendee_id
            cells = (*cells_of(attendee, _attendee), *booked)
            yield ColumnUpdate(scheduled_callback, key, {"booking": cells})


projections: Final = (queue, member, scheduled_callback)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    "contact_center.queue_created": (_queue,),
    "contact_center.queue_deleted": (_queue,),
    "contact_center.queue_inbound_sla_updated": (_queue,),
    "contact_center.queue_operating_hours_updated": (_queue,),
    "contact_center.queue_scheduled_callback_created": (_queue, _booked),
    **dict.fromkeys(_memberships, (_queue, _membership, read_user)),
}
