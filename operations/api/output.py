"""Prints replies of Zoom's API: tables for people, one JSON document a line for programs."""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

import typer
from rich.console import Console

from operations.api.tables import Columns, columns_of, document_table, items_table
from operations.printable import printable
from zoom.catalogue import Operation

_columns: Final = 240
"""Width of a table in a file: an operation has one line."""


def console() -> Console:
    """Return the console of standard output."""
    return Console(
        file=sys.stdout,
        width=None if sys.stdout.isatty() else _columns,
        highlight=False,
        markup=False,
    )


def print_json(document: object) -> None:
    """Print a document on one line."""
    typer.echo(json.dumps(document))


Show = Callable[[Any], None]
"""Prints one reply."""


class Pages:
    """Prints the pages of a list one after the other, without holding them.

    The first page decides how wide the columns are.
    """

    def __init__(self, items_name: str) -> None:
        self._items_name = items_name
        self._console = console()
        self._columns: Columns | None = None
        self.count = 0

    def show(self, page: Any) -> None:  # noqa: ANN401 - a reply, see zoom.messages.Caller
        """Print the things of a page."""
        items = page[self._items_name]
        self.count += len(items)
        if not items:
            return
        header = self._columns is None
        if self._columns is None:
            self._columns = columns_of(items, self._console.width)
        self._console.print(items_table(items, self._columns, header=header))

    def print_total(self) -> None:
        """Print how many there were, and which columns the table leaves out."""
        _note(f"{self.count} {printable(self._items_name)}")
        if self._columns is not None and self._columns.left_out:
            _note(f"not shown: {', '.join(map(printable, self._columns.left_out))}; see --json")


def show_items_as_json(items_name: str) -> Show:
    """Return what prints each thing of a page on a line of its own."""

    def show(page: Any) -> None:  # noqa: ANN401 - a reply, see zoom.messages.Caller
        for item in page[items_name]:
            print_json(item)

    return show


def show_document(operation: Operation, document: Any) -> None:  # noqa: ANN401 - as above
    """Print a reply: a table of the things of a list, else one of its members."""
    name = operation.reply.items
    if document is None:
        _note("done; the reply has no document")
    elif isinstance(document, list):
        _show_page("value", {"value": document})
    elif name is not None and isinstance(document.get(name), list):
        _show_page(name, document)
        if document.get("next_page_token"):
            _note("there is more: see --page-all")
    else:
        console().print(document_table(document))


def _show_page(name: str, page: dict[str, Any]) -> None:
    pages = Pages(name)
    pages.show(page)
    pages.print_total()


def _note(text: str) -> None:
    typer.echo(text, err=True)
