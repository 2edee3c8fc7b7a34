"""Pure: the records of the reference topic: users, queues and teams, logs, and other entities.

A snapshot carries attributes like an event, so the newer of the two stays. An entity without a
table of its own is stored unchanged in ``reference_entity``. So are business hours, closures and
assets: their tables have the members that events carry too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import orjson

from schemas.envelope import JsonObject
from sinks.postgres.model.families import asset, operating_hours, queue, team, user
from sinks.postgres.model.families.attributes import (
    account_id,
    alive,
    attributes,
    deleted,
    values_of,
)
from sinks.postgres.model.families.logs import sms_log_mentions, voice_call_log_mentions
from sinks.postgres.model.families.participants import team_registers
from sinks.postgres.model.json_fields import object_in
from sinks.postgres.model.projection import (
    ColumnUpdate,
    MinMaxColumn,
    Projection,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.references import ParsedReference
from sinks.postgres.model.tables import Column

reference_entity: Final = Projection(
    "reference_entity",
    (account_id, Column("entity", "text"), Column("id", "text", "pseudonymous_id")),
    (VersionedColumns("state", (Column("state", "jsonb", "document"),)), deleted),
    (MinMaxColumn("looked_up_at", "greatest"),),
)

_user: Final = {**user.profile, **user.looked_up, **user.package}
_queue: Final = {**queue.settings, **queue.service_level, **attributes(Column("channel", "text"))}
_short_abandon: Final = attributes(
    enable=Column("short_abandon_enable", "boolean"),
    threshold=Column("short_abandon_threshold", "integer"),
)
"""The REST API has an object where events have two members."""


def reference_mentions(reference: ParsedReference) -> Iterable[ColumnUpdate]:
    """Return the updates of a record of the reference topic."""
    return _by_entity.get(reference.entity, _other)(reference)


def _mention(
    projection: Projection,
    reference: ParsedReference,
    registers_in: Callable[[JsonObject], dict[str, Values]],
) -> ColumnUpdate:
    key = reference.account_id, reference.id
    if reference.state is None:
        return ColumnUpdate(projection, key, {deleted.name: (reference.as_of_ms,)})
    has_time = any(bound.column == "looked_up_at" for bound in projection.bounds)
    bounds = {"looked_up_at": reference.as_of_ms} if has_time else {}
    return ColumnUpdate(projection, key, {**registers_in(reference.state), **alive}, bounds)


def _user_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield _mention(user.user, reference, _user_values)


def _user_values(state: JsonObject) -> dict[str, Values]:
    return {**values_of(state, _user), **team_registers(state)}


def _queue_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield _mention(queue.queue, reference, _queue_values)


def _queue_values(state: JsonObject) -> dict[str, Values]:
    abandon = object_in(state, "short_abandon") or {}
    return {
        **values_of(state, _queue),
        **values_of(abandon, _short_abandon),
        **team_registers(state),
    }


def _team_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield _mention(team.team, reference, team.values)


def _business_hour_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield from _other(reference)
    values = operating_hours.business_hour_values
    yield _mention(operating_hours.business_hour, reference, values)


def _closure_set_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield from _other(reference)
    yield _mention(operating_hours.closure_set, reference, operating_hours.closure_set_values)
    if reference.state is not None:
        key = reference.account_id, reference.id
        yield from operating_hours.closures_in(key, reference.state)


def _asset_mentions(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    yield from _other(reference)
    yield _mention(asset.asset, reference, asset.looked_up_values)


def _other(reference: ParsedReference) -> Iterator[ColumnUpdate]:
    key = reference.account_id, reference.entity, reference.id
    registers: Mapping[str, Values] = {deleted.name: (reference.as_of_ms,)}
    bounds = {}
    if reference.state is not None:
        registers = {"state": (orjson.dumps(reference.state),), **alive}
        bounds = {"looked_up_at": reference.as_of_ms}
    yield ColumnUpdate(reference_entity, key, registers, bounds)


projections: Final = (reference_entity,)

_by_entity: Final[Mapping[str, Callable[[ParsedReference], Iterable[ColumnUpdate]]]] = {
    "user": _user_mentions,
    "queue": _queue_mentions,
    "team": _team_mentions,
    "business_hour": _business_hour_mentions,
    "closure_set": _closure_set_mentions,
    "asset": _asset_mentions,
    "sms_log": sms_log_mentions,
    "voice_call_log": voice_call_log_mentions,
}
