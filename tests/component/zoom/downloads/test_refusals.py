"""Downloads that a server, a content type or a limit refuses."""

import asyncio

import pytest
import structlog.testing

from tests.support.fakes.zoom import http, secret
from tests.support.zoom_downloads import Rig, content, count, file_response
from zoom.downloads.fetching import Promise
from zoom.errors import (
    ForbiddenError,
    GoneError,
    NotFoundError,
    UnavailableError,
    ZoomError,
    ZoomFault,
)

page = http(200, b"<html></html>", {"Content-Type": "text/html; charset=utf-8"})
no_end = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mp4\r\n\r\nabc"


@pytest.mark.parametrize(
    ("answer", "promise", "kind", "fault", "says"),
    [
        (http(404, b"<html>", {}), None, NotFoundError, ZoomFault.NOT_FOUND, "status 404 for"),
        (
            http(404, b'{"code": 3301}'),
            None,
            NotFoundError,
            ZoomFault.NOT_FOUND,
            "status 404, code 3301 for",
        ),
        (
            http(404, b"no gzip", {"Content-Encoding": "gzip"}),
            None,
            NotFoundError,
            ZoomFault.NOT_FOUND,
            "404",
        ),
        (http(410, b""), None, GoneError, ZoomFault.GONE, "410"),
        (http(403, b'{"code": 1022}'), None, ForbiddenError, ZoomFault.FORBIDDEN, "1022"),
        (http(400, b""), None, ZoomError, ZoomFault.REFUSED, "400"),
        (http(418, b""), None, UnavailableError, ZoomFault.UNEXPECTED, "418"),
        (http(304, b""), None, UnavailableError, ZoomFault.UNEXPECTED, "304"),
        (http(408, b""), None, UnavailableError, ZoomFault.OUTAGE, "408"),
        (http(500, b"x" * 99_999), None, UnavailableError, ZoomFault.OUTAGE, "500"),
        (http(204, b""), None, UnavailableError, ZoomFault.UNEXPECTED, "204"),
        (http(206, b"abc"), None, UnavailableError, ZoomFault.UNEXPECTED, "206"),
        (page, None, UnavailableError, ZoomFault.UNEXPECTED, "a web page came"),
        (
            page,
            Promise(content_types=("audio/", "video/")),
            UnavailableError,
            ZoomFault.UNEXPECTED,
            "expected audio/ or video/, another content type came",
        ),
        (file_response(b""), None, UnavailableError, ZoomFault.NOT_READY, "without a byte"),
        (
            file_response(),
            Promise(size_bytes=7),
            UnavailableError,
            ZoomFault.UNEXPECTED,
            f"expected 7 bytes, {len(content)} came",
        ),
        (
            http(200, b"3\r\nabc\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}).replace(
                b"Content-Length: 13\r\n", b""
            ),
            Promise(size_bytes=7),
            UnavailableError,
            ZoomFault.UNEXPECTED,
            "expected 7 bytes, 3 came",
        ),
        (no_end, None, UnavailableError, ZoomFault.UNEXPECTED, "where the file ends"),
        (
            file_response(Content_Encoding="gzip"),
            None,
            UnavailableError,
            ZoomFault.UNEXPECTED,
            "compressed",
        ),
        (b"SSH-2.0-OpenSSH\r\n", None, UnavailableError, ZoomFault.NETWORK, "network: "),
        (b"", None, UnavailableError, ZoomFault.NETWORK, "network: "),
    ],
)
async def test_each_refusal_has_its_name(
    rig: Rig,
    answer: bytes,
    promise: Promise | None,
    kind: type[ZoomError],
    fault: ZoomFault,
    says: str,
) -> None:
    before = count("zcc_zoom_downloads_total", outcome=fault.value)
    with structlog.testing.capture_logs() as logs, pytest.raises(kind, match=says) as caught:
        await rig.fetch(answer, promise=promise)
    assert caught.value.fault is fault
    assert secret not in f"{caught.value!r} {caught.value.__cause__!r} {logs}"
    assert count("zcc_zoom_downloads_total", outcome=fault.value) == before + 1


async def test_a_web_page_that_was_promised_is_a_file(rig: Rig) -> None:
    promise = Promise(content_types=("text/html",), size_bytes=13)
    assert (await rig.fetch(page, promise=promise)).content_type == "text/html"


async def test_a_rate_limit_says_how_long_to_wait(rig: Rig) -> None:
    with pytest.raises(UnavailableError) as caught:
        await rig.fetch(http(429, b"", {"Retry-After": "7"}))
    assert (caught.value.fault, caught.value.retry_after_s) == (ZoomFault.RATE_LIMITED, 7.0)


async def test_of_a_long_refusal_only_the_beginning_is_read(rig: Rig) -> None:
    async def long(writer: asyncio.StreamWriter) -> None:
        writer.write(http(500, b"x" * 100_000)[:-50_000])
        await writer.drain()
        await asyncio.sleep(3)

    with pytest.raises(UnavailableError) as caught:
        await rig.fetch(long)
    assert caught.value.fault is ZoomFault.OUTAGE


async def test_a_file_that_is_too_large_is_not_begun(rig: Rig) -> None:
    _, url = await rig.server(file_response())
    downloads = await rig.downloads(download_largest_bytes=len(content) - 1)
    with pytest.raises(UnavailableError, match="ZCC_ZOOM_DOWNLOAD_LARGEST_BYTES"):
        await downloads.fetch(f"{url}/a", rig.target)
    assert rig.target.content == b""


async def test_a_file_that_turns_out_too_large_is_left(rig: Rig) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
            await writer.drain()

    _, url = await rig.server(endless)
    downloads = await rig.downloads(download_largest_bytes=1_000_000)
    with pytest.raises(UnavailableError, match="larger than 1000000 bytes"):
        await downloads.fetch(f"{url}/a", rig.target)
    assert len(rig.target.content) <= 1_000_000


async def test_a_server_that_never_answers_is_left(rig: Rig) -> None:
    async def hangs(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3)

    with pytest.raises(UnavailableError) as caught:
        await rig.fetch(hangs)
    assert caught.value.fault is ZoomFault.TIMEOUT
