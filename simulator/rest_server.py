"""Serve the REST API on a port of this machine."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

_drain_s: Final = 1


@asynccontextmanager
async def serving(app: Starlette, *, host: str, port: int) -> AsyncIterator[str]:
    """Yield the base URL, without ``/v2``; port 0 is any free one.

    Raises:
        OSError: the address is taken.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_drain_s,
    )
    config.load()
    listener = socket.create_server((host, port))
    # Without it the second write of an answer waits 40 ms for the client's delayed ACK: asyncio
    # sets it only on sockets made with IPPROTO_TCP, and accepted ones inherit it from this one.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])  # serve() would take the process's signals
    try:
        name, number = listener.getsockname()[:2]
        yield f"http://{name}:{number}"
    finally:
        await server.shutdown(sockets=[listener])
