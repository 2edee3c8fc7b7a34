"""The simulator lists every kind of reference entity, and its lookups agree with its lists."""

from collections.abc import Iterator
from typing import Any

import pytest

from processors.entities.kind import Kind, ListDivision, project
from processors.entities.kinds import kinds
from tests.support.each_case import each_case
from tests.support.simulated_account import SimulatedAccount, account_after
from zoom.catalogue import find


@pytest.fixture(scope="module")
def account() -> SimulatedAccount:
    return account_after(4000)


def listed(account: SimulatedAccount, operation: str, **arguments: str) -> list[Any]:
    path = {p.name for p in find(operation).parameters if p.location == "path"}
    in_query = {name: value for name, value in arguments.items() if name not in path}
    in_path = {name: value for name, value in arguments.items() if name in path}
    return account.list(operation, query=in_query, **in_path)


def parts(account: SimulatedAccount, division: ListDivision | None) -> Iterator[dict[str, str]]:
    if division is None:
        yield {}
    elif division.values:
        yield from ({division.parameter: value} for value in division.values)
    else:
        for outer in parts(account, division.division):
            for item in listed(account, division.operation, **outer):
                yield {division.parameter: item[division.member]}


def all_of(account: SimulatedAccount, kind: Kind) -> list[Any]:
    lists = (listed(account, kind.list_operation, **part) for part in parts(account, kind.division))
    return [item for items in lists for item in items]


@each_case("entity", kinds)
def test_there_are_entities_of_every_kind_each_listed_once(
    account: SimulatedAccount, entity: str
) -> None:
    ids = [project(kinds[entity], item)[0] for item in all_of(account, kinds[entity])]

    assert ids
    assert len(ids) == len(set(ids))


@each_case("entity", [name for name, kind in kinds.items() if kind.get_operation])
def test_a_lookup_gives_the_state_that_the_list_gives(
    account: SimulatedAccount, entity: str
) -> None:
    kind = kinds[entity]
    for item in all_of(account, kind):
        id_, from_list = project(kind, item)
        operation = find(kind.get_operation or "")
        answer = account.get(operation.name, **{operation.parameters[0].name: id_})
        own_id, from_lookup = project(kind, answer)

        assert own_id == id_
        assert from_list.items() <= from_lookup.items()
        assert kind.detail or from_list == from_lookup
