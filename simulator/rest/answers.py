"""Pure: the requests and replies of operations, after all checks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from simulator.rest.documents import Document
from zoom.catalogue import Operation

QueryValue = str | int | bool | tuple[str, ...]
"""A query parameter's value, by its type in the catalogue; an array is a tuple."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """The time that a window limits a list to; both ends are included.

    Both are aware and keep the offset of the request; a day stands for all of it.
    """

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Return whether a time lies inside."""
        return self.start <= moment <= self.end


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A request that has passed every check: token, scope, limit, parameters, body.

    ``path`` and ``query`` go by the parameters' names in the catalogue; ids are unescaped.
    ``query`` holds the sent parameters, paging included, and no defaults. ``spans`` go by the name
    of the parameter that starts the window (`zoom.catalogue.Window.start`): the sent ones, already
    truncated where Zoom truncates silently; without any, the first window's default, if it has one.
    ``body`` is the JSON document of a write; of a form, its fields. Links to files start with
    ``origin`` (scheme, host, port), and `simulator.rest.downloads` serves them.
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
    """A complete list: all items that pass the filters, before paging.

    ``more`` are the members next to the array, without those of paging.
    """

    items: Sequence[Document]
    more: Mapping[str, object] = field(default_factory=dict)


RestReply = Document | list[Document] | Listing | None
"""The body of a reply; None where it has none."""

Answer = Callable[[RestRequest], RestReply]
"""Answers one operation. Raises `simulator.rest.documents.ApiError`."""
