"""Pure: divides long time spans into windows that an operation accepts.

Consecutive windows share their edge, so that nothing falls between them: a second for times, a day
for dates, because a date as the end means 23:59:59 and leaves out the rest of that second. An
entity on an edge may therefore come twice. An operation that sums up a window sums up each window
separately: give such an operation times, not dates. Source: Zoom Contact Center REST API,
parameters ``from`` and ``to`` and their like.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import pairwise, product

from zoom.catalogue import Operation, TimeForm, Window
from zoom.errors import ArgumentError
from zoom.requests.time_arguments import longest_span, written_moment

Arguments = Mapping[str, object]
"""By `zoom.catalogue.Parameter.argument`."""


@dataclass(frozen=True, slots=True)
class _Time:
    """A time as written; a date stands for its first midnight, in UTC."""

    text: str

    @property
    def form(self) -> TimeForm:
        if "T" not in self.text:
            return "date"
        return "z" if self.text.endswith("Z") else "offset"

    @property
    def moment(self) -> datetime:
        moment = datetime.fromisoformat(self.text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def at(self, moment: datetime) -> str:
        """Write another time in the same form."""
        if self.form == "date":
            return moment.date().isoformat()
        text = moment.astimezone(self.moment.tzinfo).isoformat(timespec="seconds")
        return text.replace("+00:00", "Z") if self.form == "z" else text


def divided(operation: Operation, arguments: Arguments, *, now: datetime) -> Iterator[Arguments]:
    """Yield the arguments of the calls, or walks, that together cover the span in ``arguments``.

    They differ in their windows only. The earliest window comes first, or the latest where the list
    is in descending order. Without a window none is added: the operation takes its last
    `Window.default_hours`. ``now`` is an aware datetime. All arguments are checked before the first
    result.

    Raises:
        ArgumentError: one end is missing, or has a wrong form, or lies before the start, or the
            start precedes the operation's lookback.
    """
    parts = [
        list(_divided(operation, window, arguments, now))
        for window in operation.windows
        if _given(operation, window, arguments)
    ]
    if _is_descending(operation, arguments):
        parts = [part[::-1] for part in parts]
    for windows in product(*parts):
        yield dict(arguments) | {name: text for window in windows for name, text in window.items()}


def _given(operation: Operation, window: Window, arguments: Arguments) -> bool:
    names = _argument(operation, window.start), _argument(operation, window.end)
    missing = [name for name in names if arguments.get(name) is None]
    if len(missing) == 1:
        raise ArgumentError(operation.name, missing[0], f"expected {' and '.join(names)}, or none")
    return not missing


def _divided(
    operation: Operation, window: Window, arguments: Arguments, now: datetime
) -> Iterator[dict[str, str]]:
    start_name, end_name = _argument(operation, window.start), _argument(operation, window.end)
    fault = partial(ArgumentError, operation.name)
    start = _read(window, arguments[start_name], partial(fault, start_name), is_end=False)
    end = _read(window, arguments[end_name], partial(fault, end_name), is_end=True)
    if start.form != end.form:
        raise fault(end_name, f"expected to be written as {start_name} is")
    if end.moment < start.moment:
        raise fault(end_name, f"expected no earlier than {start_name}")
    if (oldest := _oldest(window, start, now)) is not None and start.moment < oldest:
        known = start.at(oldest)
        raise fault(start_name, f"expected no earlier than {known}: Zoom has forgotten the rest")
    inner = (start.at(edge) for edge in _inner_edges(window, start, end))
    for first, last in pairwise((start.text, *inner, end.text)):
        yield {start_name: first, end_name: last}


def _inner_edges(window: Window, start: _Time, end: _Time) -> Iterator[datetime]:
    step = longest_span(window, dates=start.form == "date")
    edge, last = start.moment, end.moment
    while step is not None and last - edge > step:
        edge += step
        yield edge


def _read(
    window: Window, value: object, fault: Callable[[str], ArgumentError], *, is_end: bool
) -> _Time:
    return _Time(written_moment(value, window, is_end=is_end, fault=fault))


def _oldest(window: Window, start: _Time, now: datetime) -> datetime | None:
    """Return the earliest time that the operation still knows, None where it forgets nothing."""
    if window.lookback_days is None:
        return None
    oldest = now - timedelta(days=window.lookback_days)
    if start.form == "date":
        return datetime.combine(oldest.astimezone(UTC), time.min, UTC)
    return oldest


def _is_descending(operation: Operation, arguments: Arguments) -> bool:
    for parameter in operation.parameters:
        if parameter.name == "sort_order":
            given = arguments.get(parameter.argument)
            return (parameter.default if given is None else given) == "desc"
    return False


def _argument(operation: Operation, name: str) -> str:
    return next(each.argument for each in operation.parameters if each.name == name)
