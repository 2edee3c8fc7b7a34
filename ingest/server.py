"""The HTTP server of a process: its applications, its connections, and its orderly end."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import structlog

from ingest.apps.registry import Apps, base_path
from ingest.health import Health, Readiness
from ingest.http.asgi_adapter import AsgiApplication
from ingest.http.connection import Connection
from ingest.http.connections import ConnectionBounds, Connections
from ingest.http.limits import RequestBounds
from ingest.http.request_context import Application
from ingest.http.request_limiter import RequestLimiter
from ingest.initial_metrics import create_series
from ingest.listen_socket import backlog
from ingest.pages import create_app
from ingest.settings import IngestSettings
from ingest.webhook.endpoint import Webhook
from ingest.webhook.pending import SpillPort
from ingest.webhook.routing import RoutingSettings
from runtime.background_tasks import BackgroundTasks
from runtime.clock import Clock
from runtime.contracts import Sender
from runtime.process.open_files import open_files_limit

_other_files: Final = 256
"""Of brokers, probes, metrics, the spill and the process itself."""

_page_methods: Final = frozenset({b"GET", b"HEAD"})
"""Methods of the pages. Any other request is a webhook, even to a wrong path."""

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

    After ``stopping`` it answers for ``unready_s`` more, and each response is the last of its
    connection, so that balancers see ``/readyz`` and clients go elsewhere. ``health`` gets the
    state of the server all the while.
    """
    create_series()
    limiter = RequestLimiter(requests=settings.max_requests, size_bytes=settings.max_held_bytes)
    webhook = Webhook(
        settings,
        apps=apps,
        routing=routing,
        sender=sender,
        limiter=limiter,
        clock=clock,
        spill=spill,
    )
    health.check = lambda: _readiness(sender, spill, stopping)
    async with (
        _connections(settings, webhook, limiter=limiter, clock=clock, health=health) as connections,
        _accepting(listener, connections, drain_timeout_s=settings.drain_timeout_s),
    ):
        host, port = listener.getsockname()[:2]
        _log.info("listening", host=host, port=port, apps=sorted(app.name for app in apps()))
        await stopping.wait()
        _log.info("stopping", unready_s=settings.unready_s)
        connections.draining = True
        await clock.sleep(settings.unready_s)
    _log.info("stopped")


def _readiness(sender: Sender, spill: SpillPort | None, stopping: asyncio.Event) -> Readiness:
    if stopping.is_set():
        return Readiness.STOPPING
    can_store = sender.ready or (spill is not None and spill.ready)
    return Readiness.READY if can_store else Readiness.BROKER


@asynccontextmanager
async def _connections(
    settings: IngestSettings,
    webhook: Webhook,
    *,
    limiter: RequestLimiter,
    clock: Clock,
    health: Health,
) -> AsyncIterator[Connections]:
    """Yield the connections, whose time is kept during the block."""

    def tick(now_s: float) -> None:
        webhook.tick(now_s)
        health.tick()

    async with asyncio.TaskGroup() as tasks, BackgroundTasks() as background:
        pages = AsgiApplication(create_app(docs_enabled=settings.docs_enabled), tasks)
        connections = Connections(
            _application_of(pages, webhook),
            limits=_request_bounds(settings),
            bounds=_connection_bounds(settings),
            limiter=limiter,
            clock=clock,
        )
        background.start(connections.run(tick))
        yield connections


@asynccontextmanager
async def _accepting(
    listener: socket.socket, connections: Connections, *, drain_timeout_s: float
) -> AsyncIterator[None]:
    """Accept connections during the block, then let them finish."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(connections), sock=listener, backlog=backlog
    )
    try:
        yield
    finally:
        server.close()
        await connections.drain(drain_timeout_s)


def _application_of(pages: Application, webhook: Webhook) -> Callable[[str, bytes], Application]:
    def application_of(path: str, method: bytes) -> Application:
        is_page = method in _page_methods and not path.startswith(base_path)
        return pages if is_page else webhook

    return application_of


def _connection_bounds(settings: IngestSettings) -> ConnectionBounds:
    """Return the bounds; some files are left for everything that is not a connection."""
    files = open_files_limit()
    connections = min(settings.max_connections, max(files // 2, files - _other_files))
    if connections < settings.max_connections:
        _log.warning("fewer connections than ZCC_INGEST_MAX_CONNECTIONS", connections=connections)
    return ConnectionBounds(connections=connections, unfinished=settings.max_unfinished)


def _request_bounds(settings: IngestSettings) -> RequestBounds:
    return RequestBounds(
        headers=settings.max_headers,
        head_bytes=settings.max_head_bytes,
        body_bytes=settings.max_body_bytes,
        head_timeout_s=settings.head_timeout_s,
        body_timeout_s=settings.body_timeout_s,
        keep_alive_s=settings.keep_alive_s,
        forwarded_hops=settings.forwarded_hops,
    )
