"""Pure: writes a resource as a class with one typed method per operation.

A paged list gets a second method that yields the items of all pages: ``list_all``.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from schemas.generation.python_text import Subscript, flat, line_length
from zoom.catalogue import Operation, Parameter, Window
from zoom.generation.layout import docstring_lines, generated, literal, pascal, wrapped
from zoom.generation.types_source import TypeNames, TypesModule

_of_pages: Final = frozenset({"next_page_token", "page", "page_size"})
"""Parameters that `zoom.requests.paging` sets."""

_scalars: Final = {"string": "str", "integer": "int", "boolean": "bool", "array": "str"}

_max_parameters: Final = 6
"""The project's limit of parameters of a function, without ``self``."""

_standard: Final[Mapping[str, frozenset[str]]] = {
    "collections.abc": frozenset({"AsyncGenerator", "Sequence"}),
    "datetime": frozenset({"date", "datetime"}),
    "typing": frozenset({"Literal"}),
}
"""Names used in annotations, by module."""

_widest: Final = line_length - len("        ")


@dataclass(frozen=True, slots=True)
class _Argument:
    """A parameter of a method."""

    name: str
    annotation: str
    required: bool
    positional: bool = False

    @property
    def source(self) -> str:
        """The text of the argument in the signature."""
        if self.required:
            return f"{self.name}: {self.annotation}"
        return f"{self.name}: {self.annotation} | None = None"


@dataclass(frozen=True, slots=True)
class _Method:
    """A method: its parameters, its result, and its lines below the signature."""

    name: str
    arguments: Sequence[_Argument]
    returns: str
    lines: Sequence[str]

    @property
    def annotations(self) -> str:
        """All of them."""
        return " ".join((*(each.annotation for each in self.arguments), self.returns))


def resource_module(resource: str, operations: Sequence[Operation], types: TypesModule) -> str:
    """Return the source of the module with the class of a resource.

    Args:
        resource: its name.
        operations: all of it.
        types: what `types_module` wrote for them.
    """
    methods = list(chain.from_iterable(_methods(each, types) for each in operations))
    many = any(len(method.arguments) > _max_parameters for method in methods)
    head = (
        generated,
        f'"""The operations of ``client.{resource}``."""',
        *(("", "# ruff: noqa: PLR0913 - parameters are those of the operation") if many else ()),
        "",
        "from __future__ import annotations",
        "",
        *_imports(f"zoom.resources.types.{resource}", methods, types),
        "",
        "",
        f"class {pascal(resource)}:",
        f'    """Operations that Zoom files under: {operations[0].tag}."""',
        "",
        "    def __init__(self, caller: Caller) -> None:",
        "        self._caller = caller",
    )
    return "\n".join((*head, *chain.from_iterable(map(_written, methods)), ""))


def _methods(operation: Operation, types: TypesModule) -> Iterator[_Method]:
    names = types.names[operation.name]
    arguments = list(_arguments(operation, types))
    returns = names.reply or "None"
    call = [f'"{operation.name}"', *_passed(arguments)]
    lines = [*docstring_lines(list(_docstring(operation)), 8)]
    if names.reply:
        lines += _bracketed(f"reply: {returns} = await self._caller.call(", call, ")", 8)
        lines += ["        return reply"]
    else:
        lines += _bracketed("await self._caller.call(", call, ")", 8)
    yield _Method(operation.action, arguments, returns, lines)
    if operation.paging:
        yield _iterator(operation, names, arguments)


def _iterator(operation: Operation, names: TypeNames, arguments: Sequence[_Argument]) -> _Method:
    remaining = [each for each in arguments if each.name not in _of_pages]
    returns = f"AsyncGenerator[{names.item}, None]"
    described = f"Yield each item of ``{operation.action}``, over all pages."
    taken = [f'"{each.name}": {each.name}' for each in remaining]
    lines = [
        *docstring_lines((described,), 8),
        *_bracketed("arguments: dict[str, object] = {", taken, "}", 8),
        f'        return items(self._caller, find("{operation.name}"), arguments)',
    ]
    return _Method(f"{operation.action}_all", remaining, returns, lines)


def _written(method: _Method) -> Iterator[str]:
    head = "def" if method.returns.startswith("AsyncGenerator[") else "async def"
    first = [each.source for each in method.arguments if each.positional]
    rest = [each.source for each in method.arguments if not each.positional]
    parameters = ["self", *first, *(["*"] if rest else []), *rest]
    yield ""
    yield from _bracketed(f"{head} {method.name}(", parameters, f") -> {method.returns}:", 4)
    yield from method.lines


def _arguments(operation: Operation, types: TypesModule) -> Iterator[_Argument]:
    """Yield path parameters, the body, mandatory parameters, then the others."""
    times = {
        name: _moment(window) for window in operation.windows for name in (window.start, window.end)
    }
    arguments = [
        _Argument(
            parameter.argument,
            times.get(parameter.name) or _annotation(parameter, types),
            parameter.required,
            positional=parameter.location == "path",
        )
        for parameter in operation.parameters
    ]
    yield from (each for each in arguments if each.positional)
    if operation.body is not None:
        body = types.names[operation.name].body or ""
        yield _Argument("body", body, operation.body.required)
    yield from (each for each in arguments if each.required and not each.positional)
    yield from (each for each in arguments if not each.required)


def _annotation(parameter: Parameter, types: TypesModule) -> str:
    one = _scalars[parameter.type]
    if parameter.values:
        one = types.lists.get(parameter.values) or flat(literal(parameter.values))
    return flat(Subscript("Sequence", (one,))) if parameter.type == "array" else one


def _moment(window: Window) -> str:
    """Return the type of an end of a window that `zoom.requests.time_arguments` can write."""
    has_time = "offset" in window.forms or ("z" in window.forms and not window.z_is_literal)
    kinds = {"datetime": has_time, "date": "date" in window.forms, "str": True}
    return " | ".join(kind for kind, holds in kinds.items() if holds)


def _passed(arguments: Sequence[_Argument]) -> Iterator[str]:
    return (f"{each.name}={each.name}" for each in arguments)


def _docstring(operation: Operation) -> Iterator[str]:
    """Yield one sentence about the operation, and then the facts."""
    yield f"{operation.name.replace('_', ' ').capitalize()}."
    yield ""
    kind = "; a write" if operation.writes else ""
    scopes = " or ".join(f"``{scope}``" for scope in operation.scopes.all)
    old = ", ".join(f"``{each.argument}``" for each in operation.parameters if each.deprecated)
    facts = (
        f"``{operation.method} {operation.path}``, {operation.label}{kind}.",
        f"Scope: {scopes}." if scopes else "",
        f"Deprecated: {old}." if old else "",
    )
    for fact in filter(None, facts):
        yield from wrapped(fact, _widest)


def _bracketed(head: str, inner: Sequence[str], tail: str, indent: int) -> Iterator[str]:
    """Yield bracketed parts on one line where they fit, otherwise one line each."""
    before = " " * indent
    line = f"{before}{head}{', '.join(inner)}{tail}"
    if len(line) <= line_length:
        yield line
    else:
        yield f"{before}{head}"
        yield from (f"{before}    {each}," for each in inner)
        yield f"{before}{tail}"


def _imports(module: str, methods: Sequence[_Method], types: TypesModule) -> Iterator[str]:
    words = {word for each in methods for word in re.findall(r"\w+", each.annotations)}
    yield "from typing import TYPE_CHECKING"
    if any(each.name.endswith("_all") for each in methods):
        yield from ("", "from zoom.catalogue import find", "from zoom.requests.paging import items")
    yield from ("", "if TYPE_CHECKING:")
    standard = [_import(module_, words & names) for module_, names in _standard.items()]
    if used := list(chain.from_iterable(standard)):
        yield from (*used, "")
    yield from _import("zoom.messages", ("Caller",))
    yield from _import(module, words & types.defined)


def _import(module: str, names: Collection[str]) -> Iterator[str]:
    """Yield the lines of an import for editors and mypy only."""
    ordered = sorted(names, key=str.lower)
    line = f"    from {module} import {', '.join(ordered)}"
    if names and len(line) <= line_length:
        yield line
    elif names:
        inner = (f"        {name}," for name in ordered)
        yield from (f"    from {module} import (", *inner, "    )")
