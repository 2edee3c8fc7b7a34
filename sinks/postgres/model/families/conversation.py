"""Pure: messages and files of conversations.

Messages have no id of their own: an event is a message. The address of a fetched file in the object
store does not belong to these tables.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.json_fields import bigint, id_text, objects_in, text
from sinks.postgres.model.projection import ColumnUpdate, Reader, Values, event_columns, event_table
from sinks.postgres.model.tables import Column, columns_of

_message_senders: Final = {
    "contact_center.engagement_consumer_sent_message": "consumer",
    "contact_center.engagement_user_sent_message": "user",
}
_file_senders: Final = {
    "contact_center.engagement_consumer_sent_file": "consumer",
    "contact_center.engagement_user_sent_file": "user",
}

_sending: Final = (
    *columns_of("timestamptz", "sent_at"),
    *columns_of("text", "engagement_id", "sender", "channel_source"),
    Column("user_id", "text", "user_ref"),
    Column("consumer_id", "text", "pseudonymous_id"),
)

message: Final = event_table(
    "conversation_message",
    (Column("account_id", "text"), *event_columns),
    *_sending,
    Column("message_text", "text", "free_text"),
    partitioned=True,
)

file: Final = event_table(
    "conversation_file",
    (Column("account_id", "text"), *event_columns, Column("position", "integer")),
    *_sending,
    Column("file_id", "text"),
    Column("file_name", "text", "file_name"),
    Column("file_type", "text"),
    Column("size_bytes", "bigint"),
    Column("download_url", "text", "url"),
    partitioned=True,
)

projections: Final = (message, file)


def _message(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    cells = (*_sent(event, _message_senders[event.name]), event.text("message_text"))
    yield ColumnUpdate(
        message, (event.account_id, event.event_id, event.event_ts_ms), {"event": cells}
    )


def _files(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    key = event.account_id, event.event_id, event.event_ts_ms
    sent = _sent(event, _file_senders[event.name])
    for position, entity in enumerate(objects_in(event.object, "files")):
        cells = (
            *sent,
            id_text(entity, "file_id"),
            text(entity, "file_name"),
            text(entity, "file_type"),
            bigint(entity, "file_size"),
            text(entity, "download_url"),
        )
        yield ColumnUpdate(file, (*key, position), {"event": cells})


def _sent(event: ParsedEvent, sender: str) -> Values:
    return (
        event.occurred_at_ms,
        event.engagement_id,
        sender,
        event.text("channel_source"),
        event.text("user_id"),
        event.text("consumer_id"),
    )


readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    **dict.fromkeys(_message_senders, (_message,)),
    **dict.fromkeys(_file_senders, (_files,)),
}
