"""Pure: consent of consumers to messages: the present state, and its history.

Events without a number change no state; the history holds them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.json_fields import id_text, object_in
from sinks.postgres.model.projection import (
    ColumnUpdate,
    Projection,
    Reader,
    VersionedColumns,
    event_columns,
    event_table,
)
from sinks.postgres.model.tables import Column, columns_of

_states: Final = {
    "contact_center.consumer_messaging_opt_in": "opted_in",
    "contact_center.consumer_messaging_opt_out": "opted_out",
}
_channel: Final = "sms"

consent: Final = Projection(
    "consent",
    (
        *columns_of("text", "account_id", "channel"),
        Column("consumer_number", "text", "phone"),
        Column("contact_center_number", "text", "org_phone"),
        Column("campaign_id", "text"),
    ),
    (
        VersionedColumns(
            "state",
            (*columns_of("text", "state", "engagement_id"), Column("state_told_at", "timestamptz")),
        ),
    ),
)

history: Final = event_table(
    "consent_history",
    (Column("account_id", "text"), *event_columns),
    Column("occurred_at", "timestamptz"),
    *columns_of("text", "state", "channel"),
    Column("consumer_number", "text", "phone"),
    Column("contact_center_number", "text", "org_phone"),
    *columns_of("text", "campaign_id", "engagement_id"),
)

projections: Final = (consent, history)


def _consent(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    terms = object_in(event.object, "sms") or {}
    state, number = _states[event.name], id_text(terms, "consumer_number")
    contact_center_number = id_text(terms, "contact_center_number")
    campaign_id = id_text(terms, "campaign_id")
    cells = (
        event.occurred_at_ms,
        state,
        _channel,
        number,
        contact_center_number,
        campaign_id,
        event.engagement_id,
    )
    yield ColumnUpdate(
        history, (event.account_id, event.event_id, event.event_ts_ms), {"event": cells}
    )
    if number is not None:
        key = event.account_id, _channel, number, contact_center_number or "", campaign_id or ""
        yield ColumnUpdate(
            consent, key, {"state": (state, event.engagement_id, event.occurred_at_ms)}
        )


readers: Final[Mapping[str, tuple[Reader, ...]]] = dict.fromkeys(_states, (_consent,))
