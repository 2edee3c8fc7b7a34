"""Pure: the REST API's logs of text messages and voice calls.

Their rows come by the reference topic, as states of entities. The entity's id is the row's
``engagement_id``. Where several rows of a log share one, ``/`` and their start follow, because the
API does not promise a key. Source: Zoom REST API, list_sms, list_voice_calls.

A log describes the past: a tombstone in the topic removes no row.
"""

from collections.abc import Iterator
from typing import Final

import orjson

from schemas.envelope import JsonObject
from sinks.postgres.model.families.attributes import Attributes, account_id, attributes, cells_of
from sinks.postgres.model.json_fields import id_text, objects_in
from sinks.postgres.model.projection import ColumnUpdate, Projection, VersionedColumns
from sinks.postgres.model.references import ParsedReference
from sinks.postgres.model.tables import Column, columns_of

_key: Final = (account_id, Column("log_id", "text"))

_ids: Final = (
    Column("engagement_id", "text"),
    Column("consumer_number", "text", "phone"),
)
"""Indexes hold them."""

_common: Final = attributes(
    Column("direction", "text"),
    Column("consumer_display_name", "text", "person_name"),
    *columns_of("timestamptz", "start_time", "end_time"),
    Column("country_name", "text", "location"),
)

_sms: Final = attributes(
    Column("contact_center_number", "text", "org_phone"),
    Column("sms_types", "text[]"),
    *columns_of("bigint", "total_sent_messages", "total_received_messages"),
    *columns_of("bigint", "total_sent_files", "total_received_files"),
)

_voice: Final = attributes(
    *columns_of("text[]", "call_legs", "distributions", "types", "sub_types"),
    *columns_of("text", "caller_number", "callee_number", "caller_id", personal="phone"),
    *columns_of("text", "caller_number_type", "callee_number_type", "calling_party", "result"),
    Column("total_duration", "bigint"),
    *columns_of("boolean", "recorded", "monitored", "inbox"),
    *columns_of("text", "charge", "charge_type"),
    Column("rates", "text[]"),
)

_listed: Final = (
    Column("cc_queue_ids", "text[]"),
    Column("user_ids", "text[]", "user_ref"),
    Column("row", "jsonb", "document"),
    Column("polled_at", "timestamptz"),
)


def _log(name: str, own: Attributes) -> Projection:
    columns = (*_ids, *_common.values(), *own.values(), *_listed)
    return Projection(name, _key, (VersionedColumns("row", columns),))


sms_log: Final = _log("sms_log", _sms)
voice_call_log: Final = _log("voice_call_log", _voice)

projections: Final = (sms_log, voice_call_log)


def sms_log_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    """Yield the update of the log of text messages, if there is one."""
    yield from _mentions(sms_log, _sms, reference)


def voice_call_log_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    """Yield the update of the log of voice calls, if there is one."""
    yield from _mentions(voice_call_log, _voice, reference)


def _mentions(
    log: Projection, own: Attributes, reference: ParsedReference
) -> Iterator[ColumnUpdate]:
    row = reference.state
    if row is not None:
        cells = (
            *(id_text(row, column.name) for column in _ids),
            *cells_of(row, _common),
            *cells_of(row, own),
            _each(row, "queues", "cc_queue_id"),
            _each(row, "agents", "user_id"),
            orjson.dumps(row),
            reference.as_of_ms,
        )
        yield ColumnUpdate(log, (reference.account_id, reference.id), {"row": cells})


def _each(row: JsonObject, list_: str, member: str) -> tuple[str, ...]:
    ids = (id_text(each, member) for each in objects_in(row, list_))
    return tuple(each for each in ids if each is not None)
