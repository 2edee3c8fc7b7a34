"""Pure: checks the parameters of a request against its operation.

Parameters outside the catalogue are ignored, as the vendor does.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from simulator.rest.answers import QueryValue
from simulator.rest.errors import enum_code, refusal
from zoom.catalogue import Operation, Parameter

_integer: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_booleans: Final = {"true": True, "false": False}


def check_path(operation: Operation, path: Mapping[str, str]) -> None:
    """Check the values in the path.

    Raises:
        ApiError: 400: one is empty, reserved, of a wrong length or not among the known values.
    """
    for parameter in operation.parameters:
        if parameter.location == "path":
            value = path[parameter.name]
            if not value or value in parameter.reserved:
                raise refusal(operation, parameter.name, "expected an id")
            _check(operation, parameter, value)


def read_query(operation: Operation, sent: Iterable[tuple[str, str]]) -> Mapping[str, QueryValue]:
    """Return the query's values by their types. An array's may be repeated, or joined by commas.

    Raises:
        ApiError: 400: a required value is missing, or one is invalid.
    """
    given: dict[str, list[str]] = {}
    for name, text in sent:
        given.setdefault(name, []).append(text)
    query: dict[str, QueryValue] = {}
    for parameter in operation.parameters:
        if parameter.location != "query":
            continue
        if parameter.name in given:
            query[parameter.name] = _value(operation, parameter, given[parameter.name])
        elif parameter.required:
            raise refusal(operation, parameter.name, "is required")
    return query


def _value(operation: Operation, parameter: Parameter, texts: list[str]) -> QueryValue:
    value = _readers[parameter.type](",".join(texts) if parameter.type == "array" else texts[-1])
    if value is None:
        raise refusal(operation, parameter.name, f"expected type {parameter.type}")
    _check(operation, parameter, value)
    return value


def _read_integer(text: str) -> QueryValue | None:
    return int(text) if _integer.fullmatch(text) else None


def _read_boolean(text: str) -> QueryValue | None:
    return _booleans.get(text)


def _read_array(text: str) -> QueryValue | None:
    return tuple(text.split(",")) if text else ()


_readers: Final[
    Mapping[Literal["string", "integer", "boolean", "array"], Callable[[str], QueryValue | None]]
] = {"string": str, "integer": _read_integer, "boolean": _read_boolean, "array": _read_array}


def _check(operation: Operation, parameter: Parameter, value: QueryValue) -> None:
    values = value if isinstance(value, tuple) else (value,)
    if parameter.values and not set(values) <= set(parameter.values):
        known = ", ".join(map(str, parameter.values))
        raise refusal(operation, parameter.name, f"expected of {known}", code=enum_code)
    if parameter.unique and len(set(values)) < len(values):
        raise refusal(operation, parameter.name, "expected no value twice")
    lengths = tuple(len(text) for text in values if isinstance(text, str))
    numbers = tuple(number for number in values if not isinstance(number, str))
    for sizes, minimum, maximum, unit in (
        ((len(values),), parameter.min_items, parameter.max_items, " values"),
        (lengths, parameter.min_length, parameter.max_length, " characters"),
        (numbers, parameter.minimum, parameter.maximum, ""),
    ):
        if minimum is not None and any(size < minimum for size in sizes):
            raise refusal(operation, parameter.name, f"expected at least {minimum}{unit}")
        if maximum is not None and any(size > maximum for size in sizes):
            raise refusal(operation, parameter.name, f"expected at most {maximum}{unit}")
