"""Pure: routing tasks, their reservations, and their waits in queues.

An exit from a queue does not say when the task entered, and no exit is promised when a user takes
it. So entries and exits are stored as they come, and the view ``task_queue_stay`` pairs them with
the end of the wait. Source: Zoom webhooks, task_exited_queue.

A follow-up task has a ``task_id`` as well but is not a routing task.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import (
    account_id,
    attributes,
    cells_of,
    registers_of,
    values_of,
)
from sinks.postgres.model.families.participants import channel_of
from sinks.postgres.model.families.queue import queueing
from sinks.postgres.model.families.routing import (
    engagement_register,
    flow_register,
    queue_register,
    routing_registers,
)
from sinks.postgres.model.json_fields import id_text, moment_ms
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    Values,
    VersionedColumns,
    event_columns,
    event_table,
)
from sinks.postgres.model.tables import Column, columns_of

_attributes: Final = attributes(
    Column("channel_id", "text"),
    Column("auto_assign", "boolean"),
    Column("caller_number", "text", "phone"),
    Column("callee_number", "text", "phone"),
    task_status=Column("status", "text"),
    task_priority=Column("priority", "integer"),
    task_timeout=Column("timeout_seconds", "integer"),
)

task: Final = Projection(
    "task",
    (account_id, Column("task_id", "text")),
    (
        engagement_register,
        *registers_of(_attributes),
        VersionedColumns("channel", columns_of("text", "channel", "channel_source")),
        queue_register,
        flow_register,
    ),
    (
        MinMaxColumn("created_at", "least"),
        MinMaxColumn("modified_at", "greatest"),
        MinMaxColumn("assigned_at", "least"),
        MinMaxColumn("completed_at", "greatest"),
        MinMaxColumn("canceled_at", "greatest"),
        MinMaxColumn("deleted_at", "greatest"),
    ),
)

reservation: Final = Projection(
    "task_reservation",
    (account_id, Column("task_reservation_id", "text")),
    (
        VersionedColumns("task", (Column("task_id", "text"),)),
        engagement_register,
        VersionedColumns("user", (Column("assigned_user_id", "text", "user_ref"),)),
        VersionedColumns("direction", (Column("direction", "text"),)),
        VersionedColumns("request", (Column("request_id", "text"),)),
        VersionedColumns("state", (Column("state", "text"),)),
    ),
    (
        MinMaxColumn("created_at", "least"),
        MinMaxColumn("accepted_at", "least"),
        MinMaxColumn("ended_at", "greatest"),
    ),
)

_queue_then: Final = attributes(*queueing)
"""Settings that apply to a waiting task, at that time: no event reports their change."""

queue_move: Final = event_table(
    "task_queue_move",
    (
        account_id,
        Column("task_id", "text"),
        Column("occurred_at", "timestamptz"),
        *event_columns,
    ),
    *columns_of("text", "move", "engagement_id", "channel", "channel_source"),
    *columns_of("text", "cc_queue_id", "queue_name", "flow_id", "flow_name"),
    *_queue_then.values(),
)

_time_columns: Final = (
    ("created_at", "created_time_ms"),
    ("modified_at", "last_modified_time_ms"),
)

_ends: Final = {
    "contact_center.task_completed": "completed_at",
    "contact_center.task_canceled": "canceled_at",
    "contact_center.task_deleted": "deleted_at",
}

_states: Final = {
    f"contact_center.task_reservation_{state}": state
    for state in ("created", "accepted", "rejected", "timeout", "canceled", "completed")
}
_reserved: Final = (
    ("task", "task_id"),
    ("engagement", "engagement_id"),
    ("user", "assigned_user_id"),
    ("direction", "engagement_direction"),
    ("request", "request_id"),
)
_times_of_states: Final = {"created": "created_at", "accepted": "accepted_at"}

_moves: Final = {
    "contact_center.task_entered_queue": "entered",
    "contact_center.task_exited_queue": "exited",
}


def _task(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    task_id = event.text("task_id")
    if task_id is not None:
        registers = values_of(event.object, _attributes) | dict(routing_registers(event))
        channel = channel_of(event.object)
        if channel[0]:
            registers["channel"] = channel
        yield ColumnUpdate(task, (event.account_id, task_id), registers, _times(event))


def _times(event: ParsedEvent) -> Mapping[str, int]:
    entity = event.object
    times = {}
    for column, member in _time_columns:
        time_ms = moment_ms(entity, member)
        if time_ms is not None:
            times[column] = time_ms
    if entity.get("task_status") == "assigned":
        times["assigned_at"] = event.occurred_at_ms
    if end := _ends.get(event.name):
        times[end] = event.occurred_at_ms
    return times


def _reservation(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    reservation_id = event.text("task_reservation_id")
    if reservation_id is None:
        return
    state = _states[event.name]
    registers: dict[str, Values] = {"state": (state,)}
    for register, member in _reserved:
        if other_id := id_text(event.object, member):
            registers[register] = (other_id,)
    bounds = {_times_of_states.get(state, "ended_at"): event.occurred_at_ms}
    yield ColumnUpdate(reservation, (event.account_id, reservation_id), registers, bounds)


def _move(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    task_id, queue_values = event.text("task_id"), event.queue()
    if task_id is not None and queue_values[0]:
        cells = (
            _moves[event.name],
            event.engagement_id,
            *channel_of(event.object),
            *queue_values,
            event.text("flow_id"),
            event.text("flow_name"),
            *cells_of(event.object, _queue_then),
        )
        moment = event.occurred_at_ms, event.event_id, event.event_ts_ms
        key = (event.account_id, task_id, *moment)
        yield ColumnUpdate(queue_move, key, {"event": cells})


projections: Final = (task, reservation, queue_move)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    **dict.fromkeys(
        (
            "contact_center.task_created",
            "contact_center.task_updated",
            *_ends,
        ),
        (_task,),
    ),
    **dict.fromkeys(_states, (_task, _reservation)),
    **dict.fromkeys(_moves, (_move,)),
}
