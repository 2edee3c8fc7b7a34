"""Pure: the OpenAPI description of the webhook: its request and every response.

FastAPI writes the rest of the document. The webhook is not one of its routes, because webhooks
never reach it.
Source: OpenAPI 3.1, path item, operation and response objects.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from ingest.apps.registry import base_path
from ingest.http.responses import Response
from ingest.webhook.responses import ResponseRow, table
from ingest.webhook.routing import challenge_event
from zoom.signature import signature_header, timestamp_header

Json = Mapping[str, object]

_string: Final = {"type": "string"}

_app: Final = {
    "name": "app",
    "in": "path",
    "required": True,
    "schema": _string,
    "description": "One of `ZCC_INGEST_APPS`",
}

_headers: Final = (
    (signature_header, True, "`v0=` and the HMAC-SHA256 of `v0:<timestamp>:<body>`, hexadecimal"),
    (timestamp_header, True, "Seconds since 1970 at which it was signed"),
    (b"x-zm-request-id", False, "The same for each attempt; stored with the record"),
    (b"traceparent", False, "W3C Trace Context; stored with the record"),
)

_body: Final = {
    "required": True,
    "description": (
        "The signature covers these bytes, whatever they are. A signed body that is not such JSON "
        f"goes to quarantine. `{challenge_event}` carries `plainToken` in its payload."
    ),
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["event", "event_ts", "payload"],
                "properties": {
                    "event": _string,
                    "event_ts": {"type": "integer", "description": "Milliseconds since 1970"},
                    "payload": {
                        "type": "object",
                        "properties": {"account_id": _string, "object": {"type": "object"}},
                    },
                },
            }
        }
    },
}

_challenge_answer: Final = {
    "type": "object",
    "required": ["plainToken", "encryptedToken"],
    "properties": {"plainToken": _string, "encryptedToken": _string},
}


def webhook_paths() -> dict[str, Json]:
    """Return the path items of the webhook: of the default app, and of each app by its name."""
    return {
        base_path: _path_item("default_webhook"),
        f"{base_path}/{{app}}": _path_item("webhook", _app),
    }


def _path_item(operation: str, *parameters: Json) -> Json:
    headers = [
        {
            "name": name.decode(),
            "in": "header",
            "required": required,
            "schema": _string,
            "description": meaning,
        }
        for name, required, meaning in _headers
    ]
    return {
        "post": {
            "operationId": operation,
            "summary": "Receive one event, or an endpoint validation, from Zoom",
            "parameters": [*parameters, *headers],
            "requestBody": _body,
            "responses": _responses(),
        }
    }


def _responses() -> Json:
    statuses = sorted({row.response.status for row in table})
    return {
        str(status.value): _response([row for row in table if row.response.status == status])
        for status in statuses
    }


def _response(rows: Iterable[ResponseRow]) -> Json:
    rows = list(rows)
    lines = [f"- {row.what}; retried by Zoom: {row.sent_again}" for row in rows]
    response: dict[str, object] = {"description": "\n".join(lines)}
    headers = [header for row in rows for header in _own_headers(row.response)]
    if headers:
        response["headers"] = {name: {"schema": _string} for name in headers}
    if any(_is_json(row.response) for row in rows):
        response["content"] = {"application/json": {"schema": _challenge_answer}}
    return response


def _own_headers(response: Response) -> list[str]:
    return [name.decode() for name, _ in response.headers if name != b"content-type"]


def _is_json(response: Response) -> bool:
    return (b"content-type", b"application/json") in response.headers
