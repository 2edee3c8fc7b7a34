"""The OpenAPI document says of every answer what it means and whether Zoom sends again."""

from http import HTTPStatus
from typing import Any

import pytest

from ingest.http.responses import Refusal, Response, refusals
from ingest.webhook import responses
from ingest.webhook.openapi import webhook_paths
from ingest.webhook.responses import table

every_answer = {
    *refusals.values(),
    *(answer for answer in vars(responses).values() if isinstance(answer, Response)),
    responses.challenge_met(b""),
}


def operation(path: str) -> Any:
    return webhook_paths()[path]["post"]


def test_every_answer_there_is_stands_in_the_table_and_no_other() -> None:
    assert {row.response for row in table} == every_answer


def test_every_refusal_has_an_answer_but_that_of_a_client_that_is_gone() -> None:
    assert set(Refusal) - set(refusals) == {Refusal.DISCONNECTED}


@pytest.mark.parametrize("row", table)
def test_zoom_sends_again_what_is_answered_5xx_or_too_late_and_nothing_else(
    row: responses.ResponseRow,
) -> None:
    status = row.response.status
    is_sent_again = status >= 500 or status is HTTPStatus.REQUEST_TIMEOUT
    assert row.sent_again.startswith("yes" if is_sent_again else "no")


@pytest.mark.parametrize("row", [row for row in table if row.what.startswith("signed")])
def test_what_is_signed_is_answered_204_or_503(row: responses.ResponseRow) -> None:
    assert row.response.status in {204, 503}


@pytest.mark.parametrize("path", ["/webhooks/zoom", "/webhooks/zoom/{app}"])
def test_each_row_of_the_table_stands_at_its_status(path: str) -> None:
    responses = operation(path)["responses"]
    assert set(responses) == {str(row.response.status.value) for row in table}
    for row in table:
        response = responses[str(row.response.status.value)]
        assert f"- {row.what}; retried by Zoom: {row.sent_again}" in response["description"].split(
            "\n"
        )
        for name, _ in row.response.headers:
            shown = response["content" if name == b"content-type" else "headers"]
            assert shown


def test_the_two_operations_have_names_of_their_own_and_the_app_in_one_path() -> None:
    default, named = operation("/webhooks/zoom"), operation("/webhooks/zoom/{app}")
    assert default["operationId"] != named["operationId"]
    assert [each["name"] for each in named["parameters"] if each["in"] == "path"] == ["app"]
    assert named["parameters"][1:] == default["parameters"]


def test_required_headers_are_those_of_the_signature() -> None:
    parameters = operation("/webhooks/zoom")["parameters"]
    required = {each["name"] for each in parameters if each["required"]}
    assert required == {"x-zm-signature", "x-zm-request-timestamp"}
