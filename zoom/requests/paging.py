"""Reads lists to their end: page by page, and window by window where a time span is too long.

All pages of a window are requested with the same arguments, as Zoom requires. Anything that keeps a
list from being read to its end is an error: an incomplete list must not look complete. Entities
move during the walk: one may come twice, and one that moves from an unread page to a read one is
missed. Nothing is sorted here. Source: Zoom Contact Center REST API, pagination.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, assert_never

from runtime.clock import Clock, SystemClock
from zoom.catalogue import Operation
from zoom.errors import (
    ArgumentError,
    RefusedError,
    UnavailableError,
    ZoomError,
    ZoomFault,
    error_of,
)
from zoom.messages import Caller
from zoom.requests.date_ranges import Arguments, divided

Document = Mapping[str, Any]
"""One page, unchanged."""

token_lifetime_s: Final = 15 * 60.0
"""Source: Zoom Contact Center REST API, ``next_page_token``."""

max_empty_pages: Final = 100
"""Consecutive ones: an empty page is not the end, but the walk must end."""

_own_arguments: Final = ("next_page_token", "page")
_system_clock: Final = SystemClock()


class RepeatedPageError(UnavailableError):
    """A page, or its token, is repeated: the list would have no end."""


class ExpiredWalkError(UnavailableError):
    """The token of the next page is too old. Start again: faster, or with a shorter window."""


class IncompleteListError(ZoomError):
    """There is more, but this operation cannot read it; the readable part was yielded before."""


async def pages(
    caller: Caller, operation: Operation, arguments: Arguments, *, clock: Clock = _system_clock
) -> AsyncGenerator[Document, None]:
    """Yield the pages of a list, of all its windows in turn.

    ``arguments`` go by `zoom.catalogue.Parameter.argument`; pages have the largest size unless
    ``page_size`` is given. Where windows meet, an entity may come twice: see
    `zoom.requests.date_ranges`. A caller that does not read to the end closes the generator.

    Raises:
        RefusedError: the operation is not a list, or an `ArgumentError`, before anything is sent.
        RepeatedPageError: as its class says; so `ExpiredWalkError` and `IncompleteListError`.
        UnavailableError: a page has no list, or the pages end before the list does.
        ZoomError: as a call raises.
    """
    if operation.reply.items is None:
        raise RefusedError(ZoomFault.REFUSED, f"{operation.name} returns no list")
    given = _checked(operation, arguments)
    for part in divided(operation, given, now=clock.now()):
        async with aclosing(_walk(caller, operation, part, clock)) as walk:
            async for page in walk:
                yield page


async def items(
    caller: Caller, operation: Operation, arguments: Arguments, *, clock: Clock = _system_clock
) -> AsyncGenerator[Any, None]:
    """Yield the entities of a list, over all pages and windows; see `pages`."""
    async with aclosing(pages(caller, operation, arguments, clock=clock)) as walk:
        async for page in walk:
            for item in page[str(operation.reply.items)]:
                yield item


async def page_at(
    caller: Caller, operation: Operation, arguments: Arguments, *, token: str = ""
) -> tuple[list[object], str]:
    """Return the items of one page of a list, and the token of the next page, "" at the end.

    For a caller that continues a list elsewhere: it sends the same arguments for each page, it
    recognises repeated pages, and it keeps to `token_lifetime_s`. ``token`` "" is the first page.

    Raises:
        UnavailableError: the page has no list, or there is more without a token.
        ZoomError: as a call raises.
    """
    given = {**arguments, "next_page_token": token} if token else arguments
    page, records = await _page(caller, operation, given)
    return records, "" if operation.paging is None else _next_token(operation, page)


def _checked(operation: Operation, arguments: Arguments) -> dict[str, object]:
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in _own_arguments:
        if name in given:
            raise ArgumentError(operation.name, name, "expected none: paging sets it")
    if operation.paging is not None and operation.paging.size_max is not None:
        given.setdefault("page_size", operation.paging.size_max)
    return given


def _walk(
    caller: Caller, operation: Operation, arguments: Arguments, clock: Clock
) -> AsyncGenerator[Document, None]:
    style = None if operation.paging is None else operation.paging.style
    match style:
        case "next_page_token":
            return _by_token(caller, operation, arguments, clock)
        case "page_number":
            return _by_number(caller, operation, arguments)
        case "reply_token_only" | None:
            return _one_page(caller, operation, arguments)
        case _:
            assert_never(style)


async def _by_token(
    caller: Caller, operation: Operation, arguments: Arguments, clock: Clock
) -> AsyncGenerator[Document, None]:
    seen: set[str] = set()
    before: list[object] = []
    empty_pages = 0
    token: dict[str, str] = {}
    while True:
        page, records = await _page(caller, operation, {**arguments, **token})
        received_at_s = clock.monotonic_s()
        if records and records == before:
            raise _repeated(operation, "a page")
        yield page
        value = _next_token(operation, page)
        if not value:
            return
        if value in seen:
            raise _repeated(operation, "the token of a page")
        empty_pages = 0 if records else empty_pages + 1
        if empty_pages == max_empty_pages:
            raise _broken_off(operation, f"{empty_pages} empty pages in a row")
        if clock.monotonic_s() - received_at_s >= token_lifetime_s:
            detail = f"{operation.name}: the next page was requested after 15 minutes"
            raise ExpiredWalkError(
                ZoomFault.UNEXPECTED, f"{detail}: begin anew, with a shorter window"
            )
        seen.add(value)
        before, token = records, {"next_page_token": value}


async def _by_number(
    caller: Caller, operation: Operation, arguments: Arguments
) -> AsyncGenerator[Document, None]:
    number = read = 0
    before: list[object] = []
    while True:
        number += 1
        page, records = await _page(caller, operation, {**arguments, "page": number})
        total = _total(page)
        if page.get("page", number) != number or (total is None and records and records == before):
            raise _repeated(operation, "a page")
        yield page
        read += len(records)
        if not records and total is not None and read < total:
            raise _broken_off(operation, f"{read} of {total} records came")
        if not records or (total is not None and read >= total):
            return
        before = records


async def _one_page(
    caller: Caller, operation: Operation, arguments: Arguments
) -> AsyncGenerator[Document, None]:
    page, _ = await _page(caller, operation, arguments)
    yield page
    if operation.paging is not None and _next_token(operation, page):
        raise IncompleteListError(
            ZoomFault.UNEXPECTED,
            f"{operation.name}: there is more, but it takes no token to read it",
        )


async def _page(
    caller: Caller, operation: Operation, arguments: Arguments
) -> tuple[Document, list[object]]:
    page = await caller.call(operation.name, **arguments)
    name = operation.reply.items
    records = page.get(name) if isinstance(page, dict) else None
    if not isinstance(records, list):
        raise error_of(ZoomFault.UNEXPECTED, f"{operation.name}: a page without its list {name!r}")
    return page, records


def _total(page: Document) -> int | None:
    """Return the size of the list, None where it is unknown: then an empty page ends it."""
    total = page.get("total_records")
    return total if type(total) is int else None


def _next_token(operation: Operation, page: Document) -> str:
    """Return the token of the next page, "" at the end of the list."""
    token = page.get("next_page_token") or ""
    if not isinstance(token, str):
        raise error_of(
            ZoomFault.UNEXPECTED, f"{operation.name}: the token of a page is not a string"
        )
    if operation.paging is None or not operation.paging.has_more:
        return token
    if page.get("has_more") is True and not token:
        raise _broken_off(operation, "there is more, but no token for it came")
    return "" if page.get("has_more") is False else token


def _repeated(operation: Operation, what: str) -> ZoomError:
    return RepeatedPageError(ZoomFault.UNEXPECTED, f"{operation.name}: {what} comes twice")


def _broken_off(operation: Operation, detail: str) -> ZoomError:
    return error_of(ZoomFault.UNEXPECTED, f"{operation.name}: the list breaks off: {detail}")
