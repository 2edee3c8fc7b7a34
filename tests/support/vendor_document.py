"""A small OpenAPI document as the vendor publishes it, quirks included, to change and to break."""

import copy
import json
from typing import Any

Schema = dict[str, Any]


def webhook(
    name: str, members: Schema, /, *, required: tuple[str, ...] = (), **others: Any
) -> Schema:
    """One event with these members in its object; ``beside`` goes beside ``properties``."""
    payload = {
        "type": "object",
        "properties": {
            "account_id": {"type": "string", "description": "prose"},
            "object": {"type": "object", "properties": members, "required": list(required)},
        },
    }
    properties = {
        "event": {"type": "string"},
        "event_ts": {"type": "integer", "format": "int64"},
        "payload": payload,
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False, **others}
    body = {"content": {"application/json": {"schema": schema}}}
    return {"post": {"operationId": name, "requestBody": body}}


def document(**events: Schema) -> Schema:
    """A whole document of events, by name without ``contact_center.``."""
    webhooks = {f"contact_center.{name}": copy.deepcopy(item) for name, item in events.items()}
    return {"openapi": "3.1.0", "info": {"title": "Webhooks"}, "webhooks": webhooks}


def text_of(document: Schema) -> bytes:
    """Write a document as its file."""
    return json.dumps(document, indent=1).encode()


def object_of(schema: Any) -> Any:
    """The schema of ``payload.object`` in one of ours."""
    return schema["properties"]["payload"]["properties"]["object"]
