"""The HTTP server of a process: its socket, what answers where, and its orderly end."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog

from ingest.admission import Admission
from ingest.app import create_app
from ingest.apps import Apps, base_path
from ingest.asgi import AsgiApplication
from ingest.connection import Limits
from ingest.connections import Connections
from ingest.decision import Routing
from ingest.exchange import Application
from ingest.keeping import Spill
from ingest.settings import IngestSettings
from ingest.webhook import Webhook
from runtime.clock import Clock
from runtime.contracts import Sender
from runtime.errors import ConfigurationError
from runtime.telemetry import ingest as metrics

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
        return socket.create_server(
            (settings.host, settings.port),
            family=family,
            backlog=_backlog,
            reuse_port=settings.workers > 1,  # each process listens for itself
        )
    except OSError as error:
        raise ConfigurationError(
            f"ZCC_INGEST_HOST, ZCC_INGEST_PORT: cannot listen on {settings.host}:{settings.port}: "
            f"{error.strerror}"
        ) from error


async def run_server(  # noqa: PLR0913 - what a server is made of
    listener: socket.socket,
    settings: IngestSettings,
    *,
    apps: Callable[[], Apps],
    routing: Routing,
    sender: Sender,
    spill: Spill | None,
    clock: Clock,
    stopping: asyncio.Event,
) -> None:
    """Answer requests until ``stopping`` is set or until cancelled; then let all finish.

    After ``stopping`` it answers for ``unready_s`` more, each answer the last of its connection, so
    that balancers can see ``/readyz`` and clients go elsewhere.
    """
    admission = Admission(requests=settings.max_requests, size_bytes=settings.max_held_bytes)
    webhook = Webhook(
        settings,
        apps=apps,
        routing=routing,
        sender=sender,
        admission=admission,
        clock=clock,
        spill=spill,
    )

    def ready() -> bool:
        can_keep = sender.ready or (spill is not None and spill.ready)
        return can_keep and not stopping.is_set()

    def tick(now_s: float) -> None:
        webhook.tick(now_s)
        metrics.ready.set(ready())  # another process may be asked for it

    pages = create_app(ready=ready, docs_enabled=settings.docs_enabled)
    async with asyncio.TaskGroup() as tasks:
        beside = AsgiApplication(pages, tasks)

        def application_of(path: str) -> Application:
            return webhook if path.startswith(base_path) else beside

        connections = Connections(
            application_of, limits=_limits(settings), admission=admission, clock=clock
        )
        watch = tasks.create_task(connections.run(tick))
        server = await asyncio.get_running_loop().create_server(
            connections.make, sock=listener, backlog=_backlog
        )
        host, port = listener.getsockname()[:2]
        _log.info("listening", host=host, port=port, apps=sorted(app.name for app in apps()))
        try:
            await stopping.wait()
            _log.info("stopping", unready_s=settings.unready_s)
            connections.draining = True
            await clock.sleep(settings.unready_s)
        finally:
            server.close()
            await connections.drain(settings.drain_timeout_s)
            watch.cancel()
    _log.info("stopped")


def _limits(settings: IngestSettings) -> Limits:
    return Limits(
        headers=settings.max_headers,
        head_bytes=settings.max_head_bytes,
        body_bytes=settings.max_body_bytes,
        head_timeout_s=settings.head_timeout_s,
        body_timeout_s=settings.body_timeout_s,
        keep_alive_s=settings.keep_alive_s,
    )
