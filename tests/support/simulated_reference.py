"""All reference entities of a simulated account, as its lists give them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from processors.entities.kind import Kind, ListDivision, project
from processors.entities.kinds import kinds
from simulator.rest.answers import Answer, Listing, RestRequest
from simulator.state import State, state_answers
from zoom.catalogue import find


def entities_of(answers: Mapping[str, Answer], kind: Kind) -> list[Any]:
    """All items of a kind's lists."""
    lists = (
        _listed(answers, kind.list_operation, **part) for part in _parts(answers, kind.division)
    )
    return [item for items in lists for item in items]


def ids_of(state: State) -> dict[str, set[str]]:
    """The ids of all entities, by kind."""
    answers = state_answers(state)
    return {
        name: {project(kind, item)[0] for item in entities_of(answers, kind)}
        for name, kind in kinds.items()
    }


def _listed(answers: Mapping[str, Answer], operation: str, **arguments: str) -> list[Any]:
    in_path = {each.name for each in find(operation).parameters if each.location == "path"}
    request = RestRequest(
        operation=find(operation),
        path={name: value for name, value in arguments.items() if name in in_path},
        query={name: value for name, value in arguments.items() if name not in in_path},
        body=None,
        now=datetime.fromtimestamp(0, UTC),
        origin="",
        spans={},
    )
    return list(cast("Listing", answers[operation](request)).items)


def _parts(
    answers: Mapping[str, Answer], division: ListDivision | None
) -> Iterator[dict[str, str]]:
    if division is None:
        yield {}
    elif division.values:
        yield from ({division.parameter: value} for value in division.values)
    else:
        for outer in _parts(answers, division.division):
            for item in _listed(answers, division.operation, **outer):
                yield {division.parameter: item[division.member]}
