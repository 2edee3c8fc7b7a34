"""The invented company: repeatable, complete, consistent, and plainly fictional."""

import pytest

from simulator.company import Company, make_company
from simulator.synthetic_values import company_number, consumer_number


@pytest.fixture(scope="module")
def company() -> Company:
    return make_company(7)


def test_the_same_seed_makes_the_same_company() -> None:
    assert make_company(7) == make_company(7)
    assert make_company(7) != make_company(8)


def test_it_has_as_many_users_and_queues_as_requested(company: Company) -> None:
    assert (len(company.users), len(company.queues)) == (40, 8)
    assert len(company.flows) == 8


@pytest.mark.parametrize(("users", "queues"), [(7, 8), (40, 4)])
def test_too_small_a_company_is_refused(users: int, queues: int) -> None:
    with pytest.raises(ValueError, match="expected at least 8 users and 5 queues"):
        make_company(1, users=users, queues=queues)


def test_ids_are_unique(company: Company) -> None:
    ids = [user.user_id for user in company.users]
    ids += [queue.cc_queue_id for queue in company.queues]
    ids += [queue.queue_id for queue in company.queues]
    ids += [flow.flow_id for flow in company.flows]
    ids += [team.team_id for team in company.teams]
    assert len(set(ids)) == len(ids)


def test_the_legacy_id_of_a_queue_is_another_value(company: Company) -> None:
    assert all(queue.queue_id != queue.cc_queue_id for queue in company.queues)


def test_every_channel_has_a_queue_and_voice_has_two(company: Company) -> None:
    smallest = make_company(1, users=8, queues=5)
    for some_company in (company, smallest):
        assert len(some_company.queues_for("voice")) >= 2
        assert all(some_company.queues_for(c) for c in ("messaging", "email", "work_item"))


def test_every_agent_serves_a_queue_and_every_queue_has_agents_and_supervisors(
    company: Company,
) -> None:
    serving = {agent for queue in company.queues for agent in _ids(queue.agents)}
    assert serving | _ids(company.supervisors) == _ids(company.users)
    assert all(len(_ids(queue.agents)) >= 4 for queue in company.queues)
    assert not serving & _ids(company.supervisors)
    assert all(queue.supervisors == company.supervisors for queue in company.queues)


def test_numbers_are_in_the_range_kept_for_fiction() -> None:
    assert company_number(0) == "+18005550100"
    assert consumer_number(199) == "+12025550199"
    assert len({consumer_number(n) for n in range(5000)}) == 5000


def _ids(users: object) -> set[str]:
    assert isinstance(users, tuple)
    return {user.user_id for user in users}
