"""Pure: business hours, and sets of closures with their closures.

An update of a set lists the changed closures, with their changed members. No event reports the
removal of a closure.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.envelope import JsonObject
from sinks.postgres.model.events import ParsedEvent
from sinks.postgres.model.families.attributes import (
    account_id,
    alive,
    attributes,
    deleted,
    lifetime,
    modified_by,
    named_attributes,
    registers_of,
    values_of,
)
from sinks.postgres.model.json_fields import id_text, object_in, objects_in
from sinks.postgres.model.projection import ColumnUpdate, Projection, Reader, Values
from sinks.postgres.model.tables import Column, columns_of

_modifier: Final = attributes(modified_by)

_common: Final = (Column("timezone", "text"), Column("account_default", "boolean"))

_business_hour: Final = named_attributes("business_hour", *_common)
_hours: Final = attributes(Column("hour_type", "integer"), Column("custom_hours", "jsonb"))

business_hour: Final = Projection(
    "business_hour",
    (account_id, Column("business_hour_id", "text")),
    (*registers_of(_business_hour, _hours, _modifier), deleted),
    lifetime,
)

_closure_set: Final = named_attributes("closure_set", *_common)

closure_set: Final = Projection(
    "closure_set",
    (account_id, Column("closure_set_id", "text")),
    (*registers_of(_closure_set, _modifier), deleted),
    lifetime,
)

_closure: Final = attributes(
    *columns_of("timestamptz", "start_time", "end_time"),
    *columns_of(
        "integer",
        "recurring_frequency",
        "recurring_frequency_type",
        "recurring_month",
        "recurring_week_interval",
    ),
    Column("recurring_days_of_week", "jsonb"),
    closure_name=Column("name", "text"),
    closure_hour_type=Column("hour_type", "integer"),
)

closure: Final = Projection(
    "closure",
    (account_id, *columns_of("text", "closure_set_id", "closure_id")),
    registers_of(_closure),
)


def business_hour_values(entity: JsonObject) -> dict[str, Values]:
    """Return an object's attributes of business hours."""
    return {
        **values_of(entity, _business_hour),
        **values_of(object_in(entity, "hours") or {}, _hours),
    }


def closure_set_values(entity: JsonObject) -> dict[str, Values]:
    """Return an object's attributes of a closure set; see `closures_in`."""
    return values_of(entity, _closure_set)


def closures_in(key: Values, entity: JsonObject) -> Iterator[ColumnUpdate]:
    """Yield the closures that an object lists; ``key`` is that of their set."""
    for each in objects_in(entity, "closures"):
        if closure_id := id_text(each, "closure_id"):
            yield ColumnUpdate(closure, (*key, closure_id), values_of(each, _closure))


def _business_hours(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    business_hour_id = event.text("business_hour_id")
    if business_hour_id is not None:
        changed = object_in(event.object, "updates") or event.object
        registers = {
            **business_hour_values(changed),
            **values_of(event.object, _modifier),
            **_existence(event),
        }
        yield ColumnUpdate(
            business_hour, (event.account_id, business_hour_id), registers, _times(event)
        )


def _closures(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    closure_set_id = event.text("closure_set_id")
    if closure_set_id is not None:
        changed = object_in(event.object, "updates") or event.object
        registers = {
            **closure_set_values(changed),
            **values_of(event.object, _modifier),
            **_existence(event),
        }
        key = event.account_id, closure_set_id
        yield ColumnUpdate(closure_set, key, registers, _times(event))
        yield from closures_in(key, changed)


def _existence(event: ParsedEvent) -> Mapping[str, Values]:
    if event.name.endswith("_created"):
        return alive
    return {deleted.name: (event.occurred_at_ms,)} if event.name.endswith("_deleted") else {}


def _times(event: ParsedEvent) -> Mapping[str, int]:
    times = {"modified_at": event.occurred_at_ms}
    if event.name.endswith("_created"):
        times["created_at"] = event.occurred_at_ms
    return times


projections: Final = (business_hour, closure_set, closure)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    **{
        f"contact_center.business_hours_{change}": (_business_hours,)
        for change in ("created", "updated", "deleted")
    },
    **{
        f"contact_center.closure_{change}": (_closures,)
        for change in ("created", "updated", "deleted")
    },
}
