"""The HTTP server of a process: its socket, what answers where, and its orderly end."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import structlog

from ingest.apps.registry import Apps, base_path
from ingest.health import Health, Readiness
from ingest.http.admission import RequestLimiter
from ingest.http.asgi_adapter import AsgiApplication
from ingest.http.connection import Connection
from ingest.http.connections import ConnectionBounds, Connections
from ingest.http.exchange import Application
from ingest.http.limits import RequestBounds
from ingest.listen_socket import backlog
from ingest.pages import create_app
from ingest.series import begin_metrics
from ingest.settings import IngestSettings
from ingest.webhook.endpoint import Webhook
from ingest.webhook.pending import SpillPort
from ingest.webhook.routing import RoutingSettings
from runtime.clock import Clock
from runtime.contracts import Sender
from runtime.process.open_files import open_files_limit

_other_files: Final = 256
"""Of brokers, probes, metrics, the spill and the process itself."""

_page_methods: Final = frozenset({b"GET", b"HEAD"})
"""Methods of health, metrics and docs; what else comes is a webhook, though its path be wrong."""

_log = structlog.get_logger()


async def run_server(  # noqa: PLR0913 - what a server is made of
    listener: socket.socket,
    settings: IngestSettings,
    *,
    apps: Callable[[], Apps],
    routing: RoutingSettings,
    sender: Sender,
    spill: SpillPort | None,
    clock: Clock,
    stopping: asyncio.Event,
    health: Health,
) -> None:
    """Answer requests until ``stopping`` is set or until cancelled; then let all finish.

    After ``stopping`` it answers for ``unready_s`` more, each answer the last of its connection, so
    that balancers can see ``/readyz`` and clients go elsewhere. ``health`` is told all the while.
    """
    admission = RequestLimiter(requests=settings.max_requests, size_bytes=settings.max_held_bytes)
    webhook = Webhook(
        settings,
        apps=apps,
        routing=routing,
        sender=sender,
        admission=admission,
        clock=clock,
        spill=spill,
    )

    def readiness() -> Readiness:
        if stopping.is_set():
            return Readiness.STOPPING
        can_keep = sender.ready or (spill is not None and spill.ready)
        return Readiness.READY if can_keep else Readiness.BROKER

    def tick(now_s: float) -> None:
        webhook.tick(now_s)
        health.tick()

    begin_metrics()
    health.check = readiness
    pages = create_app(docs_enabled=settings.docs_enabled)
    async with asyncio.TaskGroup() as tasks:
        beside = AsgiApplication(pages, tasks)

        def application_of(path: str, method: bytes) -> Application:
            is_page = method in _page_methods and not path.startswith(base_path)
            return beside if is_page else webhook

        connections = Connections(
            application_of,
            limits=_limits(settings),
            room=_room(settings),
            admission=admission,
            clock=clock,
        )
        watch = tasks.create_task(connections.run(tick))
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(connections), sock=listener, backlog=backlog
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


def _room(settings: IngestSettings) -> ConnectionBounds:
    """Return the bounds, with files left for all that is no connection of a client."""
    files = open_files_limit()
    most = min(settings.max_connections, max(files // 2, files - _other_files))
    if most < settings.max_connections:
        _log.warning("fewer connections than ZCC_INGEST_MAX_CONNECTIONS", connections=most)
    return ConnectionBounds(
        connections=most,
        unfinished=settings.max_unfinished,
    )


def _limits(settings: IngestSettings) -> RequestBounds:
    return RequestBounds(
        headers=settings.max_headers,
        head_bytes=settings.max_head_bytes,
        body_bytes=settings.max_body_bytes,
        head_timeout_s=settings.head_timeout_s,
        body_timeout_s=settings.body_timeout_s,
        keep_alive_s=settings.keep_alive_s,
        forwarded_hops=settings.forwarded_hops,
    )
