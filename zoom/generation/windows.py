"""Pure: the time windows of an operation, read from the vendor's prose.

Two parameters form a window if they are called ``from`` and ``to``, or end so. Only sentences
describe a window: those of both parameters, and of the replies that refuse one. A month counts as
28 days, and six as 180, so that no month is too short.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from schemas.generation.document import JsonPointer, SchemaSourceError
from zoom.catalogue import Parameter, TimeForm, Window
from zoom.generation.optional_members import items, optional, text

_forms: Final[Mapping[TimeForm, re.Pattern[str]]] = {
    "date": re.compile(r"yyyy-mm-dd(?!'?T)", re.IGNORECASE),
    "z": re.compile(r"ss'?Z|\dZ\b|SSZ"),
    "offset": re.compile(r"±HH:mm|'TZD'"),
}
_default: Final = re.compile(r"(?:past|last) (\d+) (hour|day)s|a (\d+) day time range")
_month: Final = re.compile(r"\b(one|a|1)[ -]month\b|\bshould be a month\b", re.IGNORECASE)
_six_months: Final = re.compile(r"less than 6 months")
_days: Final = re.compile(r"time range cannot exceed (\d+) days", re.IGNORECASE)
_refused: Final = re.compile(
    r"exceeds the 1-month limit|exceeds one month|cannot exceed \d+ days", re.IGNORECASE
)
_truncated: Final = re.compile(r"\bonly (?:includes )?one month|includes one month")
_lookback: Final = re.compile(r"in recent 6 months")
_literal_z: Final = re.compile(r"\bliteral\b")

_days_of_a_month: Final = 28
_days_of_six_months: Final = 180


def windows(operation: JsonPointer, parameters: Sequence[Parameter]) -> Iterator[Window]:
    """Yield the windows, in the order of the parameters.

    Raises:
        SchemaSourceError: nothing says how the times of one are written.
    """
    declared = {
        each.member("name").as_text(): each for each in items(optional(operation, "parameters"))
    }
    names = {parameter.name for parameter in parameters}
    refusals = _refusals(operation)
    for parameter in parameters:
        end = re.sub(r"^(|.*_)from$", r"\1to", parameter.name)
        if end != parameter.name and end in names:
            yield _window(parameter, declared[parameter.name], declared[end], refusals)


def _window(parameter: Parameter, start: JsonPointer, end: JsonPointer, refusals: str) -> Window:
    prose = f"{text(start, 'description')}\n{text(end, 'description')}"
    forms = _forms_in(prose) or _forms_in(_written(start))
    if not forms:
        raise SchemaSourceError(
            start.pointer, "expected a text that says how its times are written"
        )
    longest_days = _longest_days(prose, refusals)
    return Window(
        start=parameter.name,
        end=end.member("name").as_text(),
        forms=forms,
        z_is_literal=_literal_z.search(prose) is not None,
        default_hours=_default_hours(prose),
        longest_days=longest_days,
        beyond=_beyond(prose, refusals) if longest_days else None,
        lookback_days=_days_of_six_months if _lookback.search(refusals) else None,
        deprecated=parameter.deprecated,
    )


def _beyond(prose: str, refusals: str) -> Literal["refused", "truncated"] | None:
    if _refused.search(refusals):
        return "refused"
    return "truncated" if _truncated.search(prose) else None


def _refusals(operation: JsonPointer) -> str:
    refused = optional(operation.member("responses"), "400")
    return text(refused, "description") if refused else ""


def _forms_in(prose: str) -> tuple[TimeForm, ...]:
    return tuple(form for form, pattern in _forms.items() if pattern.search(prose))


def _written(parameter: JsonPointer) -> str:
    """Return the form that an example and a mask show where the prose says nothing."""
    schema = parameter.member("schema")
    return f"{text(schema, 'example')}\n{text(schema, 'pattern')}"


def _default_hours(prose: str) -> int | None:
    match = _default.search(prose)
    if match is None:
        return None
    if match[2] == "hour":
        return int(match[1])
    return 24 * int(match[1] or match[3])


def _longest_days(prose: str, refusals: str) -> int | None:
    if match := _days.search(refusals):
        return int(match[1])
    if _six_months.search(prose):
        return _days_of_six_months
    return _days_of_a_month if _month.search(prose) else None
