"""One token at a time, renewed before it ends, and never shown."""

import asyncio
from base64 import b64decode

import pytest

from tests.support.fakes.zoom import (
    Answer,
    ScriptedTransport,
    VirtualClock,
    reply,
    secret,
    token_reply,
    zoom_settings,
)
from zoom.catalogue import find
from zoom.errors import ForbiddenError, MissingScopeError, UnavailableError, ZoomFault
from zoom.http.oauth import TokenSource, api_base, global_api_url, young_s
from zoom.messages import ApiResponse, Request


class Source:
    def __init__(self, *tokens: Answer, **settings: object) -> None:
        self.clock = VirtualClock()
        self.transport = ScriptedTransport(tokens=list(tokens))
        self.tokens = TokenSource(
            zoom_settings(**settings), transport=self.transport, clock=self.clock
        )


async def test_many_callers_share_one_request() -> None:
    source = Source(token_reply())
    tokens = await asyncio.gather(*(source.tokens.token() for _ in range(50)))
    assert source.transport.token_requests == 1
    assert {token.value for token in tokens} == {"token-1"}


async def test_the_request_is_that_of_a_server_to_server_app() -> None:
    requests: list[Request] = []

    class Recorder:
        async def send(self, request: Request) -> ApiResponse:
            requests.append(request)
            return token_reply()

    tokens = TokenSource(zoom_settings(), transport=Recorder(), clock=VirtualClock())
    await tokens.token()
    scheme, _, login = requests[0].headers["Authorization"].partition(" ")
    assert (scheme, b64decode(login).decode()) == ("Basic", f"a-client:{secret}")
    assert dict(requests[0].form) == {
        "grant_type": "account_credentials",
        "account_id": "an-account",
    }


async def test_a_token_is_renewed_before_it_ends_and_not_before_that() -> None:
    source = Source(token_reply("first"), token_reply("second"))
    assert (await source.tokens.token()).value == "first"
    source.clock.elapsed_s = 3600 - 300 - 1
    assert (await source.tokens.token()).value == "first"
    source.clock.elapsed_s = 3600 - 300
    assert (await source.tokens.token()).value == "second"


async def test_while_one_caller_renews_early_the_others_go_on_with_the_old_token() -> None:
    slow: asyncio.Future[ApiResponse] = asyncio.get_running_loop().create_future()
    source = Source(token_reply("old"), slow)
    await source.tokens.token()
    source.clock.elapsed_s = 3400
    async with asyncio.TaskGroup() as group:
        renewing = group.create_task(source.tokens.token())
        await asyncio.sleep(0)
        assert (await source.tokens.token()).value == "old"
        slow.set_result(token_reply("new"))
    assert renewing.result().value == "new"


async def test_where_the_caller_that_asks_is_cancelled_the_next_one_asks_for_all() -> None:
    never: asyncio.Future[ApiResponse] = asyncio.get_running_loop().create_future()
    source = Source(never, token_reply("second"))
    async with asyncio.TaskGroup() as group:
        asking, *others = [group.create_task(source.tokens.token()) for _ in range(5)]
        await asyncio.sleep(0)
        others[1].cancel()
        asking.cancel()
    assert source.transport.token_requests == 2
    assert never.cancelled()
    assert {each.result().value for each in others if not each.cancelled()} == {"second"}


async def test_an_early_renewal_that_fails_leaves_the_old_token_in_use() -> None:
    source = Source(token_reply("old"), reply(503))
    await source.tokens.token()
    source.clock.elapsed_s = 3400
    assert (await source.tokens.token()).value == "old"


async def test_a_token_that_has_ended_is_not_used() -> None:
    source = Source(token_reply("old"), reply(503))
    await source.tokens.token()
    source.clock.elapsed_s = 3600
    with pytest.raises(UnavailableError):
        await source.tokens.token()


async def test_a_refused_token_is_replaced_once_for_all_who_were_refused() -> None:
    source = Source(token_reply("old"), token_reply("new"))
    old = await source.tokens.token()
    renewed = await asyncio.gather(*(source.tokens.renew(old) for _ in range(20)))
    assert {token.value for token in renewed} == {"new"}
    assert source.transport.token_requests == 2


async def test_callers_that_waited_for_a_failure_share_it_and_a_later_one_asks_again() -> None:
    source = Source(reply(401, {"error": "invalid_client"}), token_reply())
    failures = await asyncio.gather(
        *(source.tokens.token() for _ in range(20)), return_exceptions=True
    )
    assert source.transport.token_requests == 1
    for failure in failures:
        assert isinstance(failure, ForbiddenError)
        assert failure.fault is ZoomFault.CREDENTIALS
    source.clock.elapsed_s += 1
    assert (await source.tokens.token()).value == "token-1"


@pytest.mark.parametrize(
    "answer",
    [
        ApiResponse(200, {}, b""),
        ApiResponse(200, {}, b"<html>"),
        reply(200, {"token_type": "bearer"}),
        reply(200, {"access_token": ""}),
        reply(200, {"access_token": "two\r\nlines"}),
        reply(200, {"access_token": "x", "expires_in": 0}),
    ],
)
async def test_a_reply_without_a_usable_token_is_an_outage(answer: ApiResponse) -> None:
    with pytest.raises(UnavailableError, match="sent no token"):
        await Source(answer).tokens.token()


async def test_without_a_lifetime_a_token_lives_an_hour() -> None:
    source = Source(reply(200, {"access_token": "x"}))
    token = await source.tokens.token()
    assert token.expires_at_s == source.clock.monotonic_s() + 3600


async def test_the_base_url_is_that_of_the_settings_else_of_the_token_else_the_global_one() -> None:
    regional = token_reply(api_url="https://api-eu.zoom.us")
    assert (await Source(regional).tokens.token()).api_url == "https://api-eu.zoom.us/v2"
    set_ = Source(regional, api_url="http://localhost:1/v2")
    assert (await set_.tokens.token()).api_url == "http://localhost:1/v2"
    for unusable in (token_reply(), token_reply(api_url="https://evil.example"), token_reply()):
        assert (await Source(unusable).tokens.token()).api_url == global_api_url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api-us.zoom.us", "https://api-us.zoom.us/v2"),
        ("https://api-us.zoom.us/v2/", "https://api-us.zoom.us/v2"),
        ("https://api.zoom.us:443", "https://api.zoom.us/v2"),
        ("https://api.zoomgov.com", "https://api.zoomgov.com/v2"),
        ("http://api.zoom.us", None),
        ("https://api.zoom.us.evil.example", None),
        ("https://notzoom.us", None),
        ("https://api.zoom.us:8443", None),
        ("https://api.zoom.us:port", None),
        ("https://user@api.zoom.us", None),
        ("", None),
    ],
)
def test_only_zooms_own_hosts_by_tls_get_the_token(url: str, base: str | None) -> None:
    assert api_base(url) == base


async def test_a_token_does_not_show_itself() -> None:
    token = await Source(token_reply("the-token-itself")).tokens.token()
    assert "the-token-itself" not in repr(token)
    assert "the-token-itself" not in str(token)


user_scope, queue_scope = "contact_center:read:user:admin", "contact_center:read:queue:admin"
get_user = find("get_user")


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        (f"{user_scope} {queue_scope}", {user_scope, queue_scope}),
        (f"{user_scope}, {queue_scope}", {user_scope, queue_scope}),
        ("", set()),
        (None, set()),
    ],
)
async def test_a_token_knows_its_scopes(scope: str | None, scopes: set[str]) -> None:
    assert (await Source(token_reply(scope=scope)).tokens.token()).scopes == scopes


@pytest.mark.parametrize("scope", [user_scope, "contact_center_user:read:admin", ""])
async def test_any_scope_of_an_operation_suffices_and_a_token_without_any_is_not_judged(
    scope: str,
) -> None:
    source = Source(token_reply(scope=scope))
    assert (await source.tokens.token_for(get_user)).value == "token-1"


async def test_a_missing_scope_is_named_without_asking_again_while_the_token_is_young() -> None:
    source = Source(token_reply(scope=queue_scope))
    for _ in range(5):
        with pytest.raises(MissingScopeError) as caught:
            await source.tokens.token_for(get_user)
        for scope in get_user.scopes.all:
            assert scope in str(caught.value)
        source.clock.elapsed_s += (young_s - 1) / 5
    assert source.transport.token_requests == 1


async def test_a_scope_that_was_added_meanwhile_is_found_by_one_renewal_for_all() -> None:
    source = Source(
        token_reply("old", scope=queue_scope), token_reply("new", scope=f"{user_scope}")
    )
    await source.tokens.token()
    source.clock.elapsed_s += young_s
    tokens = await asyncio.gather(*(source.tokens.token_for(get_user) for _ in range(20)))
    assert {token.value for token in tokens} == {"new"}
    assert source.transport.token_requests == 2


async def test_a_scope_that_stays_missing_costs_a_renewal_each_half_minute_at_most() -> None:
    source = Source(*[token_reply(scope=queue_scope)] * 3)
    for _ in range(60):
        with pytest.raises(MissingScopeError):
            await source.tokens.token_for(get_user)
        source.clock.elapsed_s += 1
    assert source.transport.token_requests == 2
