"""Every document that comes from the state fits the schema of its operation."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from simulator.rest.answers import Listing, RestRequest
from simulator.rest.documents import ApiError
from simulator.state import State, directory, state_answers
from tests.support.each_case import each_case
from tests.support.simulated_account import SimulatedAccount, account_after, the_company
from zoom.catalogue import Operation, find, operations, reply_schema

KINDS = {
    "user_id": directory.user,
    "queue_id": directory.queue,
    "flow_id": directory.flow,
    "team_id": directory.team,
    "disposition_id": directory.disposition,
    "skill_id": directory.skill,
    "role_id": directory.role,
    "status_id": directory.system_status,
    "inbox_id": directory.inbox,
    "business_hour_id": directory.business_hour,
    "closure_set_id": directory.closure_set,
    "asset_id": directory.asset,
    "disposition_set_id": directory.disposition_set,
    "skill_category_id": directory.skill_category,
    "category_id": directory.asset_category,
    "region_id": directory.region,
    "unit_id": directory.unit,
    "address_book_id": directory.address_book,
    "contact_id": directory.contact,
    "campaign_id": directory.campaign,
    "variable_group_id": directory.variable_group,
    "agent_routing_profile_id": directory.agent_routing_profile,
    "consumer_routing_profile_id": directory.consumer_routing_profile,
    "queue_template_id": directory.queue_template,
}

READING = [name for name in state_answers(State(the_company())) if find(name).method == "GET"]


@pytest.fixture(scope="module", params=(600, 4000), ids=("midst-of-first-round", "working-day"))
def account(request: pytest.FixtureRequest) -> SimulatedAccount:
    return account_after(request.param)


def test_the_state_answers_operations_that_exist() -> None:
    assert READING
    assert state_answers(State(the_company())).keys() <= operations().keys()


@pytest.mark.thorough
@each_case("operation_name", READING)
def test_what_an_operation_answers_fits_its_schema(
    account: SimulatedAccount, operation_name: str
) -> None:
    operation = find(operation_name)
    validator = Draft202012Validator(reply_schema(operation), format_checker=FormatChecker())
    documents = 0
    for question in questions(account, operation):
        for document in answered(account, account.request(operation_name, **question)):
            validator.validate(document)
            documents += 1
    assert documents


def answered(account: SimulatedAccount, request: RestRequest) -> Iterator[Mapping[str, Any]]:
    """Yield the answer, a list as pages of at most as many items as the schema allows."""
    try:
        answer = account.answers[request.operation.name](request)
    except ApiError:
        return
    if not isinstance(answer, Listing):
        assert isinstance(answer, dict)
        yield answer
        return
    paging = request.operation.paging
    members: dict[str, object] = dict(answer.more)
    if paging is not None:
        members |= {"next_page_token": "", "page_size": 30, "total_records": len(answer.items)}
        if paging.has_more:
            members["has_more"] = False
    assert request.operation.reply.items is not None
    for start in range(0, len(answer.items) or 1, 30):
        yield {request.operation.reply.items: list(answer.items[start : start + 30]), **members}


def questions(account: SimulatedAccount, operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield questions about everything that there is."""
    path = [parameter.name for parameter in operation.parameters if parameter.location == "path"]
    engagements = account.state.engagements
    if operation.name == "list_messaging_messages":
        yield from ({"query": {"engagement_id": engagement_id}} for engagement_id in engagements)
    elif path == ["engagement_id", "note_id"]:
        for engagement_id, engagement in engagements.items():
            yield from ({"engagement_id": engagement_id, "note_id": n} for n in engagement.notes)
    elif path == ["engagement_id", "task_id"]:
        for engagement_id, engagement in engagements.items():
            tasks = engagement.follow_up_tasks
            yield from ({"engagement_id": engagement_id, "task_id": task} for task in tasks)
    elif path == ["engagement_id"]:
        yield from ({"engagement_id": engagement_id} for engagement_id in engagements)
    elif path == ["account_id"]:
        yield {"account_id": account.company.account_id}
    elif path:
        last = -1 if path[-1] == "contact_id" else 0
        kind = KINDS[path[last]]
        for facts in account.state.directory.every(kind):
            yield {
                **{name: str(facts.get(name)) for name in path},
                path[last]: str(facts[kind.id_member]),
            }
    else:
        yield {"query": {"view_type": "detail"}} if "voice" in operation.name else {}
