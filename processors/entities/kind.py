"""Pure: what a kind of reference entities is, and how a state is read from Zoom's answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.envelope import JsonObject


class UnidentifiedError(ValueError):
    """A document has no id, so it is no entity of its kind."""


class Ttl(StrEnum):
    """How soon the list of a kind is read again: by how its changes become known."""

    ANNOUNCED = "announced"
    """Webhooks announce every change; the list finds what they missed."""
    SILENT = "silent"
    """Events name it, and no webhook says that it changed."""
    RARE = "rare"
    """No webhook, and events do not name it."""


@dataclass(frozen=True, slots=True)
class ListDivision:
    """A list that is read in parts: once for each value of a required parameter.

    The values are ``values``, or else the ``member`` of all items of another list, ``operation``,
    which may be divided itself.
    """

    parameter: str
    values: tuple[str, ...] = ()
    operation: str = ""
    member: str = ""
    division: "ListDivision | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of entity.

    ``list_operation`` and ``get_operation`` are names for `zoom.catalogue.find`; a lookup takes the
    id as its only argument, None where there is no such operation. ``id_field`` is the member of a
    state with the id, ``alias_fields`` those with other ids of the same entity. ``kept`` are the
    members of a state. ``renamed`` maps a member of an answer to the member of the state that it
    is. ``lower_case``: events may write the id in lower case.
    """

    entity: str
    list_operation: str
    get_operation: str | None
    id_field: str
    kept: tuple[str, ...]
    ttl: Ttl
    alias_fields: tuple[str, ...] = ()
    detail: bool = False
    division: ListDivision | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    lower_case: bool = False


def project(kind: Kind, document: JsonObject) -> tuple[str, JsonObject]:
    """Return the id and the state in an item of a list or an answer to a lookup.

    Raises:
        UnidentifiedError: it has no id.
    """
    renamed = {kind.renamed[name]: document[name] for name in kind.renamed if name in document}
    members = {**document, **renamed}
    id_ = members.get(kind.id_field)
    if not isinstance(id_, str) or not id_:
        raise UnidentifiedError(f"expected {kind.entity}.{kind.id_field} to be a text")
    state = {name: members[name] for name in kind.kept if members.get(name) not in (None, "")}
    return id_, state


def aliases(kind: Kind, id_: str, state: JsonObject) -> tuple[str, ...]:
    """Return the other ids under which events may name an entity, each once."""
    others: list[object] = [id_.lower()] if kind.lower_case else []
    for member in kind.alias_fields:
        value = state.get(member)
        others += value if isinstance(value, list) else [value]
    texts = (name for name in others if isinstance(name, str) and name and name != id_)
    return tuple(dict.fromkeys(texts))


def names(text: str) -> tuple[str, ...]:
    """Return the words of a text, as `Kind.kept` takes them."""
    return tuple(text.split())
