"""Pure: tables and trees that show operations of Zoom's API, and the same as JSON objects."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import TypeAdapter
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from operations.api import descriptions as words
from operations.api.options import option_of
from zoom.catalogue import Operation, Schema, body_schema, reply_schema

_adapter: Final = TypeAdapter(Operation)


def operations_table(operations: Iterable[Operation]) -> Table:
    """Show operations, each in a row."""
    table = _table("operation", "method", "path", "label", "scope")
    for each in operations:
        name = Text(each.name, style="strike" if each.deprecated else "")
        scope = (each.scopes.all or ("",))[0]
        table.add_row(name, each.method, each.path, each.label.value, scope)
    return table


def operation_object(operation: Operation) -> dict[str, Any]:
    """Return all that the catalogue has of an operation, without its schemas."""
    dumped: dict[str, Any] = _adapter.dump_python(operation, mode="json")
    return dumped


def described_object(operation: Operation) -> dict[str, Any]:
    """Return all that the catalogue has of an operation, with its schemas."""
    schemas = {"body_schema": body_schema(operation), "reply_schema": reply_schema(operation)}
    return operation_object(operation) | schemas


def described(operation: Operation) -> Iterator[RenderableType]:
    """Show all that the catalogue has of an operation, part by part."""
    yield Text(operation.name, style="bold")
    yield Text(f"{operation.method} {operation.path}")
    yield _facts(operation)
    if operation.parameters:
        yield _parameters(operation)
    body = body_schema(operation)
    if operation.body and body is not None:
        must = "required" if operation.body.required else "optional"
        yield _tree(f"body: {operation.body.content_type}, {must}", body)
    reply = reply_schema(operation)
    title = f"reply: {operation.reply.status}"
    yield Text(f"{title}, no body") if reply is None else _tree(title, reply)
    yield _errors(operation)


def options_of(operation: Operation) -> Iterator[RenderableType]:
    """Show the options that an operation takes on the command line."""
    yield Text(f"{operation.name}: {operation.method} {operation.path}", style="bold")
    table = _table("option", "type", "required", "limits")
    for each in operation.parameters:
        required = "yes" if each.required else ""
        table.add_row(option_of(each), words.typed(each), required, Text(words.limits(each)))
    if operation.body is not None:
        table.add_row(
            "--body", operation.body.content_type, "yes" if operation.body.required else ""
        )
    yield table
    yield Text(f"zcc api describe {operation.name} shows more of it")


def _facts(operation: Operation) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in _fact_rows(operation):
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _fact_rows(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "resource", f"{operation.resource}, action {operation.action}"
    yield "tag", f"{operation.tag}; Zoom calls it {operation.vendor_id}"
    yield "label", operation.label.value
    yield "scope, any of", "\n".join(operation.scopes.all) or "not documented"
    if operation.for_master:
        yield "account", "a master account calls it for a sub account"
    if operation.deprecated:
        yield "deprecated", "yes"
    if operation.reply.items:
        yield "list of", operation.reply.items
    if operation.paging:
        yield "pages", words.paging(operation.paging)
    for window in operation.windows:
        yield "window", "; ".join(words.window(window))


def _parameters(operation: Operation) -> Table:
    table = _table("parameter", "in", "type", "required", "default", "limits")
    for each in operation.parameters:
        default = "" if each.default is None else words.shown(each.default)
        table.add_row(
            Text(each.name, style="strike" if each.deprecated else ""),
            each.location,
            words.typed(each),
            "yes" if each.required else "",
            Text(default),
            Text(words.limits(each)),
        )
    return table


def _errors(operation: Operation) -> Table:
    table = _table("status", "documented codes")
    for status, codes in operation.errors.items():
        table.add_row(str(status), ", ".join(map(str, codes)))
    return table


def _tree(title: str, schema: Schema) -> Tree:
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    _grow(tree, schema)
    return tree


def _grow(tree: Tree, schema: Schema) -> None:
    required = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        _add(tree, name + ("*" if name in required else ""), member)
    for choice in schema.get("oneOf", ()):
        _add(tree, "or", choice)
    if "items" in schema:
        _grow(tree, schema["items"])


def _add(tree: Tree, name: str, member: Schema) -> None:
    path, inner = name, member
    while "items" in inner:
        path, inner = f"{path}[]", inner["items"]
    line = Text.assemble((path, "strike" if member.get("deprecated") else ""), " ")
    line.append(words.schema_type(inner), style="cyan")
    if limits := words.schema_limits(inner):
        line.append(f" {limits}", style="dim")
    _grow(tree.add(line), inner)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
