"""Pages by ASGI: what an application is given of a request, and what is made of its answer."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog

from ingest.http.asgi_adapter import Asgi, AsgiApplication
from ingest.http.request_context import RequestContext
from ingest.http.responses import Refusal, Response

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def exchange_of(chunks: list[bytes]) -> RequestContext:
    context = RequestContext(
        *(b"POST", "/a b", b"c=d", [(b"x-odd", b"1")]),
        peer="127.0.0.1",
        keep_alive=True,
        application=AsgiApplication(failing, asyncio.TaskGroup()),
        answered=lambda: None,
    )
    context.chunks = chunks
    return context


async def answer_of(app: Asgi, context: RequestContext) -> Response:
    async with asyncio.TaskGroup() as tasks:
        AsgiApplication(app, tasks).on_body(context)
    assert context.response is not None
    return context.response


async def failing(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    raise ValueError("mark-of-the-error")


async def test_a_page_is_given_the_request_and_its_answer_is_passed_on() -> None:
    seen: list[object] = []

    async def page(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        request = (scope["method"], scope["path"], scope["query_string"], scope["headers"])
        seen.extend([*request, (await receive())["body"]])
        headers = [(b"content-length", b"5"), (b"x-mark", b"2")]
        await send({"type": "http.response.start", "status": 418, "headers": headers})
        await send({"type": "http.response.body", "body": b"tea", "more_body": True})
        await send({"type": "http.response.body", "body": b"!!"})

    answer = await answer_of(page, exchange_of([b"a", b"b"]))
    assert seen == ["POST", "/a b", b"c=d", [(b"x-odd", b"1")], b"ab"]
    assert answer == Response(HTTPStatus.IM_A_TEAPOT, ((b"x-mark", b"2"),), b"tea!!")


async def test_a_page_that_fails_is_answered_500_and_logged_by_location_only() -> None:
    with structlog.testing.capture_logs() as logs:
        answer = await answer_of(failing, exchange_of([b"mark-of-the-body"]))
    assert answer == Response(HTTPStatus.INTERNAL_SERVER_ERROR)
    (line,) = logs
    assert line["error"].startswith("ValueError at ")
    assert "mark" not in str(line)


async def test_nobody_is_answered_who_went_away() -> None:
    context = exchange_of([])
    application = AsgiApplication(failing, asyncio.TaskGroup())
    application.on_error(context, Refusal.DISCONNECTED)
    assert context.response is None
    application.on_error(context, Refusal.TOO_SLOW)
    assert context.response is not None
