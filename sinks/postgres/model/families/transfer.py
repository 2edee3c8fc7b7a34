"""Pure: transfers, one row per pair of tasks.

A cold transfer ends as accepted, a warm one as completed or canceled. The level is the intended
target of the call; events repeat what they know of the target.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import user_columns
from sinks.postgres.model.families.routing import flow_register, queue_register
from sinks.postgres.model.json_fields import id_text, integer, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    VersionedColumns,
    present,
)
from sinks.postgres.model.tables import Column, columns_of

_states: Final = {
    f"contact_center.engagement_transfer_{state}": state
    for state in (
        "initiated",
        "queued",
        "reserved",
        "accepted",
        "completed",
        "rejected",
        "canceled",
        "timeout",
    )
}
_bounds: Final = {
    "initiated": "initiated_at",
    "accepted": "accepted_at",
    "completed": "finished_at",
    "rejected": "refused_at",
    "canceled": "finished_at",
    "timeout": "refused_at",
}

transfer: Final = Projection(
    "transfer",
    columns_of("text", "account_id", "task_id", "transfer_to_task_id"),
    (
        VersionedColumns(
            "state",
            (
                *columns_of("text", "engagement_id", "state", "channel", "direction"),
                Column("state_told_at", "timestamptz"),
            ),
        ),
        VersionedColumns("level", columns_of("text", "transfer_level")),
        VersionedColumns("type", columns_of("text", "transfer_type")),
        VersionedColumns("user", user_columns()),
        queue_register,
        flow_register,
        VersionedColumns("to_user", user_columns("transfer_to_")),
        VersionedColumns(
            "to_queue", columns_of("text", "transfer_to_cc_queue_id", "transfer_to_queue_name")
        ),
        VersionedColumns(
            "to_flow", columns_of("text", "transfer_to_flow_id", "transfer_to_flow_name")
        ),
        VersionedColumns(
            "to_inbox", columns_of("text", "transfer_to_inbox_id", "transfer_to_inbox_name")
        ),
        VersionedColumns("to_number", columns_of("text", "transfer_to_number", personal="phone")),
        VersionedColumns("task_status", columns_of("text", "task_status")),
        VersionedColumns("to_task_status", columns_of("text", "transfer_to_task_status")),
        VersionedColumns("task_timeout", columns_of("integer", "task_timeout_s")),
        VersionedColumns("to_task_timeout", columns_of("integer", "transfer_to_task_timeout_s")),
    ),
    (
        MinMaxColumn("initiated_at", "least"),
        MinMaxColumn("accepted_at", "least"),
        MinMaxColumn("refused_at", "greatest"),
        MinMaxColumn("finished_at", "greatest"),
        MinMaxColumn("last_told_at", "greatest"),
    ),
)

projections: Final = (transfer,)


def _transfer(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    entity = event.object
    task_id, to_task_id = id_text(entity, "task_id"), id_text(entity, "transfer_to_task_id")
    if task_id is None or to_task_id is None:
        return
    state = _states[event.name]
    to_user_id, to_queue_id = (
        event.text("transfer_to_user_id"),
        event.text("transfer_to_cc_queue_id"),
    )
    to_user_name = text(entity, "transfer_to_user_display_name")
    to_queue_name = text(entity, "transfer_to_queue_name")
    registers = present(
        level=(text(entity, "transfer_level"),),
        type=(text(entity, "transfer_type"),),
        user=event.user(),
        queue=event.queue(),
        flow=(text(entity, "flow_id"), text(entity, "flow_name")),
        to_user=(to_user_id, to_user_name or event.user_name(to_user_id)),
        to_queue=(to_queue_id, to_queue_name or event.queue_name(to_queue_id)),
        to_flow=(text(entity, "transfer_to_flow_id"), text(entity, "transfer_to_flow_name")),
        to_inbox=(text(entity, "transfer_to_inbox_id"), text(entity, "transfer_to_inbox_name")),
        to_number=(text(entity, "transfer_to_number"),),
        task_status=(text(entity, "task_status"),),
        to_task_status=(text(entity, "transfer_to_task_status"),),
        task_timeout=(integer(entity, "task_timeout"),),
        to_task_timeout=(integer(entity, "transfer_to_task_timeout"),),
    )
    location = event.engagement_id, text(entity, "channel"), text(entity, "engagement_direction")
    registers["state"] = location[0], state, *location[1:], event.occurred_at_ms
    bounds = {"last_told_at": event.occurred_at_ms}
    if bound := _bounds.get(state):
        bounds[bound] = event.occurred_at_ms
    yield ColumnUpdate(transfer, (event.account_id, task_id, to_task_id), registers, bounds)


readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys(_states, (_transfer,))
