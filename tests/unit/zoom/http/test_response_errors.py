"""What an answer of Zoom's means: by status, by code, by operation."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.fakes.zoom import reply
from zoom.catalogue import find, operations, reply_schema
from zoom.errors import NotReadyError, UnavailableError, ZoomError, ZoomFault
from zoom.http.response_errors import (
    _faults_by_code,
    _faults_by_operation,
    document_in,
    error_in,
    error_in_token_answer,
    fault_of,
    token_is_refused,
    young_s,
)
from zoom.messages import ApiResponse

now = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def html(status: int) -> ApiResponse:
    return ApiResponse(status, {}, b"<html>busy</html>")


def judged(
    response: ApiResponse, operation: str = "get_user", expected_since: datetime | None = None
) -> ZoomError | None:
    return error_in(find(operation), response, now=now, expected_since=expected_since)


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (reply(302), ZoomFault.UNEXPECTED),
        (reply(400, {"code": 300}), ZoomFault.REFUSED),
        (reply(400), ZoomFault.REFUSED),
        (reply(400, {"code": 124}), ZoomFault.TOKEN_REFUSED),
        (reply(400, {"code": 4741}), ZoomFault.TOKEN_REFUSED),
        (reply(400, {"code": 4711}), ZoomFault.MISSING_SCOPE),
        (reply(400, {"code": 104}), ZoomFault.MISSING_SCOPE),
        (reply(400, {"code": 1019}), ZoomFault.FORBIDDEN),
        (reply(400, {"code": 4101}), ZoomFault.FORBIDDEN),
        (reply(400, {"code": 4102}), ZoomFault.NOT_FOUND),
        (reply(400, {"code": 4106}), ZoomFault.OUTAGE),
        (reply(401, {"code": 124}), ZoomFault.TOKEN_REFUSED),
        (reply(401, {"code": 1002}), ZoomFault.TOKEN_REFUSED),
        (reply(401, {"code": 1601}), ZoomFault.ROLE),
        (reply(401, {"code": 4711}), ZoomFault.MISSING_SCOPE),
        (html(401), ZoomFault.TOKEN_REFUSED),
        (reply(403, {"code": 9001}), ZoomFault.ROLE),
        (reply(403, {"code": 1021}), ZoomFault.FORBIDDEN),
        (reply(403, {"code": 1022}), ZoomFault.NO_LICENCE),
        (html(403), ZoomFault.FORBIDDEN),
        (reply(404, {"code": 1001}), ZoomFault.NOT_FOUND),
        (reply(404, {"code": "1201", "message": "No existe"}), ZoomFault.NOT_FOUND),
        (reply(404, {"code": 300}), ZoomFault.REFUSED),
        (reply(404, {"code": 1052}), ZoomFault.FORBIDDEN),
        (html(404), ZoomFault.UNEXPECTED),
        (reply(404), ZoomFault.UNEXPECTED),
        (reply(405), ZoomFault.UNEXPECTED),
        (reply(408), ZoomFault.OUTAGE),
        (reply(409, {"code": 1}), ZoomFault.UNEXPECTED),
        (reply(410, {"code": 1001}), ZoomFault.GONE),
        (html(410), ZoomFault.UNEXPECTED),
        (reply(429, {"code": 4001}), ZoomFault.RATE_LIMITED),
        (reply(429, {"code": 429}), ZoomFault.RATE_LIMITED),
        (html(429), ZoomFault.RATE_LIMITED),
        (reply(444), ZoomFault.UNEXPECTED),
        (reply(500), ZoomFault.OUTAGE),
        (html(502), ZoomFault.OUTAGE),
        (reply(503, {"code": 124}), ZoomFault.OUTAGE),
    ],
)
def test_an_answer_that_is_none_is_an_error_by_fault(
    response: ApiResponse, fault: ZoomFault
) -> None:
    error = judged(response)
    assert error is not None
    assert error.fault is fault
    assert f"get_user: status {response.status}" in str(error)


@pytest.mark.parametrize(
    ("operation", "status", "code", "fault"),
    [
        ("get_engagement_survey", 444, 444, ZoomFault.NO_ANSWER),
        ("get_engagement_survey", 444, None, ZoomFault.NO_ANSWER),
        ("get_engagement_survey", 404, 404, ZoomFault.NO_ANSWER),
        ("get_engagement_survey", 404, 2901, ZoomFault.NOT_FOUND),
        ("delete_recording", 409, 2820, ZoomFault.CONFLICT),
        ("delete_asset", 404, 10002, ZoomFault.CONFLICT),
        ("delete_asset", 404, 10010, ZoomFault.CONFLICT),
        ("export_flow", 400, 3201, ZoomFault.NOT_FOUND),
        ("create_user", 400, 290010, ZoomFault.NO_LICENCE),
        ("update_queue", 400, 1019, ZoomFault.REFUSED),
        ("list_region_users", 400, 400, ZoomFault.FORBIDDEN),
        ("update_engagement_rtms_app_status", 400, 4100, ZoomFault.NOT_READY),
        ("update_engagement_rtms_app_status", 400, 4101, ZoomFault.CONFLICT),
        ("update_engagement_rtms_app_status", 400, 4102, ZoomFault.CONFLICT),
        ("update_engagement_rtms_app_status", 403, 4106, ZoomFault.CONFLICT),
    ],
)
def test_an_operation_may_have_meanings_of_its_own(
    operation: str, status: int, code: int | None, fault: ZoomFault
) -> None:
    assert fault_of(find(operation), status, code) is fault


def test_every_exception_of_an_operation_names_one_that_documents_it() -> None:
    for name, status, code in _faults_by_operation:
        assert code in find(name).errors[status]


def test_every_code_of_the_table_is_documented_somewhere_or_oauths() -> None:
    documented = {
        (status, code)
        for operation in operations().values()
        for status, codes in operation.errors.items()
        for code in codes
    }
    oauths = {code for _, code in set(_faults_by_code) - documented}
    assert oauths == {104, 4700, 4711, 4724, 4735, 4737, 4738, 4740, 4741}


def test_a_missing_scope_is_named() -> None:
    error = str(judged(reply(400, {"code": 4711, "message": "scopes:[something else]"})))
    for scope in find("get_user").scopes.all:
        assert scope in error
    assert "something else" not in error


def test_what_is_missing_is_not_ready_while_it_is_young() -> None:
    missing = reply(404, {"code": 2901})
    for age_s, fault in (
        (-5.0, ZoomFault.NOT_READY),
        (young_s - 0.1, ZoomFault.NOT_READY),
        (young_s, ZoomFault.NOT_FOUND),
    ):
        since = now - timedelta(seconds=age_s)
        error = judged(missing, "get_engagement", expected_since=since)
        assert error is not None
        assert error.fault is fault
    gone = judged(reply(410, {"code": 2901}), "get_engagement", expected_since=now)
    assert gone is not None
    assert gone.fault is ZoomFault.GONE


def test_an_outage_and_a_limit_pass_their_wish_on() -> None:
    for status in (429, 503):
        error = judged(reply(status, retry_after="4"))
        assert isinstance(error, UnavailableError)
        assert error.retry_after_s == 4.0


@pytest.mark.parametrize(
    ("response", "advice"),
    [
        (reply(429, retry_after="2026-01-01T12:00:30Z"), "status 429: retry in 30 s"),
        (reply(429), "status 429"),
        (reply(307), "status 307: a redirect, which is not followed; is ZCC_ZOOM_API_URL right?"),
        (reply(405), "status 405"),
    ],
)
def test_an_answer_that_a_person_can_act_on_says_how(response: ApiResponse, advice: str) -> None:
    assert str(judged(response)).endswith(f": get_user: {advice}")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status: int) -> None:
    assert judged(reply(status)) is None


@pytest.mark.parametrize(
    ("response", "renewable"),
    [
        (reply(401, {"code": 124}), True),
        (reply(401, {"code": 4741}), True),
        (reply(401), True),
        (reply(401, {"code": 1002}), False),
        (reply(401, {"code": 1001}), False),
        (reply(401, {"code": 1601}), False),
        (reply(401, {"code": 4711}), False),
        (reply(400, {"code": 124}), True),
        (reply(400, {"code": 4738}), True),
        (reply(400, {"code": 4711}), False),
        (reply(400, {"code": 300}), False),
        (reply(400), False),
        (reply(403, {"code": 124}), False),
        (reply(200, {"code": 124}), False),
    ],
)
def test_a_new_token_is_worth_a_try_where_the_token_was_the_trouble(
    response: ApiResponse, *, renewable: bool
) -> None:
    assert token_is_refused(response) is renewable


def test_a_document_is_handed_on_as_it_came() -> None:
    for content_type in ("application/json", "Application/JSON; charset=utf-8", "a/b+json"):
        response = reply(200, {"user_id": "u", "new": {"x": None}}, content_type=content_type)
        assert document_in(find("get_user"), response) == {"user_id": "u", "new": {"x": None}}


def test_a_list_is_a_document_only_where_the_operation_answers_with_one() -> None:
    assert document_in(find("create_queues"), reply(201, [{"cc_queue_id": "q"}]))
    with pytest.raises(UnavailableError, match="no such document"):
        document_in(find("get_user"), reply(200, [{"user_id": "u"}]))


@pytest.mark.parametrize("response", [reply(200), ApiResponse(200, {}, b" \n"), reply(204)])
def test_nothing_where_something_is_read_is_not_ready(response: ApiResponse) -> None:
    with pytest.raises(NotReadyError, match="without a body"):
        document_in(find("get_engagement"), response)


def test_nothing_is_what_a_write_may_answer_with_though_a_document_was_promised() -> None:
    assert document_in(find("create_skill"), reply(201)) is None


@pytest.mark.parametrize("operation", ["delete_skill", "assign_user_skills", "export_flow"])
def test_nothing_is_promised_where_the_catalogue_names_no_document(operation: str) -> None:
    for status in (200, 201, 204):
        assert document_in(find(operation), reply(status)) is None


def test_a_document_that_was_not_promised_is_handed_on_whatever_its_type_says() -> None:
    response = reply(200, {"flow": {}}, content_type="application/octet-stream")
    assert document_in(find("export_flow"), response) == {"flow": {}}


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (ApiResponse(200, {}, b"<html>secret name</html>"), ZoomFault.NOT_JSON),
        (ApiResponse(200, {}, b'{"user_id":"secret name"'), ZoomFault.NOT_JSON),
        (ApiResponse(200, {}, b"[" * 5000), ZoomFault.NOT_JSON),
        (reply(200, {"user_id": "u"}, content_type="text/html"), ZoomFault.NOT_JSON),
        (reply(200, {"user_id": "u"}, content_type="secret name"), ZoomFault.NOT_JSON),
        (reply(200, {"code": 200, "message": "secret name"}), ZoomFault.UNEXPECTED),
        (reply(200, {"code": "200", "message": "secret name"}), ZoomFault.UNEXPECTED),
        (reply(200, ["secret name"]), ZoomFault.UNEXPECTED),
        (reply(200, "secret name"), ZoomFault.UNEXPECTED),
        (reply(200, 5), ZoomFault.UNEXPECTED),
        (ApiResponse(200, {}, b"null"), ZoomFault.UNEXPECTED),
    ],
)
def test_what_is_no_document_is_named_without_quoting_it(
    response: ApiResponse, fault: ZoomFault
) -> None:
    with pytest.raises(UnavailableError, match="get_user") as caught:
        document_in(find("get_user"), response)
    assert caught.value.fault is fault
    assert "secret name" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_page_of_a_gateway_is_no_success_of_a_delete() -> None:
    with pytest.raises(UnavailableError, match="not_json"):
        document_in(find("delete_skill"), html(200))


def test_no_document_of_zooms_looks_like_an_error() -> None:
    for operation in operations().values():
        members = (reply_schema(operation) or {}).get("properties", {})
        assert not {"code", "message"} <= members.keys()


@pytest.mark.parametrize(
    ("response", "fault"),
    [
        (reply(200, {}), None),
        (reply(400, {"error": "invalid_client"}), ZoomFault.CREDENTIALS),
        (reply(400, {"code": 4700}), ZoomFault.CREDENTIALS),
        (reply(401, {"code": 4702}), ZoomFault.CREDENTIALS),
        (reply(400, {"code": 4717}), ZoomFault.CREDENTIALS),
        (reply(400, {"code": 4732}), ZoomFault.OUTAGE),
        (html(404), ZoomFault.CREDENTIALS),
        (reply(408), ZoomFault.OUTAGE),
        (reply(429), ZoomFault.RATE_LIMITED),
        (reply(302), ZoomFault.OUTAGE),
        (html(503), ZoomFault.OUTAGE),
        (reply(500, {"code": 4700}), ZoomFault.OUTAGE),
    ],
)
def test_the_token_endpoint_refuses_credentials_or_is_down(
    response: ApiResponse, fault: ZoomFault | None
) -> None:
    error = error_in_token_answer(response, now=now)
    assert (error.fault if error else None) is fault


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (0, "ZCC_ZOOM_ACCOUNT_ID"),
        (4702, "ZCC_ZOOM_CLIENT_SECRET"),
        (4705, "ZCC_ZOOM_OAUTH_URL"),
        (4717, "disabled"),
        (4735, "owner"),
        (4738, "administrator"),
    ],
)
def test_refused_credentials_say_what_to_look_at(code: int, advice: str) -> None:
    assert advice in str(error_in_token_answer(reply(400, {"code": code}), now=now))
