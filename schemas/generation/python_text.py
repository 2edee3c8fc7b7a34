"""Pure: writes Python in the project's format, so that generated modules need no formatter.

Only the parts of models: annotated members with a default, classes, imports from a module.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

line_length: Final = 100
"""As in pyproject.toml."""


@dataclass(frozen=True, slots=True)
class Subscript:
    """``head[arguments]``."""

    head: str
    arguments: tuple["Expression", ...]


Expression = str | Subscript


def flat(expression: Expression) -> str:
    """Write an expression on one line."""
    if isinstance(expression, str):
        return expression
    return f"{expression.head}[{', '.join(map(flat, expression.arguments))}]"


def member(name: str, annotation: Expression, default: str = "") -> Iterator[str]:
    """Yield the lines of a member of a class."""
    line = f"    {name}: {flat(annotation)}"
    default_below = f"{line} = ("
    if default and len(f"{line} = {default}") > line_length >= len(default_below):
        yield from (default_below, f"        {default}", "    )")
    else:
        yield from _laid_out(annotation, 4, f"{name}: ", f" = {default}" if default else "")


def class_lines(name: str, base: Expression, docstring: str) -> Iterator[str]:
    """Yield the lines from ``class`` to the end of the docstring, two empty lines before."""
    head = f"class {name}({flat(base)}):"
    yield from ("", "")
    if len(head) <= line_length:
        yield head
    else:
        yield from (f"class {name}(", *_laid_out(base, 4, "", ""), "):")
    yield f'    """{docstring}"""'


def import_lines(module: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the lines that import names from a module; none if there are none."""
    ordered = sorted(names)
    line = f"from {module} import {', '.join(ordered)}"
    if ordered and len(line) <= line_length:
        yield line
    elif ordered:
        yield from (f"from {module} import (", *(f"    {name}," for name in ordered), ")")


def _laid_out(expression: Expression, indent: int, before: str, after: str) -> Iterator[str]:
    """Yield the lines of an expression, brackets opened only where a line would be too long."""
    line = f"{' ' * indent}{before}{flat(expression)}{after}"
    if isinstance(expression, str) or len(line) <= line_length:
        yield line
        return
    yield f"{' ' * indent}{before}{expression.head}["
    comma = "," if len(expression.arguments) > 1 else ""
    for argument in expression.arguments:
        yield from _laid_out(argument, indent + 4, "", comma)
    yield f"{' ' * indent}]{after}"
