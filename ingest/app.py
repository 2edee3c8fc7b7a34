"""The pages beside the webhook: health, metrics and docs, by FastAPI; no webhook comes here."""

from collections.abc import Callable
from typing import Final

from fastapi import FastAPI, Response

from runtime.exposition import content_type, exposition
from runtime.telemetry import ingest as metrics

_unavailable: Final = 503


def create_app(*, ready: Callable[[], bool], docs_enabled: bool) -> FastAPI:
    """Return the application. ``ready`` says whether a webhook sent now is likely to be kept."""
    app = FastAPI(
        title="Zoom Contact Center ingest",
        docs_url="/docs" if docs_enabled else None,
        openapi_url="/openapi.json" if docs_enabled else None,
        redoc_url=None,
        redirect_slashes=False,
    )

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
