"""Pure: the delivery states of messages.

There are two kinds of message ids, by the API that sent the message; the channel in the key
separates them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.envelope import JsonObject
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.routing import engagement_register
from sinks.postgres.model.json_fields import id_text, object_in, text
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Reader,
    Values,
    VersionedColumns,
    present,
)
from sinks.postgres.model.tables import Column, columns_of

_bounds: Final = {
    "sent": "sent_at",
    "delivered": "delivered_at",
    "read": "read_at",
    "failed": "failed_at",
    "undelivered": "failed_at",
}

delivery: Final = Projection(
    "message_delivery",
    columns_of("text", "account_id", "message_id", "channel"),
    (
        VersionedColumns(
            "status",
            (
                Column("status", "text"),
                Column("reason", "text", "free_text_low"),
                Column("error_detail", "text", "free_text_low"),
            ),
        ),
        engagement_register,
        VersionedColumns(
            "contact_center_number",
            columns_of("text", "contact_center_number", personal="org_phone"),
        ),
        VersionedColumns(
            "consumer_number", columns_of("text", "consumer_number", personal="phone")
        ),
        VersionedColumns("sender", columns_of("text", "from_address", personal="phone")),
        VersionedColumns("recipient", columns_of("text", "to_address", personal="phone")),
    ),
    (
        MinMaxColumn("sent_at", "least"),
        MinMaxColumn("delivered_at", "least"),
        MinMaxColumn("read_at", "least"),
        MinMaxColumn("failed_at", "least"),
        MinMaxColumn("last_told_at", "greatest"),
    ),
)

projections: Final = (delivery,)


def _sms(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    registers = present(
        contact_center_number=(event.text("contact_center_number"),),
        consumer_number=(event.text("consumer_number"),),
    )
    yield from _delivery(event, "sms", event.object, registers)


def _message(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    registers = present(
        engagement=(event.engagement_id,),
        sender=(event.text("from"),),
        recipient=(event.text("to"),),
    )
    messages = {
        channel: message
        for channel, member in (("whatsapp", "whatsapp_message"), ("sms", "sms_message"))
        if (message := object_in(event.object, member)) is not None
    }
    for channel, message in (messages or {"unknown": {}}).items():
        yield from _delivery(event, channel, message, dict(registers))


def _delivery(
    event: ParsedEvent, channel: str, message: JsonObject, registers: dict[str, Values]
) -> Iterator[ColumnUpdate]:
    message_id = id_text(event.object, "message_id")
    if message_id is None:
        return
    status = text(message, "status")
    registers |= present(status=(status, text(message, "reason"), text(message, "error_detail")))
    bounds = {"last_told_at": event.occurred_at_ms}
    if bound := _bounds.get(status or ""):
        bounds[bound] = event.occurred_at_ms
    yield ColumnUpdate(delivery, (event.account_id, message_id, channel), registers, bounds)


readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    "contact_center.sms_status": (_sms,),
    "contact_center.message_status": (_message,),
}
