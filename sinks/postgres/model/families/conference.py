"""Pure: the events of conferences, and their participants at each time."""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.participants import teams_of
from sinks.postgres.model.json_fields import id_text, json, object_in, text
from sinks.postgres.model.projection import ColumnUpdate, Reader, event_columns, event_table
from sinks.postgres.model.tables import Column, columns_of

_actions: Final = {
    "contact_center.engagement_conference_participant_invited": ("invited", "invited_participant"),
    "contact_center.engagement_conference_participant_joined": ("joined", "joining_participant"),
    "contact_center.engagement_conference_participant_left": ("left", "leaving_participant"),
    "contact_center.engagement_conference_participant_canceled": (
        "invitation_canceled",
        "canceled_participant",
    ),
    "contact_center.engagement_conference_participant_rejected": (
        "rejected",
        "rejecting_participant",
    ),
    "contact_center.engagement_conference_participant_timeout": (
        "timed_out",
        "timed_out_participant",
    ),
    "contact_center.engagement_conference_canceled": ("canceled", ""),
}
"""The action, and the member with its target."""

conference_event: Final = event_table(
    "conference_event",
    (*columns_of("text", "account_id", "conference_id"), *event_columns),
    Column("occurred_at", "timestamptz"),
    *columns_of("text", "engagement_id", "action"),
    Column("participant_user_id", "text", "pseudonymous_id"),
    Column("participant_phone_number", "text", "phone"),
    *columns_of("text", "participant_queue_id", "division_id", "division_name"),
    *columns_of("text[]", "team_ids", "team_names"),
    Column("participants", "jsonb", "document"),
)

projections: Final = (conference_event,)


def _conference(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    entity = event.object
    conference_id = id_text(entity, "conference_id")
    if conference_id is None:
        return
    action, member = _actions[event.name]
    participant = object_in(entity, member) or {}
    cells = (
        event.occurred_at_ms,
        event.engagement_id,
        action,
        id_text(participant, "participant_user_id"),
        text(participant, "participant_phone_number"),
        id_text(participant, "participant_queue_id"),
        text(entity, "division_id"),
        text(entity, "division_name"),
        *teams_of(entity),
        json(entity, "conference_participants"),
    )
    key = event.account_id, conference_id, event.event_id, event.event_ts_ms
    yield ColumnUpdate(conference_event, key, {"event": cells})


readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys(_actions, (_conference,))
