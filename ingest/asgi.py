"""The little of ASGI that a webhook needs: its types, picking headers, answering.

Source: ASGI specification 3.0, HTTP messages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

Scope = Mapping[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_linger_s: Final = 1.0
"""Closing with unread bytes resets the connection, and the sender may lose the answer.

Source: RFC 9112, section 9.6.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. ``closes``: the connection ends with it, because the body was not read."""

    status: HTTPStatus
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    closes: bool = False


def pick_headers(
    headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]
) -> Mapping[bytes, Sequence[bytes]]:
    """Return all values of the headers with these lower-case names, in one pass."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in names:
            found.setdefault(name, []).append(value)
    return found


async def respond(answer: Answer, receive: Receive, send: Send) -> None:
    """Send the answer; where it closes the connection, first let the sender read it."""
    length = (
        ()
        if answer.status == HTTPStatus.NO_CONTENT
        else ((b"content-length", b"%d" % len(answer.body)),)
    )
    close = ((b"connection", b"close"),) if answer.closes else ()
    headers = [*answer.headers, *length, *close]
    await send({"type": "http.response.start", "status": answer.status.value, "headers": headers})
    if answer.closes:
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await _linger(receive)
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": answer.body})


async def _linger(receive: Receive) -> None:
    """Drop what still comes, until it ends or the sender has had its time to read the answer."""
    try:
        async with asyncio.timeout(_linger_s):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        pass
