"""The HTTP server: a socket, uvicorn on the caller's loop, and an orderly end."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Final

import structlog
import uvicorn

from ingest.app import IngestApp
from ingest.settings import IngestSettings
from runtime.clock import Clock
from runtime.errors import ConfigurationError

_backlog: Final = 2048
"""Connections that wait to be accepted; the kernel caps it at its own limit."""

_log = structlog.get_logger()


def listen(settings: IngestSettings) -> socket.socket:
    """Return a listening socket; the caller closes it.

    Raises:
        ConfigurationError: the address is taken or is none of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_backlog)
    except OSError as error:
        raise ConfigurationError(
            f"ZCC_INGEST_HOST, ZCC_INGEST_PORT: cannot listen on {settings.host}:{settings.port}: "
            f"{error.strerror}"
        ) from error


async def run_server(
    app: IngestApp,
    listener: socket.socket,
    *,
    settings: IngestSettings,
    clock: Clock,
    stopping: asyncio.Event,
) -> None:
    """Answer requests until ``stopping`` is set or until cancelled; then let all finish.

    After ``stopping`` it answers for ``unready_s`` more, so that balancers can see ``/readyz``.
    """
    server = _Server(_configuration(app, settings))
    host, port = listener.getsockname()[:2]
    _log.info("listening", host=host, port=port, apps=sorted(settings.apps))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve_and_drain(listener))
        await stopping.wait()
        _log.info("stopping", unready_s=settings.unready_s)
        await clock.sleep(settings.unready_s)
        server.should_exit = True
    _log.info("stopped")


class _Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us and drains when it is cancelled."""

    async def serve_and_drain(self, listener: socket.socket) -> None:
        try:
            await self.serve(sockets=[listener])
        except asyncio.CancelledError:
            if self.started:
                await self.shutdown(sockets=[listener])
            raise

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing: uvicorn would raise the signal again before the publisher is closed."""
        yield


def _configuration(app: IngestApp, settings: IngestSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",  # the caller's
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who the client is plays no part
        backlog=_backlog,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.drain_timeout_s,
    )
