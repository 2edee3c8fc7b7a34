"""Pure: the items of a list request, in its order and its notation of times.

A filter names a member of the items, at any depth, in the singular or in the plural; a filter that
matches no member of the operation's items is ignored. A queue goes by either of its ids.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final, cast

from simulator.rest.answers import Listing, QueryValue, RestRequest
from simulator.rest.documents import Document
from simulator.state.schema_projection import Facts, fitted_list_members, item_schema
from zoom.catalogue import Operation, Schema, find

no_filters: Final = frozenset({"page_size", "next_page_token", "timezone", "sort_order"})

queue_ids: Final = ("queue_id", "cc_queue_id", "cci_queue_id")

other_names: Final[Mapping[str, tuple[str, ...]]] = {
    "queue_id": queue_ids,
    "cc_queue_id": queue_ids,
    "agent_id": ("user_id",),
    "agent_name": ("display_name",),
}

_offset: Final = re.compile(r"[+-]\d{2}:\d{2}$")
_time: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def listed(request: RestRequest, documents: Iterable[Document], *, time: str = "") -> Listing:
    """Return the documents that lie in the windows and pass the filters.

    ``time`` is the member that a window ``from`` and ``to`` limits, and that determines the order,
    where the request may choose one; other windows name their members.
    """
    matching = [document for document in documents if in_windows(request, document, time=time)]
    if "sort_order" in _parameters(request.operation):
        newest_first = request.query.get("sort_order", "desc") == "desc"
        matching.sort(key=lambda document: str(document.get(time, "")), reverse=newest_first)
    return filtered(request, matching)


def filtered(request: RestRequest, documents: Iterable[Document]) -> Listing:
    """Return the documents that pass the filters."""
    filters = _filters(request)
    items = [
        _in_requested_zone(request, document)
        for document in documents
        if all(_values_under(document, names) & wanted for names, wanted in filters)
    ]
    return Listing(items, fitted_list_members(request.operation, _list_members(request)))


def in_windows(request: RestRequest, facts: Facts, *, time: str) -> bool:
    """Return whether a document lies in all requested windows."""
    for start, span in request.spans.items():
        time_text = facts.get(time if start == "from" else start.removesuffix("_from"))
        if not isinstance(time_text, str) or not span.holds(datetime.fromisoformat(time_text)):
            return False
    return True


def _filters(request: RestRequest) -> list[tuple[tuple[str, ...], frozenset[str]]]:
    """Return for each filter its members, and the values that pass."""
    windows = {name for w in request.operation.windows for name in (w.start, w.end)}
    filters = []
    for name, value in request.query.items():
        names = tuple(_members(name) & _member_names(request.operation.name))
        if names and name not in no_filters | windows:
            filters.append((names, _values(value)))
    return filters


def _members(filter_name: str) -> set[str]:
    singular = filter_name.removesuffix("s")
    names = {filter_name, f"{filter_name}s", singular}
    return names.union(*(other_names.get(name, ()) for name in names))


@cache
def _member_names(operation_name: str) -> frozenset[str]:
    return frozenset(_names(item_schema(find(operation_name))))


def _names(schema: Schema) -> Iterator[str]:
    for name, member in schema.get("properties", {}).items():
        yield name
        yield from _names(member)
    if "items" in schema:
        yield from _names(schema["items"])


def _values(value: QueryValue) -> frozenset[str]:
    return frozenset(map(_text, value if isinstance(value, tuple) else (value,)))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values_under(node: object, names: tuple[str, ...]) -> set[str]:
    """Return a document's values under any of these names."""
    values: set[str] = set()
    if isinstance(node, list):
        for item in node:
            values |= _values_under(item, names)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in names and not isinstance(value, dict):
                values.update(map(_text, value if isinstance(value, list) else (value,)))
            values |= _values_under(value, names)
    return values


def _list_members(request: RestRequest) -> dict[str, object]:
    """Repeat the windows, as lists do next to their items."""
    members: dict[str, object] = {"timezone": request.query.get("timezone", "UTC")}
    for window in request.operation.windows:
        if window.start in request.spans:
            span = request.spans[window.start]
            members[window.start] = _written(request, span.start)
            members[window.end] = _written(request, span.end)
    return members


def _in_requested_zone(request: RestRequest, document: Document) -> Document:
    if "timezone" not in request.query and not _offset_requested(request):
        return document
    return cast("Document", _rewritten(request, document))


def _rewritten(request: RestRequest, node: object) -> object:
    if isinstance(node, dict):
        return {name: _rewritten(request, value) for name, value in node.items()}
    if isinstance(node, list):
        return [_rewritten(request, item) for item in node]
    if isinstance(node, str) and _time.fullmatch(node):
        return _written(request, datetime.fromisoformat(node))
    return node


def _written(request: RestRequest, moment: datetime) -> str:
    """Return a time in UTC, or in the request's own notation where a ``Z`` is a literal.

    That is with the offset of the request, or in its time zone and with a ``Z``.
    """
    literal = any(window.z_is_literal for window in request.operation.windows)
    zone = next((span.start.tzinfo for span in request.spans.values()), UTC)
    if literal and _offset_requested(request):
        return moment.astimezone(zone).isoformat(timespec="seconds")
    return f"{moment.astimezone(zone if literal else UTC):%Y-%m-%dT%H:%M:%SZ}"


def _offset_requested(request: RestRequest) -> bool:
    return any(_offset.search(str(request.query.get(start, ""))) for start in request.spans)


def _parameters(operation: Operation) -> set[str]:
    return {parameter.name for parameter in operation.parameters}
