"""Pure: all files that are generated from the vendor's documents."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, Literal

from schemas.generation.document import JsonPointer, SchemaSourceError
from zoom.catalogue import Body, Operation, Scopes, operations_adapter
from zoom.generation.json_schema import body_schema, reply_schema
from zoom.generation.names import (
    UnnamedError,
    action_name,
    operation_name,
    resource_name,
    snake,
)
from zoom.generation.optional_members import flag, optional, texts
from zoom.generation.parameters import parameters
from zoom.generation.replies import error_codes, paging, reply, success
from zoom.generation.resources import resource_files
from zoom.generation.types_source import Described
from zoom.generation.windows import windows
from zoom.limits import Label
from zoom.messages import Method

_methods: Final[Mapping[str, Method]] = {
    "get": "GET",
    "post": "POST",
    "put": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
_content_types: Final[Mapping[str, Literal["application/json", "multipart/form-data"]]] = {
    "application/json": "application/json",
    "multipart/form-data": "multipart/form-data",
}
_label: Final = re.compile(r"\[Rate Limit Label\]\([^)]*\):\*\* `(\w+)`")


def artefacts(
    rest: Mapping[str, object], master: Mapping[str, object]
) -> Iterator[tuple[str, bytes]]:
    """Yield (path below ``zoom/``, content) of each file: operations, schemas, typed resources.

    Args:
        rest: the document of the account's API, as `read_document` returns it.
        master: the document of the master account's API.

    Raises:
        SchemaSourceError: a document cannot be used, or two operations would have one name.
    """
    described = [*_operations(JsonPointer(rest)), *_operations(JsonPointer(master))]
    described.sort(key=lambda each: each[0].resource)
    _require_own_names([operation for operation, _ in described])
    yield "operations.json", _lines([_row(operation) for operation, _ in described])
    for resource, group in groupby(described, key=lambda each: each[0].resource):
        schemas = {operation.name: own_schemas for operation, own_schemas in group if own_schemas}
        yield f"schemas/{resource}.json", _json(schemas)
    yield from resource_files(described)


def _operations(document: JsonPointer) -> Iterator[Described]:
    paths = document.member("paths")
    for path, item in paths.members():
        for method, node in item.members():
            if method not in _methods:
                raise SchemaSourceError(node.pointer, f"no method of an operation: {method!r}")
            yield _operation(_methods[method], path, node, tuple(paths.as_object()))


def _operation(method: Method, path: str, node: JsonPointer, paths: Sequence[str]) -> Described:
    taken = parameters(node, path, paths)
    status, replied = success(node)
    pages = paging(taken, replied)
    name = _name(method, path, node, paged=pages is not None)
    tag, *_ = texts(node.member("tags"))
    body, sent = _body(node)
    scopes = node.member("x-extensions")
    operation = Operation(
        name=name,
        resource=resource_name(tag),
        action=action_name(name, resource_name(tag)),
        vendor_id=node.member("operationId").as_text(),
        tag=tag,
        method=method,
        path=re.sub(r"{(\w+)}", lambda match: f"{{{snake(match[1])}}}", path),
        label=_label_of(node),
        scopes=Scopes(
            classic=texts(scopes.member("x-macro-scopes")),
            granular=texts(scopes.member("x-granular-scopes")),
        ),
        parameters=taken,
        body=body,
        reply=reply(status, replied, is_list=name.startswith("list_")),
        paging=pages,
        windows=tuple(windows(node, taken)),
        errors=error_codes(node),
        deprecated=flag(node, "deprecated"),
    )
    schemas = {"body": body_schema(sent)} if sent else {}
    return operation, schemas | ({"reply": reply_schema(replied)} if replied else {})


def _name(method: Method, path: str, node: JsonPointer, *, paged: bool) -> str:
    try:
        return operation_name(method, path, paged=paged)
    except UnnamedError as error:
        raise SchemaSourceError(node.pointer, str(error)) from None


def _body(node: JsonPointer) -> tuple[Body | None, JsonPointer | None]:
    request_body = optional(node, "requestBody")
    if request_body is None:
        return None, None
    content = request_body.member("content")
    (kind, *others) = content.as_object() or [""]
    if others or kind not in _content_types:
        raise SchemaSourceError(content.pointer, f"expected one of {', '.join(_content_types)}")
    schema = content.member(kind).member("schema")
    required = flag(request_body, "required") or bool(texts(optional(schema, "required")))
    return Body(content_type=_content_types[kind], required=required), schema


def _label_of(node: JsonPointer) -> Label:
    description = node.member("description")
    match = _label.search(description.as_text())
    if match is None or match[1] not in Label.__members__:
        raise SchemaSourceError(description.pointer, f"expected a label: {', '.join(Label)}")
    return Label(match[1])


def _require_own_names(operations: Sequence[Operation]) -> None:
    taken: dict[str, Operation] = {}
    for operation in operations:
        for name in (operation.name, f"{operation.resource}.{operation.action}"):
            other = taken.setdefault(name, operation)
            if other is not operation:
                first_uses = " and ".join(
                    f"{each.method} {each.path}" for each in (other, operation)
                )
                cause = f"{first_uses} would both be {name}: name one in zoom/generation/names.py"
                raise SchemaSourceError("/paths", cause)


def _row(operation: Operation) -> object:
    (row,) = operations_adapter.dump_python((operation,), mode="json", exclude_defaults=True)
    return row


def _lines(rows: Sequence[object]) -> bytes:
    """Write each row on a line of its own: a change of one operation is a change of one line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n".encode()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
