"""Pure: slowly changing attributes, each with its own column and register.

A member that an event omits is unchanged. So each member is a separate register, and only another
value replaces a value.
"""

from collections.abc import Callable, Mapping
from typing import Final

from schemas.envelope import JsonObject
from sinks.postgres.model.json_fields import bigint, flag, integer, json, moment_ms, text, texts
from sinks.postgres.model.projection import MinMaxColumn, Values, VersionedColumns
from sinks.postgres.model.tables import Cell, Column, SqlType

Attributes = Mapping[str, Column]
"""Columns by the name of their member."""

account_id: Final = Column("account_id", "text")
user_id: Final = Column("user_id", "text", "user_ref")
modified_by: Final = Column("modified_by", "text", "user_ref")
deleted: Final = VersionedColumns("deleted", (Column("deleted_at", "timestamptz"),))
"""Only a message that the entity exists again clears the time, with None."""

alive: Final[Mapping[str, Values]] = {deleted.name: (None,)}

lifetime: Final = (MinMaxColumn("created_at", "least"), MinMaxColumn("modified_at", "greatest"))
"""Of an entity whose events report creation and changes."""

looked_up_lifetime: Final = (
    MinMaxColumn("created_at", "least"),
    MinMaxColumn("looked_up_at", "greatest"),
)
"""Of an entity that the reference topic brings as well."""

_readers: Final[Mapping[SqlType, Callable[[JsonObject, str], Cell]]] = {
    "text": text,
    "text[]": texts,
    "timestamptz": moment_ms,
    "boolean": flag,
    "integer": integer,
    "bigint": bigint,
    "jsonb": json,
}


def attributes(*columns: Column, **renamed: Column) -> Attributes:
    """Return attributes whose member has the column's name, and others by member."""
    return {column.name: column for column in columns} | renamed


def named_attributes(entity: str, *columns: Column) -> Attributes:
    """Return name and description of an entity, whose members carry its name, and others."""
    return attributes(
        *columns,
        **{f"{entity}_{column}": Column(column, "text") for column in ("name", "description")},
    )


def user_columns(prefix: str = "") -> tuple[Column, Column]:
    """Return the columns of a user's id and display name."""
    return (
        Column(f"{prefix}user_id", "text", "user_ref"),
        Column(f"{prefix}user_display_name", "text", "person_name"),
    )


def registers_of(*parts: Attributes) -> tuple[VersionedColumns, ...]:
    """Return the registers of attributes."""
    return tuple(
        VersionedColumns(column.name, (column,)) for part in parts for column in part.values()
    )


def values_of(entity: JsonObject, attributes_of_member: Attributes) -> dict[str, Values]:
    """Return an object's attributes, by register."""
    values: dict[str, Values] = {}
    for member in entity:
        column = attributes_of_member.get(member)
        if column is not None:
            cell = _readers[column.type](entity, member)
            if cell is not None:
                values[column.name] = (cell,)
    return values


def cells_of(entity: JsonObject, attributes_of_member: Attributes) -> Values:
    """Return the cells of all attributes, for one register that holds them together."""
    return tuple(
        _readers[column.type](entity, member) for member, column in attributes_of_member.items()
    )
