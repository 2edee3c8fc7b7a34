"""Pure: makes an example of an event from its schema, always the same.

Every member is present, deprecated ones too, and each array has two items, so that an example shows
all that may come. Values are plainly invented and depend on the name of the member alone: a queue
has the same id everywhere. Telephone numbers are in the range 555-0100 to 555-0199, hosts are
example.com: neither belongs to anybody. Sources: NANP, 555 line numbers; RFC 2606.
"""

import re
from collections.abc import Mapping
from typing import Final, cast

event_ts_ms: Final = 1_768_469_400_456
"""2026-01-15T09:30:00.456Z: a third of a second after the example's occurrence."""

_items: Final = 2

_known: Final[Mapping[str, str]] = {
    "account_id": "example-account",
    "modified_by": "example-user-1",
    "flow_number": "+12025550190",
    "contact_center_number": "+12025550191",
    "country_iso_code": "US",
    "timezone": "Etc/UTC",
    "start_time": "09:00",
    "end_time": "17:00",
    "first_name": "Alex",
    "last_name": "Example",
    "dtmf_input": "1",
}
"""Texts that no rule produces."""


def example(schema: Mapping[str, object]) -> dict[str, object]:
    """Return a body that satisfies a schema of `json_schemas`, its closed view included."""
    body = cast("dict[str, object]", _value("", schema, 1))
    return {**body, "event_ts": event_ts_ms}


def _value(name: str, schema: Mapping[str, object], index: int) -> object:
    """Invent a value; ``index`` counts the items of the enclosing array, from 1."""
    if schema.get("type") == "object":
        members = cast("Mapping[str, Mapping[str, object]]", schema.get("properties", {}))
        return {member: _value(member, inner, index) for member, inner in members.items()}
    if schema.get("type") == "array":
        items = cast("Mapping[str, object]", schema["items"])
        return [_value(name, items, number) for number in range(1, _items + 1)]
    return _scalar(name, schema, index)


def _scalar(name: str, schema: Mapping[str, object], index: int) -> object:
    if "const" in schema:
        return schema["const"]
    if values := cast("list[object]", schema.get("x-known-values")):
        return values[(index - 1) % len(values)]
    match schema["type"]:
        case "boolean":
            return True
        case "integer" | "number":
            return _number(schema)
        case _:
            return _text(name, schema, index)


def _number(schema: Mapping[str, object]) -> int:
    """Sixty, unless the bounds say otherwise."""
    low, high = cast("int", schema.get("minimum", 0)), cast("int", schema.get("maximum", 60))
    return max(low, min(high, 60))


def _text(name: str, schema: Mapping[str, object], index: int) -> str:
    if schema.get("format") == "date-time":
        return _time(name)
    text = _known.get(name) or _by_ending(name, index)
    return text[: cast("int", schema.get("maxLength", len(text)))]


def _time(name: str) -> str:
    minute = 45 if re.search(r"(^|_)(end|archived)_", name) else 30
    return f"2026-01-15T09:{minute}:00{'.123' if name.endswith('_ms') else ''}Z"


def _by_ending(name: str, index: int) -> str:
    words = name.split("_")
    if words[-1] in {"id", "ids"}:
        return f"example-{'-'.join(words[:-1])}-{index}"
    if words[-1] in {"number", "from", "to"}:
        return f"+120255501{index:02}"
    if words[-1] == "email":
        return f"{words[0]}.{index}@example.com"
    if words[-1] == "url":
        return f"https://example.com/{'-'.join(words[:-1])}/{index}"
    if words[-2:] == ["display", "name"]:
        return f"{'Casey' if 'consumer' in words else 'Alex'} Example {index}"
    return f"Example {' '.join(words).removesuffix(' name')} {index}"
