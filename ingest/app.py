"""The pages beside the webhook: health, metrics and docs, by FastAPI; no webhook comes here."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from ingest.document import webhook_paths
from runtime.exposition import content_type, exposition
from runtime.telemetry import ingest as metrics

_unavailable: Final = 503


def create_app(*, ready: Callable[[], bool], docs_enabled: bool) -> FastAPI:
    """Return the application. ``ready`` says whether a webhook sent now is likely to be kept."""
    app = _Pages(
        title="Zoom Contact Center ingest",
        docs_url="/docs" if docs_enabled else None,
        openapi_url="/openapi.json" if docs_enabled else None,
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.get("/healthz", summary="Whether the process is alive")
    async def healthz() -> dict[str, bool]:
        return {"alive": True}

    @app.get(
        "/readyz",
        summary="Whether a webhook sent now is likely to be kept",
        responses={_unavailable: {"description": "It is not"}},
    )
    async def readyz(response: Response) -> dict[str, bool]:
        is_ready = ready()
        response.status_code = 200 if is_ready else _unavailable
        return {"ready": is_ready}

    @app.get(
        "/metrics",
        summary="Metrics in the text format of Prometheus",
        response_class=PlainTextResponse,
    )
    async def exposed() -> Response:
        metrics.ready.set(ready())
        return Response(exposition(), media_type=content_type)

    return app


class _Pages(FastAPI):
    """Describes the webhook too, which it does not serve."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, which is made once."""
        document = super().openapi()
        document["paths"].update(webhook_paths())
        return document
