"""Pure: people's work on an engagement: disposition, note, follow-up, survey, supervision."""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import user_columns, user_id
from sinks.postgres.model.families.participants import engagement_key
from sinks.postgres.model.json_fields import id_text, moment_ms, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    VersionedColumns,
    event_columns,
    event_table,
    present,
)
from sinks.postgres.model.tables import Column, columns_of

disposition: Final = Projection(
    "engagement_disposition",
    (*engagement_key, Column("disposition_id", "text"), user_id),
    (
        VersionedColumns(
            "disposition",
            (
                *columns_of("text", "disposition_name", "disposition_description", "status"),
                Column("definition_modified_at", "timestamptz"),
                Column("definition_modified_by", "text", "user_ref"),
            ),
        ),
    ),
    (MinMaxColumn("first_added_at", "least"), MinMaxColumn("last_added_at", "greatest")),
)

note: Final = Projection(
    "engagement_note",
    columns_of("text", "account_id", "note_id"),
    (
        VersionedColumns(
            "note",
            (
                *columns_of("text", "engagement_id"),
                Column("note", "text", "free_text"),
                Column("note_modified_at", "timestamptz"),
                *user_columns(),
            ),
        ),
    ),
    (MinMaxColumn("added_at", "least"),),
)

follow_up: Final = Projection(
    "follow_up_task",
    columns_of("text", "account_id", "follow_up_task_id"),
    (
        VersionedColumns(
            "content",
            (Column("engagement_id", "text"), Column("content", "text", "free_text")),
        ),
        VersionedColumns(
            "created", columns_of("text", "created_by", personal="user_ref"), "oldest"
        ),
        VersionedColumns("updated", columns_of("text", "updated_by", personal="user_ref")),
    ),
    (MinMaxColumn("created_at", "least"), MinMaxColumn("updated_at", "greatest")),
)

survey: Final = Projection(
    "engagement_survey",
    (*engagement_key, *columns_of("text", "survey_id", "survey_question_id")),
    (
        VersionedColumns(
            "status",
            (
                *columns_of("text", "survey_status", "survey_trigger_from"),
                user_id,
                Column("status_told_at", "timestamptz"),
            ),
        ),
        VersionedColumns("consumer_email", columns_of("text", "consumer_email", personal="email")),
    ),
    (MinMaxColumn("sent_at", "least"), MinMaxColumn("completed_at", "least")),
)

supervision: Final = event_table(
    "engagement_supervision",
    (*engagement_key, *event_columns),
    Column("occurred_at", "timestamptz"),
    *columns_of("text", "action_type", "boundary"),
    *user_columns(),
    Column("supervisor_id", "text", "user_ref"),
    Column("supervisor_display_name", "text", "person_name"),
)
"""``boundary`` is started or ended. Only the order links the two: the view pairs them."""

projections: Final = (disposition, note, follow_up, survey, supervision)


def _disposition(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    entity = event.object
    disposition_id = id_text(entity, "disposition_id")
    if event.engagement_id is None or disposition_id is None:
        return
    cells = (
        text(entity, "disposition_name"),
        text(entity, "disposition_description"),
        text(entity, "status"),
        moment_ms(entity, "last_modified_time"),
        text(entity, "modified_by"),
    )
    key = event.account_id, event.engagement_id, disposition_id, event.user()[0] or ""
    bounds = {"first_added_at": event.occurred_at_ms, "last_added_at": event.occurred_at_ms}
    yield ColumnUpdate(disposition, key, {"disposition": cells}, bounds)


def _note(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    note_id = id_text(event.object, "note_id")
    if note_id is None:
        return
    modified_at_ms = moment_ms(event.object, "last_modified_time")
    cells = event.engagement_id, event.text("note"), modified_at_ms, *event.user()
    bounds = {"added_at": event.occurred_at_ms}
    yield ColumnUpdate(note, (event.account_id, note_id), {"note": cells}, bounds)


def _follow_up_created(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    yield from _follow_up(event, "created")


def _follow_up_updated(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    yield from _follow_up(event, "updated")


def _follow_up(event: ParsedEvent, act: str) -> Iterator[ColumnUpdate]:
    task_id = id_text(event.object, "task_id")
    if task_id is None:
        return
    registers = {"content": (event.engagement_id, event.text("content")), act: event.user()[:1]}
    bounds = {f"{act}_at": event.occurred_at_ms}
    yield ColumnUpdate(follow_up, (event.account_id, task_id), registers, bounds)


def _survey(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    entity = event.object
    survey_id = id_text(entity, "survey_id")
    if event.engagement_id is None or survey_id is None:
        return
    status = text(entity, "survey_status")
    registers = present(
        status=(status, text(entity, "survey_trigger_from"), event.user()[0], event.occurred_at_ms),
        consumer_email=(text(entity, "consumer_email"),),
    )
    question_id = id_text(entity, "survey_question_id") or ""
    key = event.account_id, event.engagement_id, survey_id, question_id
    bounds = {
        f"{status}_at": event.occurred_at_ms for known in ("sent", "completed") if status == known
    }
    yield ColumnUpdate(survey, key, registers, bounds)


def _supervision(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    boundary = "ended" if event.name.endswith("_ended") else "started"
    yield from _supervised(event, event.text("action_type"), boundary, "monitoring_user")


def _takeover(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    yield from _supervised(event, "takeover", "started", "takeover_user")


def _supervised(
    event: ParsedEvent, action: str | None, boundary: str, supervisor: str
) -> Iterator[ColumnUpdate]:
    if event.engagement_id is None:
        return
    supervisor_id = id_text(event.object, f"{supervisor}_id")
    name = event.text(f"{supervisor}_display_name") or event.user_name(supervisor_id)
    cells = (event.occurred_at_ms, action, boundary, *event.user(), supervisor_id, name)
    key = event.account_id, event.engagement_id, event.event_id, event.event_ts_ms
    yield ColumnUpdate(supervision, key, {"event": cells})


readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    "contact_center.engagement_disposition_added": (_disposition,),
    "contact_center.engagement_note_added": (_note,),
    "contact_center.engagement_follow_up_task_created": (_follow_up_created,),
    "contact_center.engagement_follow_up_task_updated": (_follow_up_updated,),
    "contact_center.engagement_survey_status": (_survey,),
    "contact_center.engagement_monitor_started": (_supervision,),
    "contact_center.engagement_monitor_ended": (_supervision,),
    "contact_center.engagement_takeover_started": (_takeover,),
}
