"""Pure: say known facts in the words of a schema, so that no operation needs a document of its own.

Webhooks and the REST API mostly call a fact by one name. Whoever answers an operation gathers what
is known under those names; the operation's schema chooses which of it is said. A value that the
schema has no word for is left out: ``work_item`` is no channel to every operation.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from simulator.rest.documents import Document
from zoom.catalogue import Operation, Schema, reply_schema

Facts = Mapping[str, object]

_absent: Final = object()


def fitted(operation: Operation, facts: Facts) -> Document:
    """Return what the reply of an operation says of these facts.

    Raises:
        ValueError: its reply has no body.
    """
    return _object(_reply(operation), facts)


def fitted_item(operation: Operation, facts: Facts) -> Document:
    """Return what the list of an operation says of these facts, as one item.

    Raises:
        ValueError: it answers no list.
    """
    return _object(item_schema(operation), facts)


def fitted_beside_items(operation: Operation, facts: Facts) -> Document:
    """Return what the list of an operation says of these facts, beside the array of its items.

    Raises:
        ValueError: it answers no list.
    """
    return {n: value for n, value in fitted(operation, facts).items() if n != operation.reply.items}


def item_schema(operation: Operation) -> Schema:
    """Return the schema of an item of a list.

    Raises:
        ValueError: the operation answers no list.
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
    said = ((name, _value(member, facts[name])) for name, member in members if name in facts)
    return {name: value for name, value in said if value is not _absent}


def _value(schema: Schema, value: Any) -> Any:  # noqa: ANN401 - a value of JSON
    """Return the value as the schema says it, or `_absent`.

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
