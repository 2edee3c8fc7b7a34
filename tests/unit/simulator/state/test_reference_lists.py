"""The simulator lists every kind of reference entity, and its lookups agree with its lists."""

import pytest

from processors.entities.kind import project
from processors.entities.kinds import kinds
from tests.support.each_case import each_case
from tests.support.simulated_account import SimulatedAccount, account_after
from tests.support.simulated_reference import entities_of
from zoom.catalogue import find


@pytest.fixture(scope="module")
def account() -> SimulatedAccount:
    return account_after(4000)


@each_case("entity", kinds)
def test_there_are_entities_of_every_kind_each_listed_once(
    account: SimulatedAccount, entity: str
) -> None:
    ids = [project(kinds[entity], item)[0] for item in entities_of(account.answers, kinds[entity])]

    assert ids
    assert len(ids) == len(set(ids))


@each_case("entity", [name for name, kind in kinds.items() if kind.get_operation])
def test_a_lookup_gives_the_state_that_the_list_gives(
    account: SimulatedAccount, entity: str
) -> None:
    kind = kinds[entity]
    for item in entities_of(account.answers, kind):
        id_, from_list = project(kind, item)
        operation = find(kind.get_operation or "")
        answer = account.get(operation.name, **{operation.parameters[0].name: id_})
        own_id, from_lookup = project(kind, answer)

        assert own_id == id_
        assert from_list.items() <= from_lookup.items()
        assert kind.detail or from_list == from_lookup
