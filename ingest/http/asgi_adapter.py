"""Answers requests by an ASGI application: the pages, which FastAPI serves.

Source: ASGI specification 3.0, HTTP messages. Bodies are complete in both directions; nothing is
streamed.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog

from ingest.http.request_context import RequestContext
from ingest.http.responses import Refusal, Response, refusals
from ingest.metrics import metrics
from runtime.process.metrics_exposition import count
from runtime.retries.policy import safe_error_text

Message = MutableMapping[str, Any]
Asgi = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]

_log = structlog.get_logger()


class AsgiApplication:
    """An `ingest.http.request_context.Application` in front of an ASGI callable."""

    def __init__(self, app: Asgi, tasks: asyncio.TaskGroup) -> None:
        self._app = app
        self._tasks = tasks

    def on_headers(self, context: RequestContext) -> None:
        """Wait for the body."""

    def on_error(self, context: RequestContext, reason: Refusal) -> None:
        """Reject a request whose body will not be read, or bytes that are not a request."""
        count(metrics.refused, context.label, reason.value)
        if reason is not Refusal.DISCONNECTED:
            context.reply(refusals[reason])

    def on_response_written(self, context: RequestContext) -> None:
        """Do nothing: a page is not repeated."""

    def on_body(self, context: RequestContext) -> None:
        """Start the page, which answers later."""
        self._tasks.create_task(self._run_page(context))

    async def _run_page(self, context: RequestContext) -> None:
        channels = _Channels(context)
        try:
            await self._app(_scope(context), channels.receive, channels.send)
        except Exception as error:  # noqa: BLE001 - one failed page must not end the others
            _log.error("page failed", path=context.path, error=safe_error_text(error))
            context.reply(Response(HTTPStatus.INTERNAL_SERVER_ERROR))
        else:
            context.reply(channels.response())


class _Channels:
    """The two channels of one request."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._status = HTTPStatus.INTERNAL_SERVER_ERROR
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._context.body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = HTTPStatus(message["status"])
            self._headers = list(message.get("headers", ()))
        else:
            self._chunks.append(message.get("body", b""))

    def response(self) -> Response:
        headers = tuple(header for header in self._headers if header[0] != b"content-length")
        return Response(self._status, headers, b"".join(self._chunks))


def _scope(context: RequestContext) -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": context.method.decode("latin-1"),
        "scheme": "http",
        "path": context.path,
        "raw_path": context.path.encode("latin-1"),
        "query_string": context.query,
        "root_path": "",
        "headers": context.headers,
        "client": None,
        "server": None,
    }
