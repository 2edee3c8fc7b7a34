"""Pure: an operation of Zoom's API in short words, for the terminal and for the reference page."""

from collections.abc import Iterator
from typing import Final, assert_never

from zoom.catalogue import Operation, Paging, Parameter, Schema, TimeForm, Window

_forms: Final[dict[TimeForm, str]] = {
    "date": "2026-01-31",
    "z": "2026-01-31T09:30:00Z",
    "offset": "2026-01-31T09:30:00+01:00",
}


def has_deprecated(operation: Operation) -> bool:
    """Whether the operation, or a parameter of it, is deprecated."""
    return operation.deprecated or any(each.deprecated for each in operation.parameters)


def typed(parameter: Parameter) -> str:
    """Name the type of a parameter, with its format."""
    if parameter.type == "array":
        return "strings, comma-separated"
    return f"{parameter.type} ({parameter.format})" if parameter.format else parameter.type


def limits(parameter: Parameter) -> str:
    """Return the limits of a parameter other than its type; "" if it has none."""
    return "; ".join(_limits(parameter))


def paging(pages: Paging) -> str:
    """Describe how a list is paged."""
    sizes = (pages.size_default or "?", pages.size_max or "?")
    size = "" if sizes == ("?", "?") else f", {sizes[0]} a page, at most {sizes[1]}"
    match pages.style:
        case "next_page_token":
            return f"next_page_token{size}"
        case "page_number":
            return f"page number{size}"
        case "reply_token_only":
            return "one page only: no request takes the token of a reply"
        case _:
            assert_never(pages.style)


def window(range_: Window) -> Iterator[str]:
    """Yield the parameters and the limits of a window."""
    yield f"{range_.start}, {range_.end}"
    if range_.deprecated:
        yield "deprecated"
    if range_.default_hours:
        yield f"else the last {_span(range_.default_hours)}"
    if range_.longest_days:
        beyond = f", beyond it {range_.beyond}" if range_.beyond else ""
        yield f"at most {range_.longest_days} days{beyond}"
    if range_.lookback_days:
        yield f"not before the last {range_.lookback_days} days"
    if range_.z_is_literal:
        yield "Z is the zone of `timezone`, not UTC"
    yield f"written {' or '.join(_forms[form] for form in range_.forms)}"


def schema_type(schema: Schema) -> str:
    """Name the type of a value, with its format; ``any`` if it has none."""
    kind = schema.get("type", "one of" if "oneOf" in schema else "any")
    names = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{names} ({schema['format']})" if "format" in schema else names


def schema_limits(schema: Schema) -> str:
    """Return the limits of a value other than its type; "" if it has none."""
    return "; ".join(_schema_limits(schema))


def _limits(parameter: Parameter) -> Iterator[str]:
    if parameter.values:
        yield _listed(parameter.values)
    yield from _between("", parameter.minimum, parameter.maximum)
    yield from _between("length ", parameter.min_length, parameter.max_length)
    yield from _between("count ", parameter.min_items, parameter.max_items)
    if parameter.unique:
        yield "unique items"
    if parameter.reserved:
        yield f"never {_listed(parameter.reserved)}"
    if parameter.deprecated:
        yield "deprecated"


def _schema_limits(schema: Schema) -> Iterator[str]:
    if values := schema.get("enum") or schema.get("x-known-values"):
        yield _listed(values)
    yield from _between("", schema.get("minimum"), schema.get("maximum"))
    yield from _between("length ", schema.get("minLength"), schema.get("maxLength"))
    yield from _between("count ", schema.get("minItems"), schema.get("maxItems"))
    if "default" in schema:
        yield f"default {shown(schema['default'])}"
    for keyword, text in (("readOnly", "read only"), ("deprecated", "deprecated")):
        if schema.get(keyword):
            yield text


def shown(value: object) -> str:
    """Write a value as JSON has it, texts without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(values: tuple[object, ...] | list[object]) -> str:
    return ", ".join(shown(value) for value in values)


def _between(what: str, minimum: float | None, maximum: float | None) -> Iterator[str]:
    if minimum is not None and maximum is not None:
        yield f"{what}{minimum} to {maximum}"
    elif minimum is not None:
        yield f"{what}at least {minimum}"
    elif maximum is not None:
        yield f"{what}at most {maximum}"


def _span(hours: int) -> str:
    return f"{hours} hours" if hours <= 24 else f"{hours // 24} days"  # noqa: PLR2004 - a day
