"""Pure: writes the two ends of a `zoom.catalogue.Window` in its operation's form.

Times are sent as whole seconds, the resolution of Zoom: a start is rounded down and an end up, so
that nothing between them is left out. A datetime is sent in UTC, as ``…Z`` where that means UTC,
otherwise with the offset ``+00:00``.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from zoom.catalogue import TimeForm, Window
from zoom.errors import ArgumentError

_forms: Final[dict[TimeForm, re.Pattern[str]]] = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "z": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    "offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"),
}


def written_moment(
    value: object, window: Window, *, is_end: bool, fault: Callable[[str], ArgumentError]
) -> str:
    """Write one end of a window: a date, an aware datetime, or text in a form of the window.

    Raises:
        ArgumentError: made by ``fault``: it is none of these, or has no form in this window.
    """
    if isinstance(value, datetime):
        form = _form_of_datetimes(window)
        if form is None:
            raise fault("expected a date")
        if value.tzinfo is None:
            raise fault("expected a datetime with a time zone")
        try:
            moment = _whole_second(value.astimezone(UTC), up=is_end)
        except OverflowError:
            raise fault("expected a datetime that is in the years 1 to 9999 in UTC too") from None
        text = moment.isoformat()
        return text if form == "offset" else text.replace("+00:00", "Z")
    if isinstance(value, date):
        if "date" not in window.forms:
            raise fault("expected a datetime with a time zone, got a date")
        return value.isoformat()
    if isinstance(value, str) and _moment(value, window) is not None:
        return value
    raise fault(f"expected {_forms_of(window)}")


def span_fault(window: Window, start: object, end: object) -> str | None:
    """Return the fault of the two ends together, or None; ends of different kinds pass."""
    first, last = _moment(start, window), _moment(end, window)
    if first is None or last is None or isinstance(first, datetime) != isinstance(last, datetime):
        return None
    if last < first:
        return f"expected no earlier moment than {window.start}"
    longest = longest_span(window, dates=not isinstance(first, datetime))
    if longest is not None and window.beyond == "truncated" and last - first > longest:
        return (
            f"expected at most {longest.days} days after {window.start}: Zoom leaves out the rest "
            "without a word; the iterators over all pages split longer spans"
        )
    return None


def longest_span(window: Window, *, dates: bool) -> timedelta | None:
    """Return the largest distance of the two ends; None where none is documented.

    Dates are whole days, the last one included.
    """
    return None if window.longest_days is None else timedelta(days=window.longest_days - dates)


def _moment(value: object, window: Window) -> date | None:
    """Return a comparable time, None where it is none."""
    if isinstance(value, datetime):
        return value if value.tzinfo else None
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    for form in _documented_forms(window):
        if _forms[form].fullmatch(value):
            try:
                return _read(value, form)
            except ValueError:
                return None
    return None


def _read(text: str, form: TimeForm) -> date:
    return date.fromisoformat(text) if form == "date" else datetime.fromisoformat(text)


def _documented_forms(window: Window) -> tuple[TimeForm, ...]:
    return tuple(form for form in window.forms if not (form == "z" and window.z_is_literal))


def _form_of_datetimes(window: Window) -> TimeForm | None:
    return next((form for form in ("z", "offset") if form in _documented_forms(window)), None)


def _forms_of(window: Window) -> str:
    names = {
        "date": "a date (2026-01-31)",
        "z": "a moment in UTC (2026-01-31T09:30:00Z)",
        "offset": "a moment with its offset (2026-01-31T09:30:00+01:00)",
    }
    return " or ".join(names[form] for form in _documented_forms(window))


def _whole_second(moment: datetime, *, up: bool) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole + timedelta(seconds=1) if up and moment.microsecond else whole
