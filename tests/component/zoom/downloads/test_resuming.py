"""Downloads whose connection breaks before their end."""

import asyncio

import pytest

from tests.support.fakes.zoom import http, secret
from tests.support.zoom_downloads import (
    Rig,
    broken_chunks,
    broken_response,
    content,
    fetched,
    file_response,
    rest_response,
)
from zoom.downloads.arriving import max_breaks
from zoom.errors import UnavailableError, ZoomFault


async def test_a_broken_connection_is_taken_up_where_it_ended(rig: Rig) -> None:
    tag = '"v1"'
    server, url = await rig.server(
        broken_response(100_000, ETag=tag), http(503, b""), rest_response(100_000, ETag=tag)
    )
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert rig.target.content == content
    assert rig.target.restarts == 0
    assert "Range: bytes=100000-\r\n" in server.requests[2]
    assert f"If-Range: {tag}\r\n" in server.requests[2]
    assert rig.clock.elapsed_s == 1.5


@pytest.mark.parametrize(
    "second",
    [
        file_response(ETag='"v2"'),  # If-Range did not match, or ranges are not known
        file_response(),
    ],
)
async def test_the_whole_again_begins_anew(rig: Rig, second: bytes) -> None:
    assert await rig.fetch(broken_response(100_000, ETag='"v1"'), second) == fetched
    assert rig.target.content == content
    assert rig.target.restarts == 1


@pytest.mark.parametrize(
    "second",
    [
        rest_response(100_000, ETag='"v2"'),
        rest_response(99_999, ETag='"v1"'),
        rest_response(100_000, content + b"more", ETag='"v1"'),
        http(416, b"", {"Content-Range": "bytes */5"}),
    ],
)
async def test_a_rest_of_something_else_is_not_appended(rig: Rig, second: bytes) -> None:
    server, url = await rig.server(broken_response(100_000, ETag='"v1"'), second, file_response())
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert rig.target.content == content
    assert rig.target.restarts == 1
    assert "Range" not in server.requests[2]


async def test_without_a_validator_it_begins_anew(rig: Rig) -> None:
    server, url = await rig.server(broken_response(100_000, ETag='W/"v1"'), file_response())
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert "Range" not in server.requests[1]


async def test_a_server_that_falls_silent_is_left_and_called_again(rig: Rig) -> None:
    async def falls_silent(writer: asyncio.StreamWriter) -> None:
        writer.write(broken_response(100_000, Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"))
        await writer.drain()
        await asyncio.sleep(3)

    assert await rig.fetch(falls_silent, rest_response(100_000)) == fetched
    assert rig.target.restarts == 0


async def test_breaks_without_progress_end_in_the_error_of_the_last(rig: Rig) -> None:
    server, url = await rig.server(broken_response(10, ETag='"v1"'), broken_response(10))
    with pytest.raises(UnavailableError) as caught:
        await (await rig.downloads()).fetch(f"{url}/a", rig.target)
    assert caught.value.fault is ZoomFault.NETWORK
    assert len(server.requests) == max_breaks + 1


@pytest.mark.parametrize("first", [broken_response(100_000, ETag='"v1"'), broken_chunks(100_000)])
async def test_a_rest_that_ends_too_soon_is_taken_up_again(rig: Rig, first: bytes) -> None:
    tag = '"v1"'
    place = {"Content-Range": f"bytes 100000-{len(content) - 1}/{len(content)}", "ETag": tag}
    short = http(206, content[100_000:150_000], {"Content-Type": "audio/mp4"} | place)
    assert await rig.fetch(first, short, rest_response(150_000, ETag=tag)) == fetched
    assert (rig.target.content, rig.target.restarts) == (content, 0)


async def test_what_did_not_begin_is_not_tried_again(rig: Rig) -> None:
    server, url = await rig.server(b"", file_response())
    with pytest.raises(UnavailableError):
        await (await rig.downloads()).fetch(f"{url}/a", rig.target)
    assert len(server.requests) == 1


async def test_a_rate_limit_is_left_to_the_caller(rig: Rig) -> None:
    with pytest.raises(UnavailableError) as caught:
        await rig.fetch(broken_response(10), http(429, b""), file_response())
    assert caught.value.fault is ZoomFault.RATE_LIMITED


async def test_a_token_is_taken_anew_for_each_connection(rig: Rig) -> None:
    server, url = await rig.server(
        broken_response(10, ETag='"v1"'), http(401, b""), rest_response(10, ETag='"v1"')
    )
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert f"Bearer {secret}-1\r\n" in server.requests[2]
