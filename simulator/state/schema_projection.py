"""Pure: projects known facts onto a schema, so that no operation needs its own document.

Webhooks and the REST API mostly use one name for a fact. The answer of an operation collects the
known facts under those names, and the operation's schema selects from them. A value outside the
schema's known values is left out: ``work_item`` is not a channel of every operation.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from simulator.rest.documents import Document
from zoom.catalogue import Operation, Schema, reply_schema

Facts = Mapping[str, object]

_absent: Final = object()


def fitted(operation: Operation, facts: Facts) -> Document:
    """Return the reply of an operation with these facts.

    Raises:
        ValueError: its reply has no body.
    """
    return _object(_reply(operation), facts)


def fitted_item(operation: Operation, facts: Facts) -> Document:
    """Return one item of an operation's list with these facts.

    Raises:
        ValueError: its reply is not a list.
    """
    return _object(item_schema(operation), facts)


def fitted_list_members(operation: Operation, facts: Facts) -> Document:
    """Return the members of an operation's list next to the array of its items.

    Raises:
        ValueError: its reply is not a list.
    """
    return {n: value for n, value in fitted(operation, facts).items() if n != operation.reply.items}


def item_schema(operation: Operation) -> Schema:
    """Return the schema of an item of a list.

    Raises:
        ValueError: the operation's reply is not a list.
    """
    if operation.reply.items is None:
        raise ValueError(f"{operation.name}: expected an operation that answers a list")
    return cast("Schema", _reply(operation)["properties"][operation.reply.items]["items"])


def _reply(operation: Operation) -> Schema:
    schema = reply_schema(operation)
    if schema is None:
        raise ValueError(f"{operation.name}: expected an operation whose reply has a body")
    return schema


def _object(schema: Schema, facts: Facts) -> Document:
    members = schema.get("properties", {}).items()
    members_present = (
        (name, _value(member, facts[name])) for name, member in members if name in facts
    )
    return {name: value for name, value in members_present if value is not _absent}


def _value(schema: Schema, value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    """Return the value in the schema's form, or `_absent`.

    Days of the week are numbers in events and text in replies.
    """
    kind = schema.get("type")
    if kind == "string" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not _admits(schema, value):
        return _absent
    if kind == "object":
        return _object(schema, value)
    if kind == "array":
        items = (_value(schema["items"], item) for item in value)
        return [item for item in items if item is not _absent]
    return value


def _admits(schema: Schema, value: Any) -> bool:  # noqa: ANN401 - a value of JSON
    known = schema.get("x-known-values")
    if known is not None and not isinstance(value, list) and value not in known:
        return False
    match schema.get("type"):
        case "string":
            return isinstance(value, str) and (
                schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
            )
        case "integer" | "number":
            whole_or_not = int if schema["type"] == "integer" else (int, float)
            return (
                isinstance(value, whole_or_not)
                and not isinstance(value, bool)
                and schema.get("minimum", value) <= value <= schema.get("maximum", value)
            )
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
