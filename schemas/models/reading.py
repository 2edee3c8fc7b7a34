"""Read a body into its model, and say where it departs from the contract.

The pipeline never refuses an event for its content: what cannot be taken as the contract has it is
left out of the model, and reported. The body itself stays as it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError

from schemas.catalogue import events
from schemas.envelope import read_envelope

from .base import promised
from .enrichment import Enrichment
from .event import Event, EventObject
from .registry import model_for


class ProblemKind(StrEnum):
    """How a body departs from the contract."""

    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_VALUE = "unknown_value"
    WRONG_TYPE = "wrong_type"
    MISSING_REQUIRED = "missing_required"


class Problem(NamedTuple):
    """One departure. ``path`` is that of the schema: ``payload.object.users[].user_id``."""

    kind: ProblemKind
    path: str


class Reading(NamedTuple):
    """An event, and where its body departs from the contract, each place once."""

    event: Event[EventObject]
    problems: tuple[Problem, ...]


class ContractError(ValueError):
    """A body departs from the contract, and the reader wanted none that does."""

    def __init__(self, event: str, problems: Sequence[Problem]) -> None:
        told = ", ".join(f"{problem.kind} {problem.path}" for problem in problems)
        super().__init__(f"{event}: {told}")
        self.problems = tuple(problems)


def read(body: bytes, *, strict: bool = False) -> Reading:
    """Read the body of an event, from a raw or an enriched topic.

    Args:
        body: JSON.
        strict: for tests: refuse what departs from the contract.

    Raises:
        UnreadableError: the body is no event at all; such bodies are on the quarantine topic.
        ContractError: ``strict``, and there is a problem.
    """
    name = read_envelope(body).event
    event, wrong = _modelled(body, model_for(name))
    if name in events:
        others = (problem for problem in _problems(event, "") if problem.path not in wrong)
        found = (*(Problem(ProblemKind.WRONG_TYPE, path) for path in wrong), *others)
    else:
        found = (Problem(ProblemKind.UNKNOWN_EVENT, "event"),)
    problems = tuple(dict.fromkeys(found))
    if strict and problems:
        raise ContractError(name, problems)
    return Reading(event, problems)


def _modelled(
    body: bytes, model: type[Event[EventObject]]
) -> tuple[Event[EventObject], Sequence[str]]:
    """Return the model, and the paths of what was left out of it.

    It ends: each round leaves out a value, or adds the object that the envelope may lack.
    """
    paths: list[str] = []
    while True:
        try:
            return model.model_validate_json(body), paths
        except ValidationError as error:
            parsed = orjson.loads(body)
            parsed["payload"].setdefault("object", {})
            for location in _locations(parsed, error):
                paths.append(_path(location))
                _mark_gone(parsed, location)
            body = orjson.dumps(_without_gone(parsed))


Location = tuple[str | int, ...]

_gone: Final = object()
"""Stands where a value is to be left out, so that the places of others hold until all are named."""


def _locations(parsed: object, error: ValidationError) -> Sequence[Location]:
    """Where the wrong values stand, each once. The enrichment is ours: one mistake, all of it."""
    found: list[Location] = []
    for each in error.errors(include_url=False):
        if each["loc"][0] == "enrichment":
            found.append(("enrichment",))
        elif each["type"] != "missing":  # no member of the vendor's is required but the object
            found.append(_existing(parsed, each["loc"]))
    return list(dict.fromkeys(found))


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


def _mark_gone(node: Any, location: Location) -> None:  # noqa: ANN401 - JSON, walked by a known way
    *above, last = location
    for step in above:
        node = node[step]
    node[last] = _gone


def _without_gone(node: object) -> object:
    if isinstance(node, dict):
        return {name: _without_gone(value) for name, value in node.items() if value is not _gone}
    if isinstance(node, list):
        return [_without_gone(item) for item in node if item is not _gone]
    return node


def _path(location: Location) -> str:
    """Write ``("users", 0, "user_id")`` as ``users[].user_id``."""
    steps = ("[]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


@dataclass(frozen=True, slots=True)
class _Member:
    """What the contract says of a member of a model, beside its type."""

    attribute: str
    name: str
    promised: bool
    known_values: frozenset[object] | None


@cache
def _members(model: type[BaseModel]) -> tuple[_Member, ...]:
    return tuple(
        _Member(
            attribute,
            field.alias or attribute,
            promised in field.metadata,
            _known_values(field.annotation),
        )
        for attribute, field in model.model_fields.items()
    )


def _known_values(annotation: object) -> frozenset[object] | None:
    """Return the values of the Literal anywhere in an annotation, if it has one."""
    if get_origin(annotation) is Literal:
        return frozenset(get_args(annotation))
    inner = (_known_values(argument) for argument in get_args(annotation))
    return next((values for values in inner if values is not None), None)


def _problems(model: BaseModel, above: str) -> Iterator[Problem]:
    """Yield the departures that a model can hold: what it lacks, and what it has beyond."""
    for name in model.model_extra or ():
        yield Problem(ProblemKind.UNKNOWN_FIELD, f"{above}{name}")
    for member in _members(type(model)):
        value = vars(model)[member.attribute]
        path = f"{above}{member.name}"
        if value is not None:
            yield from _problems_of_value(value, member, path)
        elif member.attribute in model.model_fields_set:
            yield Problem(ProblemKind.WRONG_TYPE, path)
        elif member.promised:
            yield Problem(ProblemKind.MISSING_REQUIRED, path)


def _problems_of_value(value: object, member: _Member, path: str) -> Iterator[Problem]:
    if isinstance(value, tuple):
        for item in value:
            yield from _problems_of_value(item, member, f"{path}[]")
    elif isinstance(value, BaseModel) and not isinstance(value, Enrichment):
        yield from _problems(value, f"{path}.")
    elif member.known_values is not None and value not in member.known_values:
        yield Problem(ProblemKind.UNKNOWN_VALUE, path)
