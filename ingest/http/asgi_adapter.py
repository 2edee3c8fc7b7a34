"""Answers exchanges by an ASGI application: the pages beside the webhook, which FastAPI serves.

Source: ASGI specification 3.0, HTTP messages. Bodies are whole in both directions: nothing here
streams.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import structlog

from ingest.http.exchange import RequestContext
from ingest.http.responses import Answer, Refusal, refusals
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
    """An `ingest.http.exchange.Application` in front of an ASGI callable."""

    def __init__(self, app: Asgi, tasks: asyncio.TaskGroup) -> None:
        self._app = app
        self._tasks = tasks

    def on_headers(self, exchange: RequestContext) -> None:
        """Wait for the rest."""

    def refused(self, exchange: RequestContext, reason: Refusal) -> None:
        """Answer what will not be read to its end, or never became a request."""
        count(metrics.refused, exchange.label, reason.value)
        if reason is not Refusal.DISCONNECTED:
            exchange.reply(refusals[reason])

    def written(self, exchange: RequestContext) -> None:
        """Nothing hangs on it."""

    def on_body(self, exchange: RequestContext) -> None:
        """Have it answered."""
        self._tasks.create_task(self._answered(exchange))

    async def _answered(self, exchange: RequestContext) -> None:
        reading = _Reading(exchange)
        try:
            await self._app(_scope(exchange), reading.receive, reading.send)
        except Exception as error:  # noqa: BLE001 - one failed page must not end the others
            _log.error("page failed", path=exchange.path, error=safe_error_text(error))
            exchange.reply(Answer(HTTPStatus.INTERNAL_SERVER_ERROR))
        else:
            exchange.reply(reading.answer())


class _Reading:
    """The two channels of one request."""

    def __init__(self, exchange: RequestContext) -> None:
        self._exchange = exchange
        self._status = HTTPStatus.INTERNAL_SERVER_ERROR
        self._headers: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []

    async def receive(self) -> Message:
        return {"type": "http.request", "body": self._exchange.body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = HTTPStatus(message["status"])
            self._headers = list(message.get("headers", ()))
        else:
            self._chunks.append(message.get("body", b""))

    def answer(self) -> Answer:
        headers = tuple(header for header in self._headers if header[0] != b"content-length")
        return Answer(self._status, headers, b"".join(self._chunks))


def _scope(exchange: RequestContext) -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": exchange.method.decode("latin-1"),
        "scheme": "http",
        "path": exchange.path,
        "raw_path": exchange.path.encode("latin-1"),
        "query_string": exchange.query,
        "root_path": "",
        "headers": exchange.headers,
        "client": None,
        "server": None,
    }
