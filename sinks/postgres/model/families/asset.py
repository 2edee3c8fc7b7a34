"""Pure: assets of the library and their items.

A first deletion archives an asset, from where it can be restored.
"""

from collections.abc import Iterator, Mapping, Sequence
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
    registers_of,
    values_of,
)
from sinks.postgres.model.json_fields import flag, id_text, moment_ms, object_in, objects_in
from sinks.postgres.model.projection import (
    ColumnUpdate,
    Projection,
    Reader,
    Values,
    VersionedColumns,
)
from sinks.postgres.model.tables import Column, columns_of

_attributes: Final = attributes(
    *columns_of("text", "asset_name", "asset_description", "asset_type", "asset_language_code"),
    *columns_of("text", "category_id", "category_name"),
)
_modifier: Final = attributes(modified_by)
_all_attributes: Final = {**_attributes, **_modifier}

asset: Final = Projection(
    "asset",
    (account_id, Column("asset_id", "text")),
    (
        *registers_of(_attributes, _modifier),
        VersionedColumns(
            "archive", (Column("archived", "boolean"), Column("archived_at", "timestamptz"))
        ),
        deleted,
    ),
    lifetime,
)

_item: Final = attributes(
    Column("is_default", "boolean"),
    asset_item_name=Column("name", "text"),
    asset_item_language=Column("language_code", "text"),
    asset_item_file_url=Column("file_url", "text", "url"),
    asset_item_content=Column("content", "text"),
    asset_item_voice=Column("voice", "text"),
)

item: Final = Projection(
    "asset_item",
    (account_id, *columns_of("text", "asset_id", "asset_item_id")),
    (*registers_of(_item), deleted),
)

_out_of_archive: Final[Mapping[str, Values]] = {"archive": (False, None), **alive}


def looked_up_values(entity: JsonObject) -> dict[str, Values]:
    """Return the attributes of an asset of the REST API, and whether it is archived."""
    archived = flag(entity, "archived")
    archive: dict[str, Values] = {}
    if archived is not None:
        archive["archive"] = (archived, moment_ms(entity, "archived_time") if archived else None)
    return {**values_of(entity, _attributes), **archive}


def _created(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    asset_id = event.text("asset_id")
    if asset_id is not None:
        bounds = {"created_at": event.occurred_at_ms, "modified_at": event.occurred_at_ms}
        registers = {**values_of(event.object, _all_attributes), **_out_of_archive}
        yield ColumnUpdate(asset, (event.account_id, asset_id), registers, bounds)
        yield from _items(event, asset_id)


def _updated(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    asset_id = event.text("asset_id")
    if asset_id is not None:
        updates = object_in(event.object, "updates") or {}
        registers = {**values_of(updates, _attributes), **values_of(event.object, _modifier)}
        if flag(updates, "restore"):
            registers |= _out_of_archive
        bounds = {"modified_at": event.occurred_at_ms}
        yield ColumnUpdate(asset, (event.account_id, asset_id), registers, bounds)
        yield from _items(event, asset_id)


def _deleted(event: ParsedEvent) -> Iterator[ColumnUpdate]:
    asset_id = event.text("asset_id")
    if asset_id is not None:
        registers = values_of(event.object, _all_attributes)
        if flag(event.object, "archived"):
            since_ms = moment_ms(event.object, "archived_time")
            registers["archive"] = (True, event.occurred_at_ms if since_ms is None else since_ms)
        else:
            registers[deleted.name] = (event.occurred_at_ms,)
        bounds = {"modified_at": event.occurred_at_ms}
        yield ColumnUpdate(asset, (event.account_id, asset_id), registers, bounds)


def _items(event: ParsedEvent, asset_id: str) -> Iterator[ColumnUpdate]:
    """Yield each item once; of one that the event names twice, its deletion counts."""
    updates = object_in(event.object, "updates") or {}
    removed: Mapping[str, Values] = {deleted.name: (event.occurred_at_ms,)}
    changes: Sequence[tuple[JsonObject, str, Mapping[str, Values]]] = (
        (event.object, "asset_items", alive),
        (updates, "asset_item_added", alive),
        (updates, "asset_item_updated", {}),
        (updates, "asset_item_deleted", removed),
    )
    assets: dict[str, dict[str, Values]] = {}
    for changed, member, existence in changes:
        for each in objects_in(changed, member):
            if item_id := id_text(each, "asset_item_id"):
                assets.setdefault(item_id, {}).update(values_of(each, _item) | dict(existence))
    for item_id, registers in assets.items():
        yield ColumnUpdate(item, (event.account_id, asset_id, item_id), registers)


projections: Final = (asset, item)

readers: Final[Mapping[str, tuple[Reader, ...]]] = {
    "contact_center.asset_created": (_created,),
    "contact_center.asset_updated": (_updated,),
    "contact_center.asset_deleted": (_deleted,),
}
