"""A small OpenAPI document of the vendor's REST API, quirks included, to change and to break."""

from typing import Any

Document = dict[str, Any]


def operation(
    *,
    label: str = "LIGHT",
    tag: str = "Things",
    parameters: tuple[Document, ...] = (),
    reply: Document | None = None,
    status: str = "200",
    body: Document | None = None,
    failures: Document | None = None,
    **others: Any,
) -> Document:
    """One operation; ``reply`` and ``body`` are schemas, ``failures`` the prose of each status."""
    success: Document = {"description": "prose"}
    if reply is not None:
        success["content"] = {"application/json": {"schema": reply}}
    operation: Document = {
        "tags": [tag],
        "summary": "prose",
        "description": f"Prose. **[Rate Limit Label](https://example.com):** `{label}`",
        "operationId": "theThing",
        "parameters": list(parameters),
        "responses": {
            status: success,
            **{code: {"description": prose} for code, prose in (failures or {}).items()},
        },
        "x-extensions": {"x-macro-scopes": ["things:read"], "x-granular-scopes": ["read:thing"]},
        **others,
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return operation


def query(name: str, description: str = "prose", /, **schema: Any) -> Document:
    """One parameter in the query."""
    return {
        "name": name,
        "in": "query",
        "description": description,
        "required": False,
        "schema": {"type": "string", "example": "prose"} | schema,
    }


def in_path(name: str, /, **schema: Any) -> Document:
    """One parameter in the path."""
    return query(name, **schema) | {"in": "path", "required": True}


def listing(name: str = "things", **members: Any) -> Document:
    """The schema of a reply with an array and a token."""
    array = {"type": "array", "items": {"type": "object", "properties": {}}}
    return {
        "type": "object",
        "properties": {name: array, "next_page_token": {"type": "string"}, **members},
    }


def document(**operations: Document) -> Document:
    """A whole document; the name of each operation is its method and path: ``get_/things``."""
    paths: Document = {}
    for name, each in operations.items():
        method, _, path = name.partition("_")
        paths.setdefault(f"/contact_center{path}", {})[method] = each
    return {"openapi": "3.0.0", "info": {"title": "REST"}, "paths": paths}
