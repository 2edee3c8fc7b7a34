"""Pure: what an operation is asked, once it may be answered, and what can be said to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from simulator.rest.documents import Document
from zoom.catalogue import Operation

QueryValue = str | int | bool | tuple[str, ...]
"""A query parameter's value, by its type in the catalogue; an array is a tuple."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The time that a window limits a list to; both ends belong to it.

    Both are aware and keep the offset in which they were asked for; a day stands for all of it.
    """

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Tell whether a moment lies inside."""
        return self.start <= moment <= self.end


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A request that has passed every check: token, scope, limit, parameters, body.

    ``path`` and ``query`` go by the parameters' names in the catalogue; ids are unescaped.
    ``query`` holds what was sent, paging included, and no defaults. ``spans`` go by the name of
    the parameter that starts the window (`zoom.catalogue.Window.start`): those that were sent,
    already cut where Zoom cuts them in silence; where none was sent, the first window's default,
    if it has one. ``body`` is the JSON document of a write; of a form, its fields. Links to files
    start with ``origin`` (scheme, host, port), and `simulator.rest.downloads` serves them.
    """

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, QueryValue]
    body: object | None
    now: datetime
    origin: str
    spans: Mapping[str, TimeSpan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole list: all items that fit the filters, to be cut into pages by whoever asked.

    ``more`` are the members that stand beside the array, those of paging left out.
    """

    items: Sequence[Document]
    more: Mapping[str, object] = field(default_factory=dict)


RestReply = Document | list[Document] | Listing | None
"""The body of an answer; None: it has none."""

Answer = Callable[[RestRequest], RestReply]
"""Answers one operation. Raises `simulator.rest.documents.ApiError`."""
