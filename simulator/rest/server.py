"""Serves the REST API on a local port."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import format_datetime
from typing import Final

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.clock import MachineClock, SimulatorClock

_drain_s: Final = 1
_system_clock: Final = MachineClock()
_keep_alive_s: Final = 75
"""Longer than a client keeps an idle connection (aiohttp: 15 s): a call may not meet its close."""


@asynccontextmanager
async def serving(
    app: ASGIApp, *, host: str, port: int, clock: SimulatorClock = _system_clock
) -> AsyncIterator[str]:
    """Yield the base URL, without ``/v2``; port 0 is any free one. Replies carry ``clock``'s time.

    Raises:
        OSError: the address is in use.
    """
    config = uvicorn.Config(
        _dated(app, clock),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_drain_s,
        timeout_keep_alive=_keep_alive_s,
    )
    config.load()
    listener = socket.create_server((host, port))
    # Without it the second write of an answer waits 40 ms for the client's delayed ACK: asyncio
    # sets it only on sockets made with IPPROTO_TCP, and accepted ones inherit it from this one.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])  # serve() would install signal handlers
    try:
        name, number = listener.getsockname()[:2]
        yield f"http://{name}:{number}"
    finally:
        await server.shutdown(sockets=[listener])


def _dated(app: ASGIApp, clock: SimulatorClock) -> ASGIApp:
    """Add ``Date`` to every reply: the server itself does so only in `serve`."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Date"] = format_datetime(clock.now(), usegmt=True)
            await send(message)

        await app(scope, receive, send_dated)

    return answer
