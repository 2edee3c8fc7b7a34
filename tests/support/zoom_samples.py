"""Arguments and bodies that an operation takes, made from the catalogue alone."""

from datetime import timedelta
from typing import Any

from tests.support.simulator_api import ClockThatStands
from zoom.catalogue import Operation, Parameter, Schema, body_schema
from zoom.requests.bodies import File

ODD_ID = "a/b+c=="


def required_arguments(operation: Operation) -> dict[str, Any]:
    return {
        each.argument: value_of(operation, each) for each in operation.parameters if each.required
    }


def all_arguments(operation: Operation) -> dict[str, Any]:
    """All but the token of a page, which nobody can make up."""
    return {
        each.argument: value_of(operation, each)
        for each in operation.parameters
        if each.name != "next_page_token"
    }


def value_of(operation: Operation, parameter: Parameter) -> Any:
    for window in operation.windows:
        if parameter.name in (window.start, window.end):
            age = timedelta(days=2 if parameter.name == window.start else 1)
            moment = ClockThatStands().now() - age
            return moment.date() if "date" in window.forms else moment
    if parameter.type == "array":
        values = parameter.values or ("one", "two")
        return list(values[: min(2, parameter.max_items or 2)])
    values_by_type = {"integer": parameter.minimum or 1, "boolean": True}
    return values_by_type.get(parameter.type, text_of_parameter(parameter))


def text_of_parameter(parameter: Parameter) -> Any:
    if parameter.values:
        return parameter.values[0]
    if parameter.location == "path":
        return ODD_ID
    meant = {"timezone": "Europe/Vienna", "page_size": "10"}
    return meant.get(parameter.name, "some text"[: parameter.max_length or 9])


def body_of(operation: Operation, *, whole: bool) -> dict[str, Any]:
    """The argument ``body`` with all members, or with what must be there alone, if anything."""
    schema = body_schema(operation)
    if operation.body is None or schema is None or not (whole or operation.body.required):
        return {}
    return {"body": document_of(schema, whole=whole)}


def document_of(schema: Schema, *, whole: bool) -> Any:
    if "oneOf" in schema:
        return document_of(schema["oneOf"][-1], whole=whole)
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            members = schema.get("properties", {})
            names = members if whole else schema.get("required", members)
            return {name: document_of(members[name], whole=whole) for name in names}
        case "array":
            return [document_of(schema["items"], whole=whole)] * max(1, schema.get("minItems", 0))
        case kind:
            return {"string": text_of(schema), "boolean": True}.get(kind, schema.get("minimum", 1))


def text_of(schema: Schema) -> object:
    match schema.get("format"):
        case "binary":
            return File("a file.bin", b"\x00content\r\n")
        case "email":
            return "someone@example.com"
        case "date-time":
            return "2025-06-15T09:30:00Z"
    return "some text"[: schema.get("maxLength", 9)].ljust(schema.get("minLength", 0), "x")
