"""The HTTP application: FastAPI for health, metrics and docs; webhooks go past it.

The webhook's callable is asked before the application's own middleware and routes. A Starlette
mount would answer 307 to the path without a trailing slash, which Zoom takes for final, and a
mount, a route or a middleware cost 10, 7 or 4 microseconds of each request.
"""

import asyncio
from typing import Final, cast

from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.decision import Routing
from ingest.settings import IngestSettings
from ingest.webhook import Webhook, base_path
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.settings import KafkaSettings
from runtime.telemetry import content_type, exposition
from runtime.telemetry import ingest as metrics

_unavailable: Final = 503


class IngestApp(FastAPI):
    """A FastAPI application whose webhooks are answered by a plain ASGI callable."""

    def __init__(self, webhook: Webhook, *, docs_enabled: bool) -> None:
        super().__init__(
            title="Zoom Contact Center ingest",
            docs_url="/docs" if docs_enabled else None,
            openapi_url="/openapi.json" if docs_enabled else None,
            redoc_url=None,
            redirect_slashes=False,
        )
        self._webhook = cast("ASGIApp", webhook)  # Starlette's scope is any mutable mapping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"].startswith(base_path):
            await self._webhook(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: IngestSettings,
    *,
    kafka: KafkaSettings,
    publisher: Publisher,
    clock: Clock,
    stopping: asyncio.Event | None = None,
) -> IngestApp:
    """Return the application; the caller opens and closes the publisher around its use.

    Once ``stopping`` is set, ``/readyz`` asks for no more requests; all are still answered.
    """
    routing = Routing(
        topic_prefix=kafka.topic_prefix,
        pseudonym_key=settings.pseudonym_key.get_secret_value().encode(),
    )
    webhook = Webhook(settings, routing=routing, publisher=publisher, clock=clock)
    app = IngestApp(webhook, docs_enabled=settings.docs_enabled)

    def ready() -> bool:
        return publisher.ready and not (stopping and stopping.is_set())

    @app.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> dict[str, bool]:
        return {"alive": True}

    @app.get("/readyz", summary="Whether a webhook sent now is likely to be kept")
    async def readyz(response: Response) -> dict[str, bool]:
        is_ready = ready()
        response.status_code = 200 if is_ready else _unavailable
        return {"ready": is_ready}

    @app.get("/metrics", summary="Metrics in the text format of Prometheus")
    async def exposed() -> Response:
        metrics.ready.set(ready())
        return Response(exposition(), media_type=content_type)

    return app
