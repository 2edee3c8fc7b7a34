"""Pure: members of a JSON object, in types that their columns can hold.

A value of another type, an empty one, or one beyond the range of the column counts as absent: the
raw event holds it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import orjson

from schemas.envelope import JsonObject, latest_event_ts_ms

longest_id: Final = 255
"""Characters. A longer text is not an id of Zoom's, and too long for an index."""

_epoch: Final = datetime.fromtimestamp(0, UTC)
_millisecond: Final = timedelta(milliseconds=1)
_earliest_ms: Final = -62_135_596_800_000
"""0001-01-01T00:00:00Z, the first time that both Python and Postgres can hold: a time of that day
in a zone east of Greenwich is before it."""
_least_int8: Final = -(2**63)
_least_int4: Final = -(2**31)


def text(entity: JsonObject, name: str) -> str | None:
    """Return a non-empty text."""
    value = entity.get(name)
    return value if isinstance(value, str) and value else None


def id_text(entity: JsonObject, name: str) -> str | None:
    """Return a text that fits into an index: not empty, at most `longest_id` long."""
    value = entity.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= longest_id else None


def texts(entity: JsonObject, name: str) -> tuple[str, ...] | None:
    """Return the texts of an array; other items are left out."""
    value = entity.get(name)
    return tuple(t for t in value if isinstance(t, str)) if isinstance(value, list) else None


def moment_ms(entity: JsonObject, name: str) -> int | None:
    """Return a time by RFC 3339, with its zone, as epoch milliseconds."""
    value = entity.get(name)
    if not isinstance(value, str):
        return None
    try:
        time_ms = (datetime.fromisoformat(value) - _epoch) // _millisecond
    except (ValueError, TypeError):  # TypeError: a time without a zone
        return None
    return time_ms if _earliest_ms <= time_ms <= latest_event_ts_ms else None


def integer(entity: JsonObject, name: str) -> int | None:
    """Return a number for an ``integer`` column."""
    return _number(entity, name, _least_int4)


def bigint(entity: JsonObject, name: str) -> int | None:
    """Return a number for a ``bigint`` column."""
    return _number(entity, name, _least_int8)


def flag(entity: JsonObject, name: str) -> bool | None:
    """Return a boolean."""
    value = entity.get(name)
    return value if isinstance(value, bool) else None


def json(entity: JsonObject, name: str) -> bytes | None:
    """Return a member that is an object or an array, for a ``jsonb`` column."""
    value = entity.get(name)
    return orjson.dumps(value) if isinstance(value, dict | list) else None


def object_in(entity: JsonObject, name: str) -> JsonObject | None:
    """Return a member that is an object."""
    value = entity.get(name)
    return cast("JsonObject", value) if isinstance(value, dict) else None


def objects_in(entity: JsonObject, name: str) -> Iterator[JsonObject]:
    """Yield the objects of an array; other items are left out."""
    value = entity.get(name)
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield cast("JsonObject", item)


def _number(entity: JsonObject, name: str, least: int) -> int | None:
    value = entity.get(name)
    return value if type(value) is int and least <= value < -least else None
