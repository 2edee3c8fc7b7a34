"""Pure: the time span of a list request, by the rules of each operation.

Source: Zoom Contact Center REST API: both ends or none; a day stands for all of it; too long a span
is refused, or silently truncated, by the operation; ``Z`` may be a literal.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from simulator.rest.answers import QueryValue, TimeSpan
from simulator.rest.errors import order_code, refusal, too_long_code
from zoom.catalogue import Operation, TimeForm, Window

_last_second: Final = timedelta(days=1, seconds=-1)

_forms: Final[Mapping[TimeForm, re.Pattern[str]]] = {
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "z": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII),
    "offset": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d", re.ASCII),
}


def spans_of(
    operation: Operation, query: Mapping[str, QueryValue], *, now: datetime
) -> Mapping[str, TimeSpan]:
    """Return the spans of a request by the parameter that starts each; see `RestRequest`.

    Raises:
        ApiError: 400: an end without the other, a time in a form that the operation does not take,
            ends in the wrong order, a span that is too long or too long ago, an unknown time zone.
    """
    zone = _zone(operation, query)
    sent = {
        window.start: _span(operation, window, query, zone, now)
        for window in operation.windows
        if window.start in query or window.end in query
    }
    return sent or _default(operation, now)


def _default(operation: Operation, now: datetime) -> Mapping[str, TimeSpan]:
    for window in operation.windows:
        if window.default_hours is not None:
            return {window.start: TimeSpan(now - timedelta(hours=window.default_hours), now)}
    return {}


def _span(
    operation: Operation,
    window: Window,
    query: Mapping[str, QueryValue],
    zone: tzinfo,
    now: datetime,
) -> TimeSpan:
    start = _moment(operation, window, window.start, query, zone)
    end = _moment(operation, window, window.end, query, zone)
    if _is_day(query[window.end]):
        end += _last_second
    if end < start:
        raise refusal(operation, window.end, f"before {window.start}", code=order_code)
    if window.lookback_days and start < now - timedelta(days=window.lookback_days):
        raise refusal(operation, window.start, f"more than {window.lookback_days} days ago")
    longest = timedelta(days=window.longest_days or timedelta.max.days)
    if end - start <= longest:
        return TimeSpan(start, end)
    if window.beyond == "truncated":
        return TimeSpan(start, start + longest)
    raise refusal(operation, window.end, f"spans more than {longest.days} days", code=too_long_code)


def _moment(
    operation: Operation,
    window: Window,
    name: str,
    query: Mapping[str, QueryValue],
    zone: tzinfo,
) -> datetime:
    text = str(query.get(name, ""))
    if not text:
        raise refusal(operation, name, f"{window.start} and {window.end} go together")
    form = next((form for form in window.forms if _forms[form].fullmatch(text)), None)
    try:
        if form is not None:
            return _read(text, form, zone if window.z_is_literal else UTC)
    except ValueError:  # such as the 31st of June
        pass
    raise refusal(operation, name, f"expected a time as {' or '.join(window.forms)}")


def _read(text: str, form: TimeForm, zone: tzinfo) -> datetime:
    if form == "offset":
        return datetime.fromisoformat(text)
    if form == "z":
        return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=zone)
    return datetime.combine(datetime.fromisoformat(text), time.min, zone)


def _is_day(text: QueryValue) -> bool:
    return _forms["date"].fullmatch(str(text)) is not None


def _zone(operation: Operation, query: Mapping[str, QueryValue]) -> tzinfo:
    name = query.get("timezone")
    if not isinstance(name, str):
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # unknown; no name; a folder of zones
        raise refusal(operation, "timezone", "expected the name of a time zone") from error
