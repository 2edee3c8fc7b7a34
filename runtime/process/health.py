"""Serves health and metrics over HTTP, on the loop that does the work.

``/healthz`` says whether the process should be killed, ``/readyz`` whether it works now,
``/metrics`` gives the metrics. A plain ASGI callable, served by uvicorn or within a larger one.
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import uvicorn

from runtime.errors import ConfigurationError
from runtime.process.metrics_exposition import content_type, exposition

Check = Callable[[], str | None]
"""Returns the problem, or None where there is none."""

Scope = Mapping[str, object]
Receive = Callable[[], Awaitable[Mapping[str, object]]]
Send = Callable[[MutableMapping[str, object]], Awaitable[None]]
HealthApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_text: Final = "text/plain; charset=utf-8"
_backlog: Final = 64
_drain_s: Final = 1
"""Answers are immediate; a client that has not read one by then is gone."""


def _no_remarks() -> None: ...


def health_app(
    *,
    alive: Check,
    ready: Check,
    remarks: Check = _no_remarks,
    exposed: Callable[[], bytes] = exposition,
) -> HealthApp:
    """Return an ASGI callable that answers GET and HEAD.

    200 where a check finds no problem, otherwise 503 with the problem as text. The text of
    ``/readyz`` includes ``remarks`` in both cases.
    """

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        status, kind, body = _answer(str(scope["method"]), str(scope["path"]))
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        if path not in {"/healthz", "/readyz", "/metrics"}:
            return HTTPStatus.NOT_FOUND, _text, b"see /healthz, /readyz, /metrics\n"
        if method not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, _text, b"GET or HEAD\n"
        if path == "/metrics":
            return HTTPStatus.OK, content_type, exposed()
        reason = alive() if path == "/healthz" else ready()
        more = remarks() if path == "/readyz" else None
        lines = f"{reason or 'ok'}\n" + (f"{more}\n" if more else "")
        status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
        return status, _text, lines.encode()

    return app


@asynccontextmanager
async def serving_health(  # noqa: PLR0913 - what the port answers with
    host: str,
    port: int,
    *,
    alive: Check,
    ready: Check,
    remarks: Check = _no_remarks,
    setting: str = "ZCC_WORKER_HEALTH",
    exposed: Callable[[], bytes] = exposition,
) -> AsyncIterator[int]:
    """Serve the checks and the metrics during the block; yields the port, chosen where 0 is given.

    ``setting`` is the prefix of the two variables that hold the address. ``exposed`` returns the
    metrics, by default those of this process.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    listener = _listen(host, port, setting)
    config = uvicorn.Config(
        health_app(alive=alive, ready=ready, remarks=remarks, exposed=exposed),
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_drain_s,
    )
    config.load()
    server = uvicorn.Server(config)
    # Not `Server.serve`: it would install signal handlers, which belong to the worker.
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield listener.getsockname()[1]
    finally:
        await server.shutdown(sockets=[listener])


def _listen(host: str, port: int, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_backlog)
    except OSError as error:
        raise ConfigurationError(
            f"{setting}_HOST, {setting}_PORT: cannot listen on {host}:{port}: "
            f"{os.strerror(error.errno or 0)}"
        ) from error
