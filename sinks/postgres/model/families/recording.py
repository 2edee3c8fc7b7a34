"""Pure: recordings, which outlive their calls.

The two events of a deletion name the recording only, so its engagement may come from an event
before or after them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import account_id, attributes, registers_of, values_of
from sinks.postgres.model.families.routing import (
    engagement_register,
    flow_register,
    queue_register,
    routing_registers,
)
from sinks.postgres.model.json_fields import json, moment_ms, objects_in, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column

_attributes: Final = attributes(
    Column("channel", "text"),
    Column("transcript_url", "text", "url"),
    engagement_direction=Column("direction", "text"),
    recording_type=Column("type", "text"),
    recording_duration=Column("duration_seconds", "integer"),
)

recording: Final = Projection(
    "recording",
    (account_id, Column("recording_id", "text")),
    (
        engagement_register,
        *registers_of(_attributes),
        VersionedColumns(
            "owner",
            (
                Column("owner_type", "text"),
                Column("owner_id", "text", "user_ref"),
                Column("owner_name", "text", "person_name"),
            ),
        ),
        queue_register,
        flow_register,
        VersionedColumns(
            "users",
            (Column("user_ids", "text[]", "user_ref"), Column("users", "jsonb", "document")),
        ),
        VersionedColumns(
            "consumers",
            (
                Column("consumer_ids", "text[]", "pseudonymous_id"),
                Column("consumer_numbers", "text[]", "phone"),
                Column("consumers", "jsonb", "document"),
            ),
        ),
        VersionedColumns("phase", (Column("phase", "text"),)),
    ),
    (
        MinMaxColumn("started_at", "least"),
        MinMaxColumn("ended_at", "greatest"),
        MinMaxColumn("completed_at", "least"),
        MinMaxColumn("transcript_ready_at", "least"),
        MinMaxColumn("deleted_at", "least"),
        MinMaxColumn("purged_at", "least"),
    ),
)

_phases: Final = {
    f"contact_center.recording_{phase}": phase
    for phase in ("started", "paused", "resumed", "stopped")
}

_times: Final = {
    "contact_center.recording_started": "started_at",
    "contact_center.recording_stopped": "ended_at",
    "contact_center.recording_completed": "completed_at",
    "contact_center.recording_transcript_completed": "transcript_ready_at",
    "contact_center.recording_deleted": "deleted_at",
    "contact_center.recording_permanently_deleted": "purged_at",
}

_time_columns: Final = (
    ("started_at", "recording_start_time_ms"),
    ("ended_at", "recording_end_time_ms"),
)


def _recording(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    recording_id = event.text("recording_id")
    if recording_id is not None:
        registers = {
            **values_of(event.object, _attributes),
            **dict(routing_registers(event)),
            **dict(_groups(event)),
        }
        yield ColumnUpdate(recording, (event.account_id, recording_id), registers, _bounds(event))


def _groups(event: ParsedEvent) -> Iterator[tuple[str, Values]]:
    entity = event.object
    if owner_id := event.text("owner_id"):
        yield "owner", (event.text("owner_type"), owner_id, event.text("owner_name"))
    if isinstance(entity.get("users"), list):
        yield "users", (_each(event, "users", "user_id"), json(entity, "users"))
    if isinstance(entity.get("consumers"), list):
        ids = _each(event, "consumers", "consumer_id")
        numbers = _each(event, "consumers", "consumer_number")
        yield "consumers", (ids, numbers, json(entity, "consumers"))
    if phase := _phases.get(event.name):
        yield "phase", (phase,)


def _each(event: ParsedEvent, people: str, member: str) -> tuple[str, ...]:
    texts = (text(person, member) for person in objects_in(event.object, people))
    return tuple(each for each in texts if each is not None)


def _bounds(event: ParsedEvent) -> Mapping[str, int]:
    """Return the times; a start and an end in the event are more exact than its own time."""
    bounds = {}
    if column := _times.get(event.name):
        bounds[column] = event.occurred_at_ms
    for column, member in _time_columns:
        time_ms = moment_ms(event.object, member)
        if time_ms is not None:
            bounds[column] = time_ms
    return bounds


projections: Final = (recording,)
readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys((*_phases, *_times), (_recording,))
