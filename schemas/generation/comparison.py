"""Pure: the changes between two documents of the vendor, and whether they break consumers.

The comparison covers the parts that our schemas keep, so a reworded text is not a change. A change
breaks a consumer if a program that was right for the old document can be wrong for the new one:
something is gone, has another type, is no longer promised, or may be larger than before. Changes
that the contract always allows break nobody: a new event, a new field, a new value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from .json_schema import Schema


class SchemaChange(StrEnum):
    """The kind of a change of an event or a field."""

    EVENT_ADDED = "event added"
    EVENT_REMOVED = "event removed"
    FIELD_ADDED = "field added"
    FIELD_REMOVED = "field removed"
    TYPE = "type changed"
    FORMAT = "format changed"
    BOUND = "bound changed"
    VALUES_ADDED = "values added"
    VALUES_REMOVED = "values removed"
    REQUIRED = "now required"
    OPTIONAL = "no longer required"
    DEPRECATED = "deprecated"
    REVIVED = "no longer deprecated"


always_breaking: Final = frozenset(
    {
        SchemaChange.EVENT_REMOVED,
        SchemaChange.FIELD_REMOVED,
        SchemaChange.TYPE,
        SchemaChange.VALUES_REMOVED,
        SchemaChange.OPTIONAL,
    }
)
"""A format breaks where there was one before, a bound where it became wider."""

_lower_bounds: Final = ("minimum",)
_upper_bounds: Final = ("maximum", "maxLength")


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. ``path`` is "" for a whole event; ``detail`` names the old and the new state."""

    event: str
    path: str
    change: SchemaChange
    detail: str
    breaking: bool


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a schema."""

    keywords: Schema
    required: bool


def differences(old: Mapping[str, Schema], new: Mapping[str, Schema]) -> tuple[Difference, ...]:
    """Compare the schemas of two documents, by event name, as `json_schemas` yields them.

    Returns:
        Removed events, then the others in the order of the newer document. The inner parts of an
            added or removed event or field are not listed.
    """
    gone = [_difference(name, "", SchemaChange.EVENT_REMOVED) for name in old if name not in new]
    return (*gone, *(difference for name in new for difference in _of_event(name, old, new)))


def _of_event(
    name: str, old: Mapping[str, Schema], new: Mapping[str, Schema]
) -> Iterator[Difference]:
    if name not in old:
        yield _difference(name, "", SchemaChange.EVENT_ADDED)
        return
    before = dict(_fields(_Field(old[name], required=True), ""))
    after = dict(_fields(_Field(new[name], required=True), ""))
    for path in before:
        if path not in after and _parent(path) in after:
            yield _difference(name, path, SchemaChange.FIELD_REMOVED)
    for path, field in after.items():
        if path in before:
            yield from _of_field(name, path, before[path], field)
        elif _parent(path) in before:
            yield _difference(name, path, SchemaChange.FIELD_ADDED)


def _of_field(name: str, path: str, old: _Field, new: _Field) -> Iterator[Difference]:
    for change, keyword in ((SchemaChange.TYPE, "type"), (SchemaChange.FORMAT, "format")):
        was, now = old.keywords.get(keyword), new.keywords.get(keyword)
        if was != now:
            breaking = change is SchemaChange.TYPE or was is not None
            yield _difference(name, path, change, f"{was} -> {now}", breaking=breaking)
    yield from _of_bounds(name, path, old.keywords, new.keywords)
    yield from _of_values(name, path, old.keywords, new.keywords)
    if old.required != new.required:
        yield _difference(
            name, path, SchemaChange.REQUIRED if new.required else SchemaChange.OPTIONAL
        )
    deprecated = bool(new.keywords.get("deprecated"))
    if deprecated != bool(old.keywords.get("deprecated")):
        yield _difference(
            name, path, SchemaChange.DEPRECATED if deprecated else SchemaChange.REVIVED
        )


def _of_bounds(name: str, path: str, old: Schema, new: Schema) -> Iterator[Difference]:
    for keyword in (*_lower_bounds, *_upper_bounds):
        was, now = cast("float | None", old.get(keyword)), cast("float | None", new.get(keyword))
        if was == now:
            continue
        wider = was is not None and (
            now is None or (now < was if keyword in _lower_bounds else now > was)
        )
        detail = f"{keyword} {was} -> {now}"
        yield _difference(name, path, SchemaChange.BOUND, detail, breaking=wider)


def _of_values(name: str, path: str, old: Schema, new: Schema) -> Iterator[Difference]:
    was = cast("list[object]", old.get("x-known-values", []))
    now = cast("list[object]", new.get("x-known-values", []))
    for change, values in (
        (SchemaChange.VALUES_ADDED, [value for value in now if value not in was]),
        (SchemaChange.VALUES_REMOVED, [value for value in was if value not in now]),
    ):
        if values:
            yield _difference(name, path, change, ", ".join(map(str, values)))


def _difference(
    event: str, path: str, change: SchemaChange, detail: str = "", *, breaking: bool = False
) -> Difference:
    return Difference(event, path, change, detail, breaking or change in always_breaking)


def _fields(field: _Field, path: str) -> Iterator[tuple[str, _Field]]:
    """Yield (path, field) of a schema and of all below it."""
    yield path, field
    keywords = field.keywords
    required = cast("list[str]", keywords.get("required", []))
    for name, member in cast("dict[str, Schema]", keywords.get("properties", {})).items():
        inner = _Field(member, required=name in required)
        yield from _fields(inner, f"{path}.{name}".removeprefix("."))
    if "items" in keywords:
        yield from _fields(_Field(cast("Schema", keywords["items"]), required=False), f"{path}[]")


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]
