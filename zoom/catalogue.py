"""The catalogue of Zoom's REST operations, with all that a caller must know of each.

Read once from ``operations.json`` and ``schemas/`` next to this module, which `zoom.generation`
writes from the vendor's documents. Source: Zoom Contact Center REST API, OpenAPI 3.0 (314
operations), and for master accounts (2).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from keyword import iskeyword
from types import MappingProxyType
from typing import Any, Final, Literal, cast

import orjson
from pydantic import TypeAdapter

from zoom.limits import Label
from zoom.messages import Method

ContentType = Literal["application/json", "multipart/form-data"]
TimeForm = Literal["date", "z", "offset"]
"""The forms of a time: ``2026-01-31``, ``2026-01-31T09:30:00Z``, ``…+01:00``."""

Schema = Mapping[str, Any]
"""A JSON Schema, draft 2020-12."""

max_suggestions: Final = 5


class UnknownOperationError(LookupError):
    """There is no operation of this name; the message suggests the nearest names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter in the path or in the query.

    Bounds are None where the vendor names none. An array holds strings, joined by commas into one
    value; ``values`` and the bounds of length apply to each. ``commas`` says whether the vendor
    documents the commas or they are assumed. ``reserved`` values would address another operation.
    ``default`` is the vendor's value for a missing parameter.
    """

    name: str
    location: Literal["path", "query"]
    type: Literal["string", "integer", "boolean", "array"] = "string"
    format: str | None = None
    values: tuple[str | bool, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique: bool = False
    commas: Literal["stated", "assumed"] | None = None
    default: str | int | bool | None = None
    required: bool = False
    reserved: tuple[str, ...] = ()
    deprecated: bool = False

    @property
    def argument(self) -> str:
        """The name in Python: ``from_`` where the name is a keyword."""
        return f"{self.name}_" if iskeyword(self.name) else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The request body of an operation; `body_schema` has its schema.

    The vendor never says whether it is mandatory: ``required`` follows from a schema that requires
    a member.
    """

    content_type: ContentType = "application/json"
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response that means success.

    ``content_type`` is None where it has no body. ``items`` is the member with the array of a list,
    None where the operation is not a list.
    """

    status: int
    content_type: Literal["application/json"] | None = None
    items: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How a list is read page by page.

    ``next_page_token``: send the token of a reply to get the next page, all other parameters
    unchanged, within 15 minutes. The list ends where the token is missing or empty, not at a short
    page. ``reply_token_only``: a reply has such a token, but no request takes it, so only one page
    can be read. ``page_number``: send ``page`` from 1 on, until ``total_records`` are read.

    Sizes refer to ``page_size``, None where the vendor names none. ``reply_size_max`` comes from
    the schema of the reply: in 15 operations it is less than the largest ``page_size``.
    """

    style: Literal["next_page_token", "reply_token_only", "page_number"]
    size_default: int | None = None
    size_max: int | None = None
    reply_size_max: int | None = None
    total_records: bool = False
    has_more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Two query parameters that limit a list to a span of time; send both or none.

    ``forms`` are the accepted forms of a time. Where ``z_is_literal``, a ``Z`` does not mean UTC
    but the zone of the parameter ``timezone``: write offsets instead. Without a window the
    operation returns the last ``default_hours``. A span of more than ``longest_days`` is
    ``refused``, or silently ``truncated``, as ``beyond`` says. A start more than ``lookback_days``
    ago is refused. None: not documented. Days are rounded down: a month has 28.
    """

    start: str
    end: str
    forms: tuple[TimeForm, ...]
    z_is_literal: bool = False
    default_hours: int | None = None
    longest_days: int | None = None
    beyond: Literal["refused", "truncated"] | None = None
    lookback_days: int | None = None
    deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """The scopes of an operation; the token needs any one of them."""

    classic: tuple[str, ...]
    granular: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both kinds, granular ones first."""
        return self.granular + self.classic


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    ``path`` follows the base URL and holds ``{name}`` for each parameter in the path. ``resource``
    and ``action`` are its address in a typed client: ``client.<resource>.<action>()``. ``errors``
    are Zoom's documented codes by HTTP status; every operation can also answer 429 and 5xx.
    ``vendor_id`` is the id in the vendor's pages; it is not unique.
    """

    name: str
    resource: str
    action: str
    vendor_id: str
    tag: str
    method: Method
    path: str
    label: Label
    scopes: Scopes
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    reply: Reply
    paging: Paging | None = None
    windows: tuple[Window, ...] = ()
    errors: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    deprecated: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes or deletes something, or sends something out."""
        return self.method != "GET"

    @property
    def for_master(self) -> bool:
        """Whether only a master account may call it, for one of its sub accounts."""
        return self.path.startswith("/accounts/")


operations_adapter: Final = TypeAdapter(tuple[Operation, ...])
"""Reads and writes ``operations.json``."""


@cache
def operations() -> Mapping[str, Operation]:
    """Return all operations by name, those of a resource together."""
    catalogue = operations_adapter.validate_json(_content("operations.json"))
    return MappingProxyType({operation.name: operation for operation in catalogue})


def find(name: str) -> Operation:
    """Return the operation of this name.

    Raises:
        UnknownOperationError: there is none.
    """
    known = operations()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=max_suggestions)
    advice = f"did you mean {', '.join(near)}?" if near else "zcc api list shows all of them"
    raise UnknownOperationError(f"there is no operation {name!r}: {advice}")


def body_schema(operation: Operation) -> Schema | None:
    """Return the schema of an operation's request body; None where it takes none."""
    return _schemas(operation).get("body")


def reply_schema(operation: Operation) -> Schema | None:
    """Return the schema of the response that means success; None where it has no body.

    It is open, because the vendor adds values and members without notice: the vendor's values are
    the annotation ``x-known-values``, and unknown members are allowed.
    """
    return _schemas(operation).get("reply")


def _schemas(operation: Operation) -> Mapping[str, Schema]:
    return _schemas_of_resource(operation.resource).get(operation.name, {})


@cache
def _schemas_of_resource(resource: str) -> Mapping[str, Mapping[str, Schema]]:
    document: object = orjson.loads(_content(f"schemas/{resource}.json"))
    return cast("Mapping[str, Mapping[str, Schema]]", document)


def _content(path: str) -> bytes:
    return (files(__package__) / path).read_bytes()
