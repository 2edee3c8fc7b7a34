"""The HTTP client against a server that misbehaves byte by byte."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import structlog.testing

from tests.support.fakes.zoom import client_of, http, http_token, raw_server, secret, zoom_settings
from zoom.catalogue import find
from zoom.client import ZoomClient
from zoom.errors import ForbiddenError, UnavailableError, ZoomFault
from zoom.http.transport import largest_reply_bytes
from zoom.rate_limits.circuit_breaker import failures_that_open
from zoom.requests.paging import items

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

ann = b'{"user_id": "u1", "display_name": "Ann"}'
quick = {"connect_timeout_s": 0.3, "read_timeout_s": 0.3, "call_timeout_s": 0.6}


def sends(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def floods(writer: asyncio.StreamWriter) -> None:
    size = largest_reply_bytes + 1
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    for _ in range(0, size, 1 << 20):
        writer.write(b" " * (1 << 20))
        await writer.drain()


async def looked_up(answer: Answer, key: str = "u1", heads: list[str] | None = None) -> object:
    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        if heads is not None:
            heads.append(head)
        if head.startswith("POST"):
            writer.write(http_token())
        else:
            await answer(writer)

    async with raw_server(serve) as url, _client(url) as client:
        return await client.call("get_user", user_id=key)


def _client(url: str) -> AbstractAsyncContextManager[ZoomClient]:
    settings = zoom_settings(oauth_url=f"{url}/oauth/token", api_url=f"{url}/v2", **quick)
    return client_of(settings)


async def test_a_question_travels_with_its_token_and_its_id_escaped() -> None:
    heads: list[str] = []
    assert await looked_up(sends(http(200, ann)), "a/b+c=", heads) == orjson.loads(ann)
    assert heads[1].startswith("GET /v2/contact_center/users/a%252Fb%252Bc%253D HTTP/1.1\r\n")
    assert f"Authorization: Bearer {secret}\r\n" in heads[1]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (hangs, ZoomFault.TIMEOUT),
        (drips, ZoomFault.TIMEOUT),
        (floods, ZoomFault.UNEXPECTED),
        (sends(b""), ZoomFault.NETWORK),
        (sends(b"SSH-2.0-OpenSSH\r\n"), ZoomFault.NETWORK),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), ZoomFault.NETWORK),
        (sends(http(200, ann[:-5])), ZoomFault.NOT_JSON),
        (sends(http(200, b"<html></html>", {"Content-Type": "text/html"})), ZoomFault.NOT_JSON),
        (sends(http(200, b"")), ZoomFault.NOT_READY),
        (sends(http(200, b"not packed at all", {"Content-Encoding": "gzip"})), ZoomFault.NETWORK),
        (sends(http(301, b"", {"Location": "http://127.0.0.1:1/"})), ZoomFault.UNEXPECTED),
        (sends(http(503, b"")), ZoomFault.OUTAGE),
    ],
)
async def test_each_way_to_misbehave_has_its_name(answer: Answer, fault: ZoomFault) -> None:
    with structlog.testing.capture_logs() as logs, pytest.raises(UnavailableError) as caught:
        await looked_up(answer)
    assert caught.value.fault is fault
    assert secret not in f"{caught.value!r} {caught.value.__cause__!r} {logs}"


async def test_a_host_that_is_not_there_is_named_and_soon_not_called_any_more() -> None:
    async with _client("http://127.0.0.1:1") as client:
        shared = ["no token, a moment ago"] * (failures_that_open - 1)
        for reason in (
            "http://127.0.0.1:1: ",
            *shared,
            "get_user: failed repeatedly, and is paused",
        ):
            with pytest.raises(UnavailableError, match=f"network: {reason}"):
                await client.call("get_user", user_id="u1")


async def test_a_redirect_is_not_followed_and_the_token_stays_here() -> None:
    elsewhere: list[str] = []

    async def note(head: str, writer: asyncio.StreamWriter) -> None:
        elsewhere.append(head)

    async with raw_server(note) as other:
        with pytest.raises(UnavailableError, match="302"):
            await looked_up(sends(http(302, b"", {"Location": f"{other}/v2/steal"})))
    assert elsewhere == []


async def test_a_token_refused_again_and_again_shows_in_no_message_and_no_log() -> None:
    refusal = sends(http(401, b'{"code": 124, "message": "%b"}' % secret.encode()))
    with structlog.testing.capture_logs() as logs, pytest.raises(ForbiddenError) as caught:
        await looked_up(refusal)
    assert logs
    assert secret not in f"{caught.value!r} {logs}"


async def test_a_page_token_reaches_the_api_as_it_was_given() -> None:
    heads: list[str] = []
    pages = [b'{"users": [], "next_page_token": "a+b/c=&d e"}', b'{"users": []}']

    async def serve(head: str, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(http_token() if head.startswith("POST") else http(200, pages.pop(0)))

    async with raw_server(serve) as url, _client(url) as client:
        assert [user async for user in items(client, find("list_users"), {})] == []
    query = urlsplit(heads[2].split(" ")[1]).query
    assert parse_qs(query) == {"page_size": ["300"], "next_page_token": ["a+b/c=&d e"]}


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_skill", {"body": {"skill_name": "Words"}}),
        ("delete_skill", {"skill_id": "s"}),
        ("update_engagement_rtms_app_status", {"engagement_id": "e", "body": {}}),
    ],
)
async def test_a_write_whose_connection_breaks_goes_out_once(
    operation: str, arguments: dict[str, object]
) -> None:
    """On a connection that was used before, an HTTP client may send again by itself."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            heads.append(head)
            if "/v2/" in head and not head.startswith("GET"):
                writer.close()
                return
            body = b'{"access_token": "t", "user_id": "u"}'
            writer.write(http(200, body).replace(b"Connection: close\r\n", b""))
            if head.startswith("POST"):
                await reader.readexactly(_length(head))

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        url = f"http://{host}:{port}"
        settings = zoom_settings(oauth_url=f"{url}/oauth/token", api_url=f"{url}/v2", **quick)
        async with client_of(settings, allow_writes=True) as client:
            await client.call("get_user", user_id="u")
            with pytest.raises(UnavailableError):
                await client.call(operation, **arguments)
    assert [head.split(" ")[0] for head in heads[:2]] == ["POST", "GET"]
    assert len(heads) == 3


def _length(head: str) -> int:
    lines = head.lower().splitlines()
    return next(int(line.partition(":")[2]) for line in lines if line.startswith("content-length"))
