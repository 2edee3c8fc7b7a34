"""Pure: commands of another program to a user's telephone."""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.json_fields import id_text
from sinks.postgres.model.projection import ColumnUpdate, Reader, event_columns, event_table
from sinks.postgres.model.tables import Column, columns_of

_commands: Final = {
    f"contact_center.call_control_{command}_executed": command
    for command in (
        "conference_warm_invite",
        "make_call",
        "answer_call",
        "end_call",
        "hold_call",
        "unhold_call",
    )
}

command: Final = event_table(
    "call_control_command",
    (Column("account_id", "text"), *event_columns),
    Column("occurred_at", "timestamptz"),
    *columns_of("text", "command", "request_id", "engagement_id", "conference_id"),
    Column("user_id", "text", "user_ref"),
)

projections: Final = (command,)


def _command(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    cells = (
        event.occurred_at_ms,
        _commands[event.name],
        id_text(event.object, "request_id"),
        event.engagement_id,
        id_text(event.object, "conference_id"),
        id_text(event.object, "user_id"),
    )
    yield ColumnUpdate(
        command, (event.account_id, event.event_id, event.event_ts_ms), {"event": cells}
    )


readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys(_commands, (_command,))
