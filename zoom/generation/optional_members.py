"""Pure: reads optional members of a node in the vendor's document."""

from collections.abc import Iterator

from schemas.generation.document import JsonPointer, SchemaSourceError


def optional(node: JsonPointer, name: str) -> JsonPointer | None:
    """Return a member's node, or None where there is none.

    Raises:
        SchemaSourceError: the node is not an object.
    """
    return node.member(name) if name in node.as_object() else None


def items(node: JsonPointer | None) -> Iterator[JsonPointer]:
    """Yield the items of an array; none where there is no node.

    Raises:
        SchemaSourceError: the node is not an array.
    """
    for index, item in enumerate(node.as_list() if node else ()):
        yield JsonPointer(item, f"{node.pointer if node else ''}/{index}")


def texts(node: JsonPointer | None) -> tuple[str, ...]:
    """Return the strings of an array.

    Raises:
        SchemaSourceError: it is not an array, or an item is not a string.
    """
    return tuple(item.as_text() for item in items(node))


def text(node: JsonPointer, name: str) -> str:
    """Return a member, "" where there is none.

    Raises:
        SchemaSourceError: it is not a string.
    """
    member = optional(node, name)
    return member.as_text() if member else ""


def number(node: JsonPointer, name: str) -> int | None:
    """Return a member, None where there is none.

    Raises:
        SchemaSourceError: it is not a whole number.
    """
    member = optional(node, name)
    if member is None:
        return None
    if isinstance(member.value, int) and not isinstance(member.value, bool):
        return member.value
    raise SchemaSourceError(member.pointer, "expected a whole number")


def flag(node: JsonPointer, name: str) -> bool:
    """Return a member, False where there is none.

    Raises:
        SchemaSourceError: it is not a boolean.
    """
    member = optional(node, name)
    if member is None:
        return False
    if isinstance(member.value, bool):
        return member.value
    raise SchemaSourceError(member.pointer, "expected true or false")


def refuse_unless(known: frozenset[str], node: JsonPointer) -> None:
    """Refuse members that the conversion would lose.

    Raises:
        SchemaSourceError: the node has an unknown member.
    """
    for name in node.as_object():
        if name not in known:
            raise SchemaSourceError(node.pointer, f"cannot carry over {name!r}")
