"""Pure: the options of `zcc api call`, which are named as the parameters of its operation.

``--page-size 30`` and ``--page_size=30`` mean the same. Arrays are given again for each item, or as
one text with commas between them. What a value must be is `zoom.requests.arguments`' to say.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import orjson

from zoom.catalogue import Operation, Parameter, Schema
from zoom.errors import ArgumentError
from zoom.requests.arguments import nearest
from zoom.requests.bodies import File

_integer: Final = re.compile(r"-?[0-9]{1,19}")
_booleans: Final = {"true": True, "false": False}


def option_of(parameter: Parameter) -> str:
    """Return the option that gives a parameter."""
    return f"--{parameter.name.replace('_', '-')}"


def arguments(operation: Operation, words: Sequence[str]) -> dict[str, object]:
    """Return what the words of a command line give, by `Parameter.argument`.

    Raises:
        ArgumentError: an option is unknown, or its value is of another type.
    """
    parameters = {option_of(parameter): parameter for parameter in operation.parameters}
    values: dict[str, object] = {}
    for option, text in _pairs(operation, words):
        parameter = parameters.get(option)
        if parameter is None:
            expected = f"is not an option of this operation; {nearest(option, parameters)}"
            raise ArgumentError(operation.name, option, expected)
        before = values.get(parameter.argument)
        if before is not None and parameter.type != "array":
            raise ArgumentError(operation.name, option, "expected once")
        items = before if isinstance(before, list) else []
        values[parameter.argument] = _value(operation, parameter, text, items)
    return values


def _pairs(operation: Operation, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            raise ArgumentError(operation.name, "options", "expected --name value, or --name=value")
        name, equals, text = word.partition("=")
        option = name.replace("_", "-")
        if not equals:
            text = next(rest, "--")
            if text.startswith("--"):
                expected = "expected a value; write one that begins with -- after ="
                raise ArgumentError(operation.name, option, expected)
        yield option, text


def _value(operation: Operation, parameter: Parameter, text: str, before: list[str]) -> object:
    if parameter.type == "array":
        return before + text.split(",")
    if parameter.type == "integer":
        if not _integer.fullmatch(text):
            raise ArgumentError(operation.name, option_of(parameter), "expected a whole number")
        return int(text)
    if parameter.type == "boolean":
        if text not in _booleans:
            raise ArgumentError(operation.name, option_of(parameter), "expected true or false")
        return _booleans[text]
    return text


def body_of(operation: Operation, text: bytes) -> object:
    """Return the document of a body.

    Raises:
        ArgumentError: it is not JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        expected = (
            f"expected JSON, @FILE or -; line {error.lineno}, column {error.colno} is not JSON"
        )
        raise ArgumentError(operation.name, "--body", expected) from None


def with_files(document: object, schema: Schema, read: Callable[[str], File]) -> object:
    """Return a body in which the files that ``read`` returns replace their paths."""
    if schema.get("format") == "binary" and isinstance(document, str):
        return read(document)
    if isinstance(document, Mapping):
        members = schema.get("properties", {})
        return {
            name: with_files(member, members.get(name, {}), read)
            for name, member in document.items()
        }
    if isinstance(document, list):
        return [with_files(item, schema.get("items", {}), read) for item in document]
    return document
