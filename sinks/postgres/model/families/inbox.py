"""Pure: messages in inboxes: voicemail, from its arrival to its deletion."""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import (
    account_id,
    attributes,
    cells_of,
    deleted,
    registers_of,
    user_columns,
    values_of,
)
from sinks.postgres.model.families.routing import (
    engagement_register,
    flow_register,
    queue_register,
    routing_registers,
)
from sinks.postgres.model.json_fields import id_text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column, columns_of

_attributes: Final = attributes(
    Column("channel", "text"),
    Column("flow_number", "text", "org_phone"),
    Column("consumer_number", "text", "phone"),
    Column("consumer_id", "text", "pseudonymous_id"),
    Column("consumer_display_name", "text", "person_name"),
    engagement_direction=Column("direction", "text"),
)

_assignment: Final = attributes(
    Column("assign_type", "text"),
    *user_columns("previous_"),
)

_voicemail: Final = attributes(
    Column("transcript_url", "text", "url"),
    message_duration=Column("duration_seconds", "integer"),
    status=Column("voicemail_status", "text"),
)

inbox_message: Final = Projection(
    "inbox_message",
    (account_id, Column("message_id", "text")),
    (
        VersionedColumns("inbox", columns_of("text", "inbox_id", "inbox_name")),
        engagement_register,
        *registers_of(_attributes, _voicemail),
        queue_register,
        flow_register,
        VersionedColumns("user", user_columns()),
        VersionedColumns(
            "assignment",
            (
                *user_columns("assigned_"),
                *_assignment.values(),
            ),
        ),
        VersionedColumns("phase", (Column("phase", "text"),)),
        VersionedColumns("download", (Column("download_type", "text"),)),
        VersionedColumns("deletion", (Column("delete_type", "text"),)),
        deleted,
    ),
    (
        MinMaxColumn("received_at", "least"),
        MinMaxColumn("assigned_at", "greatest"),
        MinMaxColumn("opened_at", "least"),
        MinMaxColumn("downloaded_at", "greatest"),
        MinMaxColumn("resolved_at", "greatest"),
        MinMaxColumn("reopened_at", "greatest"),
        MinMaxColumn("transcript_ready_at", "least"),
    ),
)

_phases: Final = {
    f"contact_center.inbox_message_{phase}": phase
    for phase in ("received", "assigned", "opened", "resolved", "reopened")
}
_downloaded: Final = "contact_center.inbox_message_downloaded"
_deleted: Final = "contact_center.inbox_message_deleted"
_transcribed: Final = "contact_center.voicemail_transcript_completed"

_times: Final = {
    **{name: f"{phase}_at" for name, phase in _phases.items()},
    _downloaded: "downloaded_at",
    _transcribed: "transcript_ready_at",
}


def _message(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    message_id = event.text("message_id")
    if message_id is None:
        return
    registers = {
        **values_of(event.object, _attributes),
        **dict(routing_registers(event)),
        **dict(_owner(event)),
        **dict(_change(event)),
    }
    time = _times.get(event.name)
    bounds = {} if time is None else {time: event.occurred_at_ms}
    yield ColumnUpdate(inbox_message, (event.account_id, message_id), registers, bounds)


def _owner(event: ParsedEvent) -> Iterator[tuple[str, Values]]:
    """Yield the inbox and the user that the message belongs to."""
    user = event.user()
    if inbox_id := id_text(event.object, "inbox_id"):
        yield "inbox", (inbox_id, event.text("inbox_name"))
    if user[0]:
        yield "user", user


def _change(event: ParsedEvent) -> Iterator[tuple[str, Values]]:
    """Yield the change of the message."""
    if phase := _phases.get(event.name):
        yield "phase", (phase,)
    if phase == "assigned":
        yield "assignment", (*event.user(), *cells_of(event.object, _assignment))
    elif event.name == _downloaded:
        yield "download", (event.text("download_type"),)
    elif event.name == _deleted:
        yield "deletion", (event.text("delete_type"),)
        yield "deleted", (event.occurred_at_ms,)
    elif event.name == _transcribed:
        yield from values_of(event.object, _voicemail).items()


projections: Final = (inbox_message,)
readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys((*_times, _deleted), (_message,))
