"""Pure: replies of Zoom's API as tables.

A reply holds what customers have written. Nothing of it reaches a terminal but characters that can
be seen, and nothing is read as markup.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from operations.printable import printable

_widest: Final = 40
"""Ids have up to 36 characters; longer values are folded."""

_gap: Final = 1


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table: names with widths, and the members that have none."""

    widths: Mapping[str, int]
    left_out: tuple[str, ...]


def columns_of(items: Sequence[object], width: int) -> Columns:
    """Choose columns that fit into a width, from the first things of a list.

    Members are taken in the order in which they come; those that hold objects are left out.
    """
    names = dict.fromkeys(name for item in items for name in _members(item))
    widths: dict[str, int] = {}
    left_out = []
    left = width
    for name in names:
        values = [_members(item).get(name) for item in items]
        widest = max(cell_len(text) for text in (name, *map(shown, values)))
        needed = min(widest, _widest)
        if any(_is_nested(value) for value in values) or (widths and needed > left):
            left_out.append(name)
            continue
        widths[name] = needed
        left -= needed + _gap
    return Columns(widths, tuple(left_out))


def items_table(items: Iterable[object], columns: Columns, *, header: bool) -> Table:
    """Show things of a list, each in a row."""
    table = Table(
        box=None, pad_edge=False, padding=(0, _gap, 0, 0), show_header=header, header_style="bold"
    )
    for name, width in columns.widths.items():
        table.add_column(Text(printable(name)), width=width, overflow="fold")
    for item in items:
        members = _members(item)
        table.add_row(*(Text(shown(members.get(name))) for name in columns.widths))
    return table


def document_table(document: Mapping[str, Any]) -> Table:
    """Show one thing, each of its members in a row."""
    table = Table.grid(padding=(0, 2))
    for name, value in document.items():
        text = _indented(value) if _is_nested(value) else shown(value)
        table.add_row(Text(printable(name), style="dim"), Text(text, overflow="fold"))
    return table


def shown(value: object) -> str:
    """Write a value on one line: texts bare, lists of plain values with commas, else JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list) and not _is_nested(value):
        return ", ".join(map(shown, value))
    return json.dumps(value)


def _members(item: object) -> Mapping[str, object]:
    return item if isinstance(item, Mapping) else {"value": item}


def _is_nested(value: object) -> bool:
    if isinstance(value, list):
        return any(isinstance(each, list | dict) for each in value)
    return isinstance(value, dict)


def _indented(value: object) -> str:
    lines = json.dumps(value, indent=2, ensure_ascii=False).splitlines()
    return "\n".join(map(printable, lines))
