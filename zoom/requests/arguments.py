"""Pure: checks the arguments of a call before it is sent, and writes its address.

A call that Zoom would refuse costs budget and raises the app's error ratio. An argument that Zoom
would read differently does harm: an empty id addresses a whole list, ``..`` another entity. No
message holds an argument: it may be a person's address or number. Source: Zoom Contact Center REST
API, OpenAPI 3.0, parameters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final
from urllib.parse import quote

from zoom.catalogue import Operation, Parameter, Window
from zoom.errors import ArgumentError
from zoom.requests.time_arguments import span_fault, written_moment

_unwritable: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and lone surrogates, which have no form in UTF-8."""

_max_integer: Final = 2**63 - 1
"""No integer of Zoom's is larger."""

_separators: Final = re.compile(r"[/\\]")
_climbs: Final = re.compile(r"\.+")


def address(operation: Operation, arguments: Mapping[str, object]) -> str:
    """Return path and query, escaped, to append to the base URL.

    ``arguments`` go by `Parameter.argument`; None leaves one out. Times are aware datetimes or
    dates, written in the operation's form; arrays are sequences of texts.

    Raises:
        ArgumentError: one is unknown, missing or wrong.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    _refuse_unknown(operation, given)
    _refuse_half_windows(operation, given)
    windows = {name: window for window in operation.windows for name in (window.start, window.end)}
    path, query = operation.path, []
    for parameter in operation.parameters:
        fault = _ArgumentFault(operation, parameter)
        if parameter.argument not in given:
            if parameter.required:
                raise fault("is required")
            continue
        value = given[parameter.argument]
        text = _written(parameter, value, windows.get(parameter.name), fault)
        if parameter.location == "path":
            _refuse_elsewhere(parameter, text, fault)
            path = path.replace(f"{{{parameter.name}}}", escaped(text))
        else:
            query.append(f"{parameter.name}={quote(text, safe='')}")
    return f"{path}?{'&'.join(query)}" if query else path


def escaped(text: str) -> str:
    """Escape a value for a path, twice where gateways would unescape it too early.

    Source: Zoom API, UUIDs that contain / or +.
    """
    once = quote(text, safe="")
    return quote(once, safe="") if "/" in text or "+" in text else once


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at similar known names."""
    names = list(known)
    near = get_close_matches(name, names, n=3)
    if near:
        return f"did you mean {', '.join(near)}?"
    return f"known are {', '.join(names)}" if names else "it takes none"


def is_writable(text: str) -> bool:
    """Return whether a text holds no control character and can be written in UTF-8."""
    return _unwritable.search(text) is None


class _ArgumentFault:
    """Creates the errors of one parameter."""

    def __init__(self, operation: Operation, parameter: Parameter) -> None:
        self._operation = operation
        self._parameter = parameter

    def __call__(self, expected: str) -> ArgumentError:
        return ArgumentError(self._operation.name, self._parameter.argument, expected)


def _refuse_unknown(operation: Operation, given: Mapping[str, object]) -> None:
    known = [parameter.argument for parameter in operation.parameters]
    for name in given:
        if name not in known:
            expected = f"is not a parameter of this operation; {nearest(name, known)}"
            raise ArgumentError(operation.name, name, expected)


def _refuse_half_windows(operation: Operation, given: Mapping[str, object]) -> None:
    arguments = {parameter.name: parameter.argument for parameter in operation.parameters}
    for window in operation.windows:
        start, end = arguments[window.start], arguments[window.end]
        if (start in given) != (end in given):
            missing, present = (end, start) if start in given else (start, end)
            raise ArgumentError(operation.name, missing, f"is required where {present} is given")
        if start in given and (expected := span_fault(window, given[start], given[end])):
            raise ArgumentError(operation.name, end, expected)


def _refuse_elsewhere(parameter: Parameter, text: str, fault: _ArgumentFault) -> None:
    """Refuse a value that would address anything but an entity with this id."""
    if not text.strip():
        raise fault("expected an id; nothing would address the whole list")
    if any(_climbs.fullmatch(step) for step in _separators.split(text)):
        raise fault("expected an id; dots alone would address a parent path")
    if text.casefold() in parameter.reserved:
        raise fault(f"expected an id; {', '.join(parameter.reserved)} address other operations")


def _written(
    parameter: Parameter, value: object, window: Window | None, fault: _ArgumentFault
) -> str:
    if window is not None:
        return written_moment(value, window, is_end=parameter.name == window.end, fault=fault)
    if parameter.type == "integer":
        return _integer(parameter, value, fault)
    if parameter.type == "boolean":
        if not isinstance(value, bool):
            raise fault(f"expected True or False, got {_kind(value)}")
        _refuse_other_values(parameter, value, fault)
        return "true" if value else "false"
    if parameter.type == "array":
        return _array(parameter, value, fault)
    return _text(parameter, value, fault)


def _integer(parameter: Parameter, value: object, fault: _ArgumentFault) -> str:
    minimum, maximum = parameter.minimum, parameter.maximum or _max_integer
    if isinstance(value, bool) or not isinstance(value, int):
        raise fault(f"expected a whole number, got {_kind(value)}")
    if value > maximum or value < (-_max_integer if minimum is None else minimum):
        raise fault(f"expected a whole number {_bounds(minimum, maximum)}")
    return str(int(value))


def _array(parameter: Parameter, value: object, fault: _ArgumentFault) -> str:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise fault(f"expected a sequence of texts, got {_kind(value)}")
    minimum, maximum = parameter.min_items or 1, parameter.max_items
    if len(value) < minimum or (maximum is not None and len(value) > maximum):
        raise fault(f"expected items {_bounds(minimum, maximum)} in number")
    texts = [_text(parameter, item, fault) for item in value]
    if parameter.unique and len(set(texts)) < len(texts):
        raise fault("expected each item once")
    if any("," in text or not text for text in texts):
        raise fault("expected items that are not empty and hold no comma: commas separate them")
    return ",".join(texts)


def _text(parameter: Parameter, value: object, fault: _ArgumentFault) -> str:
    if not isinstance(value, str):
        raise fault(f"expected text, got {_kind(value)}")
    if not is_writable(value):
        raise fault("expected text without control characters")
    minimum, maximum = parameter.min_length, parameter.max_length
    if (minimum is not None and len(value) < minimum) or (
        maximum is not None and len(value) > maximum
    ):
        raise fault(f"expected text of characters {_bounds(minimum, maximum)} in number")
    _refuse_other_values(parameter, value, fault)
    return value


def _refuse_other_values(parameter: Parameter, value: str | bool, fault: _ArgumentFault) -> None:  # noqa: FBT001 - the value of a parameter, not a choice of behaviour
    if parameter.values and value not in parameter.values:
        raise fault(f"expected one of {', '.join(map(str, parameter.values))}")


def _bounds(minimum: int | None, maximum: int | None) -> str:
    if minimum is None:
        return f"up to {maximum}"
    return f"from {minimum} on" if maximum is None else f"from {minimum} to {maximum}"


def _kind(value: object) -> str:
    return type(value).__name__
