"""Every fault that can be requested is seen on the wire."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from aiohttp import ClientPayloadError, ClientSession, ServerDisconnectedError

from simulator.faults import Corruption, RestFault
from tests.support.simulator_api import Api, Reply, StoppedClock, inventing_api

SKILL = "/skills/s"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with inventing_api(StoppedClock()) as running:
        yield running


async def after(api: Api, path: str = SKILL, /, **fault: object) -> Reply:
    """Ask once under a fault."""
    assert await api.set_faults(faults=[fault]) == 200
    return await api.get(path)


async def test_half_of_the_json_comes_as_if_it_were_all(api: Api) -> None:
    whole = await api.get(SKILL)
    reply = await after(api, kind="truncated")
    assert reply.status == 200
    assert reply.content == whole.content[: len(whole.content) // 2]
    assert reply.headers["content-type"] == whole.headers["content-type"]


async def test_a_page_of_html_comes_with_200_or_as_requested(api: Api) -> None:
    reply = await after(api, kind="html")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert reply.content.startswith(b"<!doctype html>")
    assert (await after(api, kind="html", status=404)).status == 404


async def test_json_comes_under_another_content_type(api: Api) -> None:
    whole = await api.get(SKILL)
    reply = await after(api, kind="content_type")
    assert reply.headers["content-type"].startswith("text/plain")
    assert reply.content == whole.content


async def test_an_error_comes_with_200(api: Api) -> None:
    reply = await after(api, kind="error_body", code=9001)
    assert (reply.status, reply.code) == (200, 9001)


async def test_nothing_comes_with_200(api: Api) -> None:
    reply = await after(api, kind="empty")
    assert (reply.status, reply.content) == (200, b"")
    assert reply.headers["X-RateLimit-Category"] == "Light"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({}, 500, 500),
        ({"status": 502}, 502, 502),
        ({"status": 444}, 444, 444),
        ({"status": 403, "code": 1022}, 403, 1022),
    ],
)
async def test_an_error_has_the_status_and_the_code_that_were_requested(
    api: Api, fault: dict[str, Any], status: int, code: int
) -> None:
    reply = await after(api, kind="error", **fault)
    assert (reply.status, reply.code) == (status, code)


async def test_a_redirect_leads_to_another_host(api: Api) -> None:
    reply = await after(api, kind="redirect")
    assert (reply.status, reply.headers["location"]) == (302, "https://elsewhere.example/")
    reply = await after(api, kind="redirect", status=307, location="http://[::1]:9/x?y=z")
    assert (reply.status, reply.headers["location"]) == (307, "http://[::1]:9/x?y=z")


async def test_a_page_token_repeats_from_the_second_page_on(api: Api) -> None:
    first = await after(api, "/skills", kind="repeated_page")
    token = str(first.body["next_page_token"])
    second = await api.get("/skills", next_page_token=token)
    assert second.body["next_page_token"] == token
    assert second.items("skills") != first.items("skills")


async def test_a_body_breaks_off_in_the_middle(api: Api) -> None:
    with pytest.raises(ClientPayloadError):
        await after(api, kind="cut")
    with pytest.raises((ClientPayloadError, ServerDisconnectedError)):
        await api.get(SKILL)


async def test_a_body_comes_slowly_and_whole(api: Api) -> None:
    whole = await api.get(SKILL)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    reply = await after(api, kind="slow_body", seconds=0.2)
    assert reply.content == whole.content
    assert loop.time() - began_s >= 0.2


async def test_an_answer_is_late(api: Api) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    assert (await after(api, kind="latency", seconds=0.1)).status == 200
    assert loop.time() - began_s >= 0.1


@pytest.mark.parametrize(
    ("operation", "path", "other"),
    [("get_skill", SKILL, "/skills"), ("download", "/recording/download/r", SKILL)],
)
async def test_an_answer_never_comes_and_others_do(
    api: Api, operation: str, path: str, other: str
) -> None:
    fault = {"kind": "hang", "operations": [operation]}
    assert await api.set_faults(faults=[fault]) == 200
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await api.get(path)
    assert (await api.get(other)).status == 200


async def test_a_limit_per_second_is_reported_as_exceeded(api: Api) -> None:
    reply = await after(api, kind="limited")
    assert reply.status == 429
    assert reply.headers["X-RateLimit-Type"] == "QPS"
    assert reply.headers["X-RateLimit-Reset"] == "1750000001"
    assert "Retry-After" not in reply.headers


async def test_a_daily_limit_is_reported_as_exceeded(api: Api) -> None:
    reply = await after(api, kind="daily_limited")
    assert (reply.status, reply.code) == (429, 429)
    assert reply.headers["X-RateLimit-Type"] == "Daily-limit"
    assert reply.headers["X-RateLimit-Remaining"] == "0"
    assert reply.headers["Retry-After"] == "2025-06-16T00:00:00Z"
    assert "X-RateLimit-Reset" not in reply.headers


async def test_a_token_ends_before_its_time_and_a_new_one_is_taken(api: Api) -> None:
    reply = await after(api, kind="token_expired", requests=1)
    assert (reply.status, reply.code) == (401, 124)
    assert (await api.get(SKILL)).status == 401
    await api.renew_token("a")
    assert (await api.get(SKILL)).status == 200


async def test_a_token_that_ended_is_a_400_where_the_vendor_says_so(api: Api) -> None:
    reply = await after(api, "/engagements/e", kind="token_expired")
    assert (reply.status, reply.code) == (400, 124)


async def test_a_fault_hits_the_operations_that_it_names_and_so_many_requests(api: Api) -> None:
    fault = {"kind": "error", "operations": ["get_skill", "get_role"], "requests": 2}
    assert await api.set_faults(faults=[fault]) == 200
    paths = ("/skills", SKILL, "/roles/r", SKILL)
    assert [(await api.get(path)).status for path in paths] == [200, 500, 500, 200]


async def test_a_fault_hits_a_share_of_the_requests(api: Api) -> None:
    assert await api.set_faults(faults=[{"kind": "empty", "rate": 0.5}]) == 200
    empty = [not (await api.get(SKILL)).content for _ in range(60)]
    assert 15 <= sum(empty) <= 45


async def test_faults_act_together_in_their_order(api: Api) -> None:
    faults = [{"kind": "error", "status": 503}, {"kind": "html", "status": 503}]
    assert await api.set_faults(faults=faults) == 200
    reply = await api.get(SKILL)
    assert (reply.status, reply.content[:5]) == (503, b"<!doc")


@pytest.mark.parametrize("first", sorted(get_args(Corruption)))
async def test_an_answer_can_be_spoilt_twice(api: Api, first: str) -> None:
    faults = [{"kind": first, "seconds": 0.0}, {"kind": "repeated_page"}, {"kind": "truncated"}]
    assert await api.set_faults(faults=faults) == 200
    assert (await api.get("/skills", next_page_token="")).status in {200, 302, 429}


async def test_a_fault_hits_tokens_only_where_it_names_them(api: Api) -> None:
    form = {"grant_type": "account_credentials", "account_id": "a"}
    for kind in ("error", "html", "limited", "daily_limited", "token_expired"):
        assert await api.set_faults(faults=[{"kind": kind}]) == 200
        assert (await api.request_token(**form)).status == 200
    for kind, status in (("error", 500), ("limited", 429), ("daily_limited", 429)):
        assert await api.set_faults(faults=[{"kind": kind, "operations": ["token"]}]) == 200
        assert (await api.request_token(**form)).status == status
        assert (await api.get(SKILL)).status == 200


async def test_scopes_that_are_withheld_go_from_tokens_old_and_new(api: Api) -> None:
    scope = "contact_center:read:skill:admin"
    assert await api.set_faults(withheld_scopes=[scope]) == 200
    form = {"grant_type": "account_credentials", "account_id": "a"}
    scopes = str((await api.request_token(**form)).body["scope"]).split()
    assert scope not in scopes
    assert "contact_center:read:list_skills:admin" in scopes
    reply = await api.get(SKILL)
    assert (reply.status, reply.code) == (403, 4711)
    assert scope in str(reply.body["message"])
    assert (await api.get("/skills")).status == 200
    assert await api.set_faults() == 200
    assert (await api.get(SKILL)).status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "unheard_of"},
        {"kind": "html", "operations": ["get_nothing"]},
        {"kind": "html", "requests": 0},
        {"kind": "html", "rate": 0},
        {"kind": "html", "status": 99},
        {"kind": "latency", "seconds": -1},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(api: Api, fault: dict[str, Any]) -> None:
    assert await api.set_faults(faults=[fault]) == 400
    assert (await api.get(SKILL)).status == 200


async def test_a_client_that_gives_up_leaves_nothing_behind(api: Api) -> None:
    """Or the server would wait for it at its end, and say so."""
    assert await api.set_faults(faults=[{"kind": "hang"}]) == 200
    async with ClientSession() as impatient:
        other = Api(impatient, api.base, api.token)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await other.get(SKILL)
    assert await api.set_faults() == 200


def test_every_kind_of_fault_is_documented_by_its_members() -> None:
    assert all(field.description for field in RestFault.model_fields.values())
