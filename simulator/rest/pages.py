"""Pure: cuts a list into pages in the form of its operation.

A token names the list, its filters and the time of its first page, which an omitted window refers
to; it lives 15 minutes. Source: Zoom Contact Center REST API: next_page_token, page_size; without
documentation, 30 items by default and 300 at most.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from simulator.rest.answers import Listing, QueryValue, RestRequest
from simulator.rest.documents import Document
from simulator.rest.errors import refusal
from simulator.rest.schema import fits
from zoom.catalogue import Operation, Schema, reply_schema

default_page_size: Final = 30
largest_page_size: Final = 300
token_lifetime_s: Final = 15 * 60

_of_the_page: Final = frozenset({"next_page_token", "page_size"})


@dataclass(frozen=True, slots=True)
class PageToken:
    """The start of a page in its list, and the time of the request for the first page."""

    start: int
    since: datetime


def page_token_of(
    operation: Operation,
    path: Mapping[str, str],
    query: Mapping[str, QueryValue],
    *,
    now: datetime,
) -> PageToken:
    """Return the start of the requested page.

    Raises:
        ApiError: 400: the token is not ours, of another list, of other filters or too old.
    """
    paging = operation.paging
    if paging is not None and paging.style == "page_number":
        page = cast("int", query.get("page", 1))
        return PageToken((page - 1) * _size(operation, query), now)
    token = query.get("next_page_token")
    if not token or paging is None or paging.style != "next_page_token":
        return PageToken(0, now)
    page_token = _read(str(token), _name_of(operation, path, query), now)
    if page_token is None:
        raise refusal(operation, "next_page_token", "expected a token of the last 15 minutes")
    return page_token


def page_of(request: RestRequest, listing: Listing, page_token: PageToken) -> Document:
    """Return the page of a list at this token, as a document of its operation.

    Raises:
        ApiError: 400: the page size is out of range.
    """
    operation = request.operation
    members: Mapping[str, Schema] = cast("Schema", reply_schema(operation))["properties"]
    size = len(listing.items) if operation.paging is None else _size(operation, request.query)
    end = page_token.start + size
    more = end < len(listing.items)
    document = {
        **_ends(request),
        **listing.more,
        cast("str", operation.reply.items): list(listing.items[page_token.start : end]),
        "next_page_token": _token(request, end, page_token, request.now) if more else "",
        "has_more": more,
        "page": request.query.get("page", 1),
        "page_size": size,
        "total_records": len(listing.items),
    }
    return {
        name: value if fits(value, members[name]) else str(value)
        for name, value in document.items()
        if name in members
    }


def _ends(request: RestRequest) -> Document:
    """Repeat the window and the zone, as the replies of many lists do."""
    document: Document = {}
    for window in request.operation.windows:
        span = request.spans.get(window.start)
        if span is not None:
            document[window.start] = request.query.get(window.start, _text(span.start))
            document[window.end] = request.query.get(window.end, _text(span.end))
    return document | {"timezone": request.query.get("timezone", "UTC")}


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _size(operation: Operation, query: Mapping[str, QueryValue]) -> int:
    """Return the items of a page; the reply's limit may be lower than that of the request."""
    paging = operation.paging
    default = (paging and paging.size_default) or default_page_size
    page_size = str(query.get("page_size", default))
    largest = (paging and paging.size_max) or largest_page_size
    size = int(page_size) if page_size.isascii() and page_size.isdecimal() else 0
    if not 1 <= size <= largest:
        raise refusal(operation, "page_size", f"expected 1 to {largest}")
    return min(size, (paging and paging.reply_size_max) or size)


def _name_of(operation: Operation, path: Mapping[str, str], query: Mapping[str, QueryValue]) -> str:
    filters = sorted((name, query[name]) for name in query.keys() - _of_the_page)
    named = f"{operation.name} {sorted(path.items())} {filters}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _token(request: RestRequest, start: int, page_token: PageToken, now: datetime) -> str:
    name = _name_of(request.operation, request.path, request.query)
    words = (name, start, page_token.since.timestamp(), int(now.timestamp()))
    return base64.urlsafe_b64encode(" ".join(map(str, words)).encode()).decode()


def _read(token: str, expected_name: str, now: datetime) -> PageToken | None:
    try:
        text = base64.urlsafe_b64decode(token).decode()
        name, start, since_s, made_s = text.split(" ")
        if name == expected_name and now.timestamp() - int(made_s) <= token_lifetime_s:
            return PageToken(int(start), datetime.fromtimestamp(float(since_s), UTC))
    except (binascii.Error, ValueError):  # not made by us; UnicodeDecodeError is a ValueError
        pass
    return None
