"""Pure: gives each object of a JSON Schema a title, the name of its type in generated code.

A generator names a type by the title of its schema, and numbers the types of those without one; the
numbers change with each member that the vendor adds.
"""

from collections.abc import Mapping
from typing import cast

Schema = dict[str, object]


def titled(schema: Mapping[str, object], title: str) -> Schema:
    """Return the schema with a title on every object: the enclosing title, then its member.

    An existing title stays, and is the prefix of those below it.
    """
    own = str(schema.get("title", title))
    with_titles: Schema = {}
    for keyword, value in schema.items():
        if keyword == "properties":
            members = cast("Mapping[str, Schema]", value)
            with_titles[keyword] = {
                name: titled(member, f"{own}.{name}") for name, member in members.items()
            }
        elif keyword in {"items", "additionalProperties"} and isinstance(value, dict):
            with_titles[keyword] = titled(value, f"{own}.item")
        else:
            with_titles[keyword] = value
    return {"title": own, **with_titles} if _is_object(schema) else with_titles


def _is_object(schema: Mapping[str, object]) -> bool:
    return schema.get("type") == "object" and "title" not in schema
