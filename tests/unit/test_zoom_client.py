"""One call after the other: token, budget, breaker, paging."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from prometheus_client import REGISTRY

from tests.zoom_stand_in import (
    Answer,
    ScriptedTransport,
    VirtualClock,
    reply,
    token_reply,
    zoom_settings,
)
from zoom.breaker import failures_that_open, operators_pause_s, pause_s
from zoom.client import ZoomClient
from zoom.entities import Queue, User
from zoom.errors import Fault, ForbiddenError, RefusedError, UnavailableError, error_of
from zoom.exchange import Response

ann = reply(200, {"user_id": "u1", "display_name": "Ann"})
expired = reply(401, {"code": 124})


class Api:
    def __init__(
        self, *script: Answer, tokens: list[Answer] | None = None, **settings: object
    ) -> None:
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(*script, tokens=tokens)
        self.client = ZoomClient(
            zoom_settings(**settings), transport=self.transport, clock=self.clock
        )

    async def fault_of(self, key: str = "u1") -> Fault:
        with pytest.raises((UnavailableError, ForbiddenError)) as caught:
            await self.client.users.get(key)
        fault: Fault = caught.value.fault
        return fault


async def test_a_user_and_a_queue_are_found_by_id() -> None:
    api = Api(ann, reply(200, {"cc_queue_id": "q", "queue_name": "Help"}))
    assert await api.client.users.get("u1") == User("u1", "Ann")
    assert await api.client.queues.get("a/b") == Queue("q", "", "Help")
    assert [request.url for request in api.transport.asked] == [
        "https://api.zoom.us/v2/contact_center/users/u1",
        "https://api.zoom.us/v2/contact_center/queues/a%252Fb",
    ]
    assert api.transport.asked[0].headers == {"Authorization": "Bearer token-1"}


@pytest.mark.parametrize(
    "answer", [reply(404, {"code": 1001}), reply(410, {"code": 1001}), reply(400, {"code": 300})]
)
async def test_an_id_that_zoom_does_not_know_or_accept_names_nobody(answer: Response) -> None:
    assert await Api(answer).client.users.get("u1") is None


async def test_what_is_no_id_is_not_asked() -> None:
    api = Api()
    for text in ("..", "me", "a@example.com", ""):
        assert await api.client.users.get(text) is None
    assert api.transport.asked == []


@pytest.mark.parametrize("refusal", [expired, reply(400, {"code": 124}), reply(401)])
async def test_a_refused_token_is_renewed_once_and_the_call_repeated(refusal: Response) -> None:
    api = Api(refusal, ann)
    assert await api.client.users.get("u1") == User("u1", "Ann")
    assert api.transport.asked[1].headers == {"Authorization": "Bearer token-2"}


async def test_a_second_refusal_is_an_error_and_no_third_token_is_asked_for() -> None:
    api = Api(expired, expired)
    assert await api.fault_of() is Fault.TOKEN_REFUSED
    assert api.transport.tokens_asked == 2


async def test_an_unknown_user_of_the_token_is_not_mended_by_another_token() -> None:
    api = Api(reply(401, {"code": 1002}))
    assert await api.fault_of() is Fault.TOKEN_REFUSED
    assert api.transport.tokens_asked == 1


async def test_credentials_that_are_refused_are_an_operators_matter() -> None:
    api = Api(tokens=[reply(401, {"error": "invalid_client"})])
    assert await api.fault_of() is Fault.CREDENTIALS
    assert await api.fault_of() is Fault.CREDENTIALS
    assert api.transport.tokens_asked == 1


async def test_a_forbidden_operation_rests_and_leaves_the_other_alone() -> None:
    api = Api(reply(403, {"code": 9001}), reply(404, {"code": 1201}), ann)
    assert await api.fault_of() is Fault.FORBIDDEN
    assert await api.fault_of() is Fault.FORBIDDEN
    assert await api.client.queues.get("q") is None
    api.clock.elapsed_s += operators_pause_s
    assert await api.client.users.get("u1") == User("u1", "Ann")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (reply(500), Fault.OUTAGE),
        (reply(200), Fault.EMPTY),
        (Response(200, {}, b"<html>"), Fault.NOT_JSON),
        (Response(200, {}, b'{"user_id": "u'), Fault.NOT_JSON),
        (reply(200, {"code": 1, "message": "no"}), Fault.UNEXPECTED),
        (reply(302, location="https://elsewhere.example"), Fault.UNEXPECTED),
        (error_of(Fault.NETWORK, "ClientOSError"), Fault.NETWORK),
        (error_of(Fault.TIMEOUT, "ServerTimeoutError"), Fault.TIMEOUT),
    ],
)
async def test_failures_in_a_row_end_the_questions_until_a_probe_is_answered(
    answer: Answer, fault: Fault
) -> None:
    api = Api(*[answer] * failures_that_open, ann, ann)
    for _ in range(failures_that_open + 5):
        assert await api.fault_of() is fault
    assert len(api.transport.asked) == failures_that_open
    api.clock.elapsed_s += pause_s
    assert await api.client.users.get("u1") == User("u1", "Ann")
    assert await api.client.users.get("u1") == User("u1", "Ann")


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [({"retry_after": "2"}, 2.0), ({"x_ratelimit_reset": "1767225603"}, 3.0), ({}, 1.0)],
)
async def test_after_a_429_calls_of_that_label_wait_as_long_as_it_asks(
    headers: dict[str, str], wait_s: float
) -> None:
    api = Api(reply(429, {"code": 4001}, **headers), ann)
    assert await api.fault_of() is Fault.RATE_LIMITED
    assert await api.client.users.get("u1") == User("u1", "Ann")
    assert api.clock.elapsed_s == pytest.approx(wait_s)


async def test_a_daily_limit_fails_further_calls_at_once() -> None:
    api = Api(reply(429, retry_after="2026-01-02T00:00:00Z"))
    assert await api.fault_of() is Fault.RATE_LIMITED
    with pytest.raises(UnavailableError) as caught:
        await api.client.users.get("u1")
    assert caught.value.fault is Fault.OVER_BUDGET
    assert caught.value.retry_after_s == pytest.approx(86_400)
    assert len(api.transport.asked) == 1


async def test_a_call_waits_for_its_turn_but_not_longer_than_it_may() -> None:
    api = Api(*[ann] * 200, plan="pro", share=0.1, budget_wait_s=1.5)
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_outcome(api)) for _ in range(8)]
    outcomes = [task.result() for task in asked]
    assert outcomes == ["found"] * 4 + ["over_budget"] * 4
    assert len(api.transport.asked) == 4


async def _outcome(api: Api) -> str:
    try:
        await api.client.users.get("u1")
    except UnavailableError as error:
        return error.fault.value
    return "found"


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    never: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    api = Api(never, connect_timeout_s=0.01, read_timeout_s=0.01, call_timeout_s=0.02)
    assert await api.fault_of() is Fault.TIMEOUT


async def test_a_token_that_does_not_come_is_given_up_within_the_same_limit() -> None:
    never: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
    limits = {"connect_timeout_s": 0.01, "read_timeout_s": 0.01, "call_timeout_s": 0.02}
    api = Api(tokens=[never], **limits)
    assert await api.fault_of() is Fault.TIMEOUT


def page(*names: str, token: str = "") -> Response:
    users = [{"user_id": name, "display_name": name.upper()} for name in names]
    return reply(200, {"users": users, "next_page_token": token})


async def test_all_pages_are_read_even_short_and_empty_ones() -> None:
    api = Api(page("a", token="t/1+"), page(token="t2"), page("b"))
    assert [user.user_id async for user in api.client.users.all()] == ["a", "b"]
    assert [request.url.partition("?")[2] for request in api.transport.asked] == [
        "page_size=300",
        "page_size=300&next_page_token=t%2F1%2B",
        "page_size=300&next_page_token=t2",
    ]


async def test_a_page_that_comes_twice_ends_the_walk_with_an_error() -> None:
    api = Api(page("a", token="t1"), page("b", token="t2"), page("a", token="t1"))
    with pytest.raises(UnavailableError, match="twice"):
        _ = [user async for user in api.client.users.all()]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(404, {"code": 1}), UnavailableError),
        (reply(400, {"code": 300}), RefusedError),
        (reply(403), ForbiddenError),
        (reply(200, {"page_size": 300}), UnavailableError),
    ],
)
async def test_a_list_that_is_not_there_is_an_error_never_an_empty_account(
    answer: Response, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        _ = [queue async for queue in Api(answer).client.queues.all()]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(ann, "found"), (reply(404, {"code": 1001}), "absent"), (reply(403), "forbidden")],
)
async def test_calls_are_counted_by_operation_and_outcome(answer: Response, outcome: str) -> None:
    def counted() -> float:
        labels = {"operation": "get_user", "outcome": outcome}
        return REGISTRY.get_sample_value("zcc_zoom_requests_total", labels) or 0.0

    before = counted()
    with suppress(ForbiddenError):
        await Api(answer).client.users.get("u1")
    assert counted() == before + 1


@pytest.mark.parametrize(
    "script",
    [
        lambda: [reply(401), reply(401)],
        lambda: [reply(403, {"code": 1, "message": "token-1"})],
        lambda: [Response(200, {}, b"token-1 <html>")],
        lambda: [reply(500, {"message": "token-1"})],
        lambda: [reply(429, {"message": "token-1"})],
    ],
)
async def test_no_error_shows_the_token(script: Callable[[], list[Answer]]) -> None:
    api = Api(*script(), tokens=[token_reply("token-1"), token_reply("token-1")])
    with pytest.raises((UnavailableError, ForbiddenError)) as caught:
        await api.client.users.get("u1")
    assert "token-1" not in f"{caught.value!r} {caught.value}"
