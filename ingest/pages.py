"""The pages that describe the webhook, by FastAPI. Webhooks do not pass through it."""

from typing import Any

from fastapi import FastAPI

from ingest.webhook.openapi import webhook_paths


def create_app(*, docs_enabled: bool) -> FastAPI:
    """Return the application, which has no page at all unless ``docs_enabled``."""
    return _Pages(
        title="Zoom Contact Center ingest",
        docs_url="/docs" if docs_enabled else None,
        openapi_url="/openapi.json" if docs_enabled else None,
        redoc_url=None,
        redirect_slashes=False,
    )


class _Pages(FastAPI):
    """Describes the webhook, which it does not serve."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, which FastAPI makes once."""
        document = super().openapi()
        document["paths"].update(webhook_paths())
        return document
