"""Read a body into its model, and say where it departs from the contract.

The pipeline never refuses an event for its content: what cannot be taken as the contract has it is
left out of the model, and told. The body itself stays as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, cast

import orjson
from pydantic import ValidationError

from schemas.drift import Drift, DriftKind, drift_of
from schemas.envelope import envelope_of, parse_json

from .event import Event, EventObject
from .registry import model_for


class Reading(NamedTuple):
    """An event, and where its body departs from the contract, each place once."""

    event: Event[EventObject]
    drift: tuple[Drift, ...]


class ContractError(ValueError):
    """A body departs from the contract, and the reader wanted none that does."""

    def __init__(self, event: str, drift: Sequence[Drift]) -> None:
        super().__init__(f"{event}: {', '.join(f'{each.kind} {each.path}' for each in drift)}")
        self.drift = tuple(drift)


def read(body: bytes, *, strict: bool = False) -> Reading:
    """Read the body of an event, from a raw or an enriched topic.

    Args:
        body: JSON.
        strict: for tests: refuse what departs from the contract.

    Raises:
        UnreadableError: the body is no event at all; such bodies are on the quarantine topic.
        ContractError: ``strict``, and something departs.
    """
    text = parse_json(body)
    name = envelope_of(text.value).event
    if text.exact is not None:  # pydantic's parser is a strict one too
        body = orjson.dumps(text.value)
    event, left_out = _modelled(body, model_for(name))
    parsed = cast("dict[str, object]", text.value)
    parsed.pop("enrichment", None)  # ours, and no part of the vendor's contract
    drift = _each_once((*drift_of(parsed, name), *left_out))
    if strict and drift:
        raise ContractError(name, drift)
    return Reading(event, drift)


def _each_once(drift: Iterable[Drift]) -> tuple[Drift, ...]:
    """Keep the first of each place: items of an array share one."""
    first: dict[tuple[str, ...], Drift] = {}
    for each in drift:
        first.setdefault(each.pointer, each)
    return tuple(first.values())


def _modelled(
    body: bytes, model: type[Event[EventObject]]
) -> tuple[Event[EventObject], Sequence[Drift]]:
    """Return the model, and what was left out of it.

    It ends: each round leaves out a value, or adds the object that the envelope may lack.
    """
    left_out: list[Drift] = []
    while True:
        try:
            return model.model_validate_json(body), left_out
        except ValidationError as error:
            parsed = orjson.loads(body)
            parsed["payload"].setdefault("object", {})
            for location in _locations(parsed, error):
                place = tuple("[]" if isinstance(step, int) else step for step in location)
                left_out.append(Drift(DriftKind.WRONG_TYPE, place, _take(parsed, location)))
            body = orjson.dumps(_without_gone(parsed))


Location = tuple[str | int, ...]

_gone: Final = object()
"""Stands where a value was, so that the locations of the others hold until all are taken."""


def _locations(parsed: object, error: ValidationError) -> Iterator[Location]:
    """Yield where wrong values stand, each once. One mistake in the enrichment is all of it."""
    locations: dict[Location, None] = {}
    for each in error.errors(include_url=False):
        if each["loc"][0] == "enrichment":
            locations["enrichment",] = None
        elif each["type"] != "missing":  # no member of the vendor's is required but the object
            locations[_existing(parsed, each["loc"])] = None
    yield from locations


def _existing(node: object, location: Location) -> Location:
    """Cut a location where it leaves the body: it may end in the branch of a union."""
    for depth, step in enumerate(location):
        match node, step:
            case dict(), str() if step in node:
                node = node[step]
            case list(), int():
                node = node[step]
            case _:
                return location[:depth]
    return location


def _take(node: Any, location: Location) -> object:  # noqa: ANN401 - JSON, and the way is known
    *above, last = location
    for step in above:
        node = node[step]
    taken: object = node[last]
    node[last] = _gone
    return taken


def _without_gone(node: object) -> object:
    if isinstance(node, dict):
        return {name: _without_gone(value) for name, value in node.items() if value is not _gone}
    if isinstance(node, list):
        return [_without_gone(item) for item in node if item is not _gone]
    return node
