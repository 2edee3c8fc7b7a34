"""Invents replies from the schemas of the catalogue, for requests that the state cannot answer.

The same seed, operation, path and filters give the same reply. An entity's members follow from its
id, so that a list and a request for one of its items agree. A list that a window limits has one
item in every 24th part of its default span, dated at its start, so that any division of a span into
windows reads the same items.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from random import Random
from typing import Final, cast, overload

from simulator.rest.answers import Listing, QueryValue, RestReply, RestRequest
from simulator.rest.documents import Document
from simulator.rest.pages import default_page_size
from simulator.rest.schema import fits
from simulator.rest.values import invent, is_included
from simulator.rest.words import Scene
from zoom.catalogue import Operation, Schema, find, operations, reply_schema

max_remembered: Final = 4096
"""Entities, of a few KB each."""

_first_moment: Final = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
_zero: Final = datetime.fromtimestamp(0, UTC)
_default_hours: Final = 24
_slots_in_default_span: Final = 24
_unpaged_size: Final = 3

_Facts = tuple[tuple[str, QueryValue], ...]


class Inventor:
    """Answers any operation from its schema."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._document = lru_cache(max_remembered)(self._invent_document)
        self._item = lru_cache(max_remembered)(self._invent_item)

    def answer(self, request: RestRequest) -> RestReply:
        """Answer a checked request; see `simulator.rest.answers.Answer`."""
        operation, path = request.operation, tuple(request.path.values())
        if operation.reply.content_type is None:
            return None
        known = _known(request)
        scene = Scene(request.origin, _first_moment)
        if _is_array(operation.name):
            bodies = request.body if isinstance(request.body, list) and request.body else [None]
            return [self._array_item(request, body, number) for number, body in enumerate(bodies)]
        document = self._document(operation.name, path, known, scene)
        if operation.reply.items is None:
            return document | _echo(_reply(operation.name), request.body)
        numbers, moment = _item_numbers(request)

        def item(number: int) -> Document:
            scene = Scene(request.origin, moment(number))
            return self._item(operation.name, path, known, scene, number)

        siblings = {name: document[name] for name in document.keys() - _names_of_pages(operation)}
        return Listing(_Invented(numbers, item), siblings)

    def _array_item(self, request: RestRequest, body: object, number: int) -> Document:
        schema, identity = (
            _reply(request.operation.name)["items"],
            f"{request.operation.name} {number}",
        )
        document = self._object(
            schema, identity, request.path, Scene(request.origin, _first_moment)
        )
        return document | _echo(schema, body)

    def _invent_document(
        self, name: str, path: tuple[str, ...], known: _Facts, scene: Scene
    ) -> Document:
        identity = path[-1] if path else name
        return self._object(_reply(name), identity, dict(known), scene)

    def _invent_item(
        self, name: str, path: tuple[str, ...], known: _Facts, scene: Scene, number: int
    ) -> Document:
        schema, facts = _items(name), dict(known)
        identity = f"{name} {path} {number}"
        who = _identity_of(name)
        if who is not None:
            rng = Random(f"{self._seed} {identity}")
            identity = str(invent(who, schema["properties"][who], scene, rng))
            facts[who] = identity
        return self._object(schema, identity, facts, scene)

    def _object(
        self, schema: Schema, identity: str, facts: Mapping[str, QueryValue], scene: Scene
    ) -> Document:
        document: Document = {}
        for name, member in schema.get("properties", {}).items():
            rng = Random(f"{self._seed} {identity} {name}")
            if name in facts and fits(facts[name], member):
                document[name] = facts[name]
            elif is_included(name, schema, rng):
                value = invent(name, member, scene, rng)
                if fits(value, member):
                    document[name] = value
        return document


@dataclass(frozen=True, slots=True)
class _Invented(Sequence[Document]):
    """Items that are invented on access."""

    numbers: range
    item: Callable[[int], Document]

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> list[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | list[Document]:
        if isinstance(index, slice):
            return [self.item(number) for number in self.numbers[index]]
        return self.item(self.numbers[index])


def _item_numbers(request: RestRequest) -> tuple[range, Callable[[int], datetime]]:
    """Return the numbers of a list's items, and the time of each."""
    if not request.spans:
        paging = request.operation.paging
        size = _unpaged_size if paging is None else paging.size_default or default_page_size
        return range(2 * size + size // 3), lambda number: _first_moment + timedelta(hours=number)
    hours = request.operation.windows[0].default_hours or _default_hours
    spacing = timedelta(hours=hours) / _slots_in_default_span
    start = max(span.start for span in request.spans.values())
    end = min(span.end for span in request.spans.values())
    first, last = -((_zero - start) // spacing), (end - _zero) // spacing
    return range(first, last + 1), lambda number: _zero + number * spacing


def _known(request: RestRequest) -> _Facts:
    """Return the members of the reply that the request determines."""
    of_pages = _names_of_pages(request.operation)
    parameters = {
        name: value
        for name, value in request.query.items()
        if isinstance(value, str | bool) and name not in of_pages
    }
    return tuple(sorted({**parameters, **request.path}.items()))


def _echo(schema: Schema, body: object) -> Document:
    """Return the members of a written body that the reply has too."""
    if not isinstance(body, dict):
        return {}
    members = schema.get("properties", {})
    return {
        name: body[name] for name in members.keys() & body.keys() if fits(body[name], members[name])
    }


def _names_of_pages(operation: Operation) -> set[str | None]:
    """Return the members of paging, in the reply and in the request."""
    ends = {name for window in operation.windows for name in (window.start, window.end)}
    return {operation.reply.items, "timezone", "next_page_token", "page_size", "page"} | ends


def _is_array(name: str) -> bool:
    return _reply(name).get("type") == "array"


@cache
def _identity_of(name: str) -> str | None:
    """Return the member with the id of a list's items."""
    operation = find(name)
    members = _items(name).get("properties", {})
    ids = {
        parameter.name
        for other in operations().values()
        if other.resource == operation.resource
        for parameter in other.parameters
        if parameter.location == "path" and parameter.name not in _path_names(operation)
    }
    own = [member for member in members if member in ids]
    return next(iter(own or [member for member in members if member.endswith("_id")]), None)


def _path_names(operation: Operation) -> set[str]:
    return {parameter.name for parameter in operation.parameters if parameter.location == "path"}


def _reply(name: str) -> Schema:
    return cast("Schema", reply_schema(find(name)))


def _items(name: str) -> Schema:
    operation = find(name)
    return cast("Schema", _reply(name)["properties"][operation.reply.items]["items"])
