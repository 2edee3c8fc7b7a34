"""Pure: checks the body of a request against its operation."""

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final, cast

import orjson

from simulator.rest.documents import ApiError
from simulator.rest.errors import refusal
from simulator.rest.schema import faults
from zoom.catalogue import Operation, body_schema

_form: Final = "multipart/form-data"


def read_body(operation: Operation, content_type: str, body: bytes) -> object | None:
    """Return the document of a request; of a form, text by name, a file by its name.

    Raises:
        ApiError: 400: missing, unexpected, of another type, unreadable, or against its schema.
    """
    if operation.body is None:
        if body:
            raise refusal(operation, "body", "expected none")
        return None
    if not body:
        if operation.body.required:
            raise refusal(operation, "body", "is required")
        return None
    if content_type.partition(";")[0].strip().lower() != operation.body.content_type:
        raise refusal(operation, "body", f"expected {operation.body.content_type}")
    if operation.body.content_type == _form:
        return _checked_form(operation, _form_fields(operation, content_type, body))
    return _checked_document(operation, body)


def _checked_document(operation: Operation, body: bytes) -> object:
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refusal(operation, "body", "expected JSON") from error
    refusals = list(faults(document, body_schema(operation) or {}))
    if refusals:
        raise _refusal_of_all(operation, refusals)
    return document


def _checked_form(operation: Operation, fields: dict[str, str]) -> dict[str, str]:
    """Return the fields. A form has no types, so only a missing field is an error.

    ``a[0].b`` is part of ``a``.
    """
    required = (body_schema(operation) or {}).get("required", ())
    given = {name.partition("[")[0] for name in fields}
    missing = [(f"body.{name}", "is required") for name in required if name not in given]
    if missing:
        raise _refusal_of_all(operation, missing)
    return fields


def _refusal_of_all(operation: Operation, refusals: list[tuple[str, str]]) -> ApiError:
    error = refusal(operation, *refusals[0])
    error.document["errors"] = [
        {"field": field, "message": messages} for field, messages in refusals
    ]
    return error


def _form_fields(operation: Operation, content_type: str, body: bytes) -> dict[str, str]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise refusal(operation, "body", f"expected {_form} with a boundary")
    fields: dict[str, str] = {}
    for part in cast("list[Message]", message.get_payload()):
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise refusal(operation, "body", "expected parts with a name")
        content = cast("bytes", part.get_payload(decode=True))
        fields[name] = part.get_filename() or content.decode(errors="replace")
    return fields
