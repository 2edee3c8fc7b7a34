"""One call after the other: arguments, token, turn, breaker, answer."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
import structlog.testing
from prometheus_client import REGISTRY

from tests.support.fakes.zoom import Answer, reply, token_reply
from tests.support.scripted_api import ScriptedApi, ann, expired
from zoom.catalogue import UnknownOperationError, find
from zoom.errors import (
    ArgumentError,
    ForbiddenError,
    GoneError,
    NotFoundError,
    NotReadyError,
    WritesNotAllowedError,
    ZoomError,
    ZoomFault,
    error_of,
)
from zoom.limits import Priority
from zoom.messages import ApiResponse, Caller
from zoom.rate_limits.circuit_breaker import failures_that_open, operators_pause_s, pause_s

skill = {"skill_name": "Words", "skill_category_id": "c"}


async def test_a_call_brings_the_document_as_it_came() -> None:
    api = ScriptedApi(ann)
    assert await api.user() == {"user_id": "u1", "display_name": "Ann", "unknown": [1]}
    (request,) = api.transport.requests
    assert (request.method, request.url) == (
        "GET",
        "https://api.zoom.us/v2/contact_center/users/u1",
    )
    assert request.headers == {"Authorization": "Bearer token-1"}
    assert (request.json, request.parts) == (b"", ())


async def test_an_operation_may_be_handed_in_itself() -> None:
    assert await ScriptedApi(ann).client.call(find("get_user"), user_id="u1")


async def test_a_client_is_a_caller_and_has_the_typed_methods() -> None:
    api = ScriptedApi(ann)
    caller: Caller = api.client
    assert await caller.call("get_user", user_id="u1")


async def test_an_unknown_operation_is_answered_with_the_nearest_names_and_never_counted() -> None:
    with pytest.raises(UnknownOperationError, match="get_user"):
        await ScriptedApi().client.call("get_usr")
    assert REGISTRY.get_sample_value("zcc_zoom_requests_total", {"operation": "get_usr"}) is None


async def test_a_wrong_argument_is_found_before_anything_is_sent() -> None:
    api = ScriptedApi()
    with pytest.raises(ArgumentError, match="user_id"):
        await api.client.call("get_user", user="u1")
    with pytest.raises(ArgumentError, match="body"):
        await api.client.call("get_user", user_id="u1", body={})
    assert (api.transport.requests, api.transport.token_requests) == ([], 0)


@pytest.mark.parametrize("operation", ["delete_user", "create_skill", "update_queue"])
async def test_what_changes_something_needs_a_client_that_may(operation: str) -> None:
    api = ScriptedApi()
    with pytest.raises(WritesNotAllowedError, match="allow_writes=True"):
        await api.client.call(operation)
    for view in (api.client.at(Priority.BACKFILL), api.client.expecting(api.clock.now())):
        with pytest.raises(WritesNotAllowedError):
            await view.call(operation)
    assert api.transport.requests == []


async def test_a_client_that_may_sends_the_body_as_json() -> None:
    api = ScriptedApi(reply(201, {"skill_id": "s"}), allow_writes=True)
    assert await api.client.call("create_skill", body=skill) == {"skill_id": "s"}
    (request,) = api.transport.requests
    assert (request.method, request.json) == (
        "POST",
        b'{"skill_name":"Words","skill_category_id":"c"}',
    )


async def test_what_is_done_without_a_word_is_none() -> None:
    api = ScriptedApi(reply(204), reply(200), allow_writes=True)
    for _ in range(2):
        assert await api.client.call("delete_skill", skill_id="s") is None


@pytest.mark.parametrize(
    "answer",
    [
        error_of(ZoomFault.TIMEOUT, "ServerTimeoutError"),
        error_of(ZoomFault.NETWORK, "ClientOSError"),
        reply(500),
        reply(503),
        reply(429, {"code": 4001}),
        reply(200),
        ApiResponse(201, {}, b'{"half'),
        ApiResponse(201, {}, b"<html>"),
    ],
)
async def test_a_write_goes_out_once_whatever_comes_back(answer: Answer) -> None:
    api = ScriptedApi(answer, allow_writes=True)
    with suppress(ZoomError):
        await api.client.call("create_skill", body=skill)
    assert len(api.transport.requests) == 1


async def test_a_write_is_sent_again_where_its_token_was_refused_before_anything_was_done() -> None:
    api = ScriptedApi(expired, reply(201, {"skill_id": "s"}), allow_writes=True)
    assert await api.client.call("create_skill", body=skill) == {"skill_id": "s"}
    first, second = api.transport.requests
    assert (first.url, first.json) == (second.url, second.json)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(reply(404, {"code": 1001}), NotFoundError), (reply(410, {"code": 1001}), GoneError)],
)
async def test_an_absent_object_is_an_error_of_its_own_kind(
    answer: ApiResponse, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await ScriptedApi(answer).user()


async def test_what_is_missing_within_a_minute_of_its_time_is_not_ready() -> None:
    missing = reply(404, {"code": 2901})
    api = ScriptedApi(missing, missing, missing)
    young = api.client.expecting(api.clock.now())
    api.clock.elapsed_s += 59
    with pytest.raises(NotReadyError):
        await young.call("get_engagement", engagement_id="e")
    with pytest.raises(NotFoundError):
        await api.client.call("get_engagement", engagement_id="e")
    api.clock.elapsed_s += 1
    with pytest.raises(NotFoundError):
        await young.call("get_engagement", engagement_id="e")


async def test_views_of_a_client_keep_what_the_other_set_and_share_its_tokens() -> None:
    api = ScriptedApi(reply(404, {"code": 2901}), ann)
    since = api.clock.now() - timedelta(seconds=10)
    view = api.client.expecting(since).at(Priority.BACKFILL)
    with pytest.raises(NotReadyError):
        await view.call("get_engagement", engagement_id="e")
    await api.user()
    assert api.transport.token_requests == 1
    assert view.tokens is api.client.tokens
    assert view.scheduler is api.client.scheduler


async def test_a_call_waits_for_its_turn_at_the_priority_of_its_client() -> None:
    def used(priority: str) -> float:
        labels = {"label": "LIGHT", "priority": priority, "account": ""}
        return REGISTRY.get_sample_value("zcc_zoom_budget_used_total", labels) or 0.0

    for priority in Priority:
        before = used(priority.name.lower())
        api = ScriptedApi(ann)
        await api.client.at(priority).call("get_user", user_id="u1")
        assert used(priority.name.lower()) == before + 1


@pytest.mark.parametrize("refusal", [expired, reply(400, {"code": 124}), reply(401)])
async def test_a_refused_token_is_renewed_once_and_the_call_repeated(refusal: ApiResponse) -> None:
    api = ScriptedApi(refusal, ann)
    assert await api.user()
    assert api.transport.requests[1].headers == {"Authorization": "Bearer token-2"}


async def test_a_second_refusal_is_an_error_and_no_third_token_is_requested() -> None:
    api = ScriptedApi(expired, expired)
    assert await api.fault_of() is ZoomFault.TOKEN_REFUSED
    assert api.transport.token_requests == 2


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (reply(401, {"code": 1002}), ZoomFault.TOKEN_REFUSED),
        (reply(401, {"code": 1601}), ZoomFault.ROLE),
        (reply(400, {"code": 4711}), ZoomFault.MISSING_SCOPE),
    ],
)
async def test_what_another_token_does_not_mend_asks_for_none(
    answer: ApiResponse, fault: ZoomFault
) -> None:
    api = ScriptedApi(answer)
    assert await api.fault_of() is fault
    assert api.transport.token_requests == 1


async def test_credentials_that_are_refused_stop_all_operations() -> None:
    api = ScriptedApi(tokens=[reply(401, {"error": "invalid_client"})])
    assert await api.fault_of() is ZoomFault.CREDENTIALS
    assert await api.fault_of("get_queue", queue_id="q") is ZoomFault.CREDENTIALS
    assert api.transport.token_requests == 1


async def test_a_scope_that_the_token_lacks_is_named_and_nothing_is_sent() -> None:
    tokens: list[Answer] = [token_reply(scope="contact_center:read:queue:admin")]
    api = ScriptedApi(reply(200, {"cc_queue_id": "q"}), tokens=tokens)
    for _ in range(2):
        with pytest.raises(ForbiddenError, match="contact_center:read:user:admin"):
            await api.user()
    assert api.transport.requests == []
    assert await api.client.call("get_queue", queue_id="q")
    assert api.transport.token_requests == 1


async def test_a_new_scope_is_found_in_a_new_token() -> None:
    tokens: list[Answer] = [
        token_reply("old", scope="contact_center:read:queue:admin"),
        token_reply("new", scope="contact_center_user:read:admin"),
    ]
    api = ScriptedApi(ann, tokens=tokens)
    assert await api.fault_of() is ZoomFault.MISSING_SCOPE
    api.clock.elapsed_s += operators_pause_s
    assert await api.user()
    assert api.transport.requests[0].headers == {"Authorization": "Bearer new"}


async def test_a_forbidden_operation_rests_and_leaves_the_others_alone() -> None:
    api = ScriptedApi(reply(403, {"code": 9001}), reply(404, {"code": 1201}), ann)
    assert await api.fault_of() is ZoomFault.ROLE
    assert await api.fault_of() is ZoomFault.ROLE
    assert await api.fault_of("get_queue", queue_id="q") is ZoomFault.NOT_FOUND
    api.clock.elapsed_s += operators_pause_s
    assert await api.user()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (reply(500), ZoomFault.OUTAGE),
        (ApiResponse(200, {}, b"<html>"), ZoomFault.NOT_JSON),
        (ApiResponse(200, {}, b'{"user_id": "u'), ZoomFault.NOT_JSON),
        (reply(200, {"user_id": "u"}, content_type="text/html"), ZoomFault.NOT_JSON),
        (reply(200, ["u"]), ZoomFault.UNEXPECTED),
        (reply(200, {"code": 1, "message": "no"}), ZoomFault.UNEXPECTED),
        (reply(302, location="https://elsewhere.example"), ZoomFault.UNEXPECTED),
        (error_of(ZoomFault.NETWORK, "ClientOSError"), ZoomFault.NETWORK),
        (error_of(ZoomFault.TIMEOUT, "ServerTimeoutError"), ZoomFault.TIMEOUT),
    ],
)
async def test_failures_in_a_row_end_the_questions_until_a_probe_is_answered(
    answer: Answer, fault: ZoomFault
) -> None:
    api = ScriptedApi(*[answer] * failures_that_open, ann, ann)
    with structlog.testing.capture_logs() as logs:
        for _ in range(failures_that_open + 5):
            assert await api.fault_of() is fault
        assert len(api.transport.requests) == failures_that_open
        api.clock.elapsed_s += pause_s
        assert await api.user()
        assert await api.user()
    assert [log["event"] for log in logs] == [
        "zoom_operation_rests",
        "zoom_operation_works_again",
    ]


async def test_an_operation_that_fails_alone_does_not_stop_the_others() -> None:
    api = ScriptedApi(*[reply(503)] * failures_that_open, reply(200, {"cc_queue_id": "q"}))
    for _ in range(failures_that_open + 1):
        assert await api.fault_of() is ZoomFault.OUTAGE
    assert await api.client.call("get_queue", queue_id="q")


async def test_a_call_with_an_empty_answer_is_repeated_and_stops_nothing() -> None:
    api = ScriptedApi(*[reply(200)] * (failures_that_open + 1), ann)
    for _ in range(failures_that_open + 1):
        assert await api.fault_of() is ZoomFault.NOT_READY
    assert await api.user()


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [({"retry_after": "2"}, 2.0), ({"x_ratelimit_reset": "1767225605"}, 3.0), ({}, 1.0)],
)
async def test_after_a_429_calls_of_that_label_wait_as_long_as_it_asks(
    headers: dict[str, str], wait_s: float
) -> None:
    api = ScriptedApi(reply(429, {"code": 4001}, **headers), ann)
    start_s = api.clock.elapsed_s
    assert await api.fault_of() is ZoomFault.RATE_LIMITED
    assert await api.user()
    assert api.clock.elapsed_s - start_s == pytest.approx(wait_s, abs=0.05)


async def test_a_daily_limit_fails_further_calls_at_once() -> None:
    api = ScriptedApi(reply(429, retry_after="2026-01-02T00:00:00Z"))
    assert await api.fault_of() is ZoomFault.RATE_LIMITED
    assert await api.fault_of() is ZoomFault.OVER_BUDGET
    assert len(api.transport.requests) == 1


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    never: asyncio.Future[ApiResponse] = asyncio.get_running_loop().create_future()
    api = ScriptedApi(never, connect_timeout_s=0.01, read_timeout_s=0.01, call_timeout_s=0.02)
    assert await api.fault_of() is ZoomFault.TIMEOUT


async def test_a_token_that_does_not_come_is_given_up_within_the_same_limit() -> None:
    never: asyncio.Future[ApiResponse] = asyncio.get_running_loop().create_future()
    limits = {"connect_timeout_s": 0.01, "read_timeout_s": 0.01, "call_timeout_s": 0.02}
    api = ScriptedApi(tokens=[never], **limits)
    assert await api.fault_of() is ZoomFault.TIMEOUT


async def test_a_call_that_is_cancelled_leaves_nothing_behind() -> None:
    never: asyncio.Future[ApiResponse] = asyncio.get_running_loop().create_future()
    api = ScriptedApi(never, ann)
    before = asyncio.all_tasks()
    asking = asyncio.ensure_future(api.user())
    while not api.transport.requests:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asyncio.all_tasks() == before
    assert never.cancelled()
    assert await api.user()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(ann, "found"), (reply(404, {"code": 1001}), "not_found"), (reply(403), "forbidden")],
)
async def test_calls_are_counted_by_operation_and_outcome(
    answer: ApiResponse, outcome: str
) -> None:
    def counted() -> float:
        labels = {"operation": "get_user", "outcome": outcome}
        return REGISTRY.get_sample_value("zcc_zoom_requests_total", labels) or 0.0

    before = counted()
    with suppress(ZoomError):
        await ScriptedApi(answer).user()
    assert counted() == before + 1


@pytest.mark.parametrize(
    "script",
    [
        lambda: [reply(401), reply(401)],
        lambda: [reply(403, {"code": 1, "message": "token-1"})],
        lambda: [ApiResponse(200, {}, b"token-1 <html>")],
        lambda: [ApiResponse(200, {"content-type": "token-1"}, b"{}")],
        lambda: [reply(200, {"code": 7, "message": "token-1"})],
        lambda: [reply(302, location="https://elsewhere.example/token-1")],
        lambda: [reply(409, {"message": "token-1"})],
        lambda: [reply(500, {"message": "token-1"})],
        lambda: [reply(429, {"message": "token-1"})],
    ],
)
async def test_no_error_and_no_log_shows_the_token(script: Callable[[], list[Answer]]) -> None:
    api = ScriptedApi(*script(), tokens=[token_reply("token-1"), token_reply("token-1")])
    with structlog.testing.capture_logs() as logs, pytest.raises(ZoomError) as caught:
        await api.user()
    error = caught.value
    assert "token-1" not in f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {logs}"


async def test_no_request_shows_its_token_or_its_body() -> None:
    api = ScriptedApi(reply(201, {"skill_id": "s"}), allow_writes=True)
    await api.client.call("create_skill", body=skill)
    assert "token-1" not in repr(api.transport.requests)
    assert "Words" not in repr(api.transport.requests)
