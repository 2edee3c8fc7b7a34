"""Pure: what may be missing at a place of the vendor's document."""

from collections.abc import Iterator

from schemas.generation.document import JsonPointer, SchemaSourceError


def optional(place: JsonPointer, name: str) -> JsonPointer | None:
    """Go down to a member, or return None where there is none.

    Raises:
        SchemaSourceError: the place is no object.
    """
    return place.member(name) if name in place.as_object() else None


def items(place: JsonPointer | None) -> Iterator[JsonPointer]:
    """Yield the items of an array; none where there is no array.

    Raises:
        SchemaSourceError: the place is there, but no array.
    """
    for index, item in enumerate(place.as_list() if place else ()):
        yield JsonPointer(item, f"{place.pointer if place else ''}/{index}")


def texts(place: JsonPointer | None) -> tuple[str, ...]:
    """Return the strings of an array.

    Raises:
        SchemaSourceError: it is no array, or an item no string.
    """
    return tuple(item.as_text() for item in items(place))


def text(place: JsonPointer, name: str) -> str:
    """Return a member, "" where there is none.

    Raises:
        SchemaSourceError: it is no string.
    """
    found = optional(place, name)
    return found.as_text() if found else ""


def number(place: JsonPointer, name: str) -> int | None:
    """Return a member, None where there is none.

    Raises:
        SchemaSourceError: it is no whole number.
    """
    found = optional(place, name)
    if found is None:
        return None
    if isinstance(found.value, int) and not isinstance(found.value, bool):
        return found.value
    raise SchemaSourceError(found.pointer, "expected a whole number")


def flag(place: JsonPointer, name: str) -> bool:
    """Return a member, False where there is none.

    Raises:
        SchemaSourceError: it is no truth value.
    """
    found = optional(place, name)
    if found is None:
        return False
    if isinstance(found.value, bool):
        return found.value
    raise SchemaSourceError(found.pointer, "expected true or false")


def refuse_unless(known: frozenset[str], place: JsonPointer) -> None:
    """Refuse members that nobody would carry over.

    Raises:
        SchemaSourceError: the place has one that is not known.
    """
    for name in place.as_object():
        if name not in known:
            raise SchemaSourceError(place.pointer, f"cannot carry over {name!r}")
