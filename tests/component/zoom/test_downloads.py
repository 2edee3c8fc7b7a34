"""Downloads over real connections, from servers that say just what a test wants."""

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from prometheus_client import REGISTRY

from tests.support.fakes.zoom import VirtualClock, http, raw_server, secret, zoom_settings
from zoom.downloads.arriving import Downloaded, max_breaks
from zoom.downloads.fetching import Downloads, Promise, max_redirects, opened_downloads
from zoom.errors import (
    ForbiddenError,
    GoneError,
    NotFoundError,
    UnavailableError,
    ZoomError,
    ZoomFault,
)
from zoom.http.download_addresses import UnsafeAddressError
from zoom.http.oauth import Token

content = bytes(range(256)) * 1200
"""More than one read of a connection brings."""

fetched = Downloaded(len(content), hashlib.sha256(content).hexdigest(), "audio/mp4")
Answer = bytes | Callable[[asyncio.StreamWriter], Any]


class Tokens:
    """`zoom.downloads.ports.Tokens`: a new one at each renewal."""

    def __init__(self) -> None:
        self.api_url = ""
        self.renewals = 0

    async def token(self) -> Token:
        return Token(
            value=f"{secret}-{self.renewals}",
            api_url=self.api_url,
            requested_at_s=0,
            renew_at_s=1,
            expires_at_s=1,
        )

    async def renew(self, refused: Token, /) -> Token:
        self.renewals += 1
        return await self.token()


class Server:
    """Gives one answer after the other, the last of them ever again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def serve(self, head: str, writer: asyncio.StreamWriter) -> None:
        self.asked.append(head)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(writer)

    def tokens_seen(self) -> list[bool]:
        return [secret in head for head in self.asked]


class Memory:
    """`zoom.downloads.ports.Target` that keeps the bytes."""

    def __init__(self) -> None:
        self.content = b""
        self.restarts = 0

    async def write(self, chunk: bytes, /) -> None:
        self.content += chunk

    async def restart(self) -> None:
        self.content = b""
        self.restarts += 1


class Rig:
    """Downloads, and servers whose addresses are known before what they answer."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.tokens = Tokens()
        self.clock = VirtualClock()
        self.target = Memory()

    async def server(self, *answers: Answer) -> tuple[Server, str]:
        server = Server(*answers)
        url = await self.stack.enter_async_context(raw_server(server.serve))
        self.tokens.api_url = self.tokens.api_url or f"{url}/v2"
        return server, url

    async def downloads(self, **changes: Any) -> Downloads:
        settings = {"download_hosts": "127.0.0.1", "download_read_timeout_s": 0.5} | changes
        return await self.stack.enter_async_context(
            opened_downloads(zoom_settings(**settings), tokens=self.tokens, clock=self.clock)
        )

    async def fetch(self, *answers: Answer, promise: Promise | None = None) -> Downloaded:
        _, url = await self.server(*answers)
        downloads = await self.downloads()
        return await downloads.fetch(f"{url}/a", self.target, promise=promise or Promise())


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        yield Rig(stack)


def file(body: bytes = content, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http(200, body, {"Content-Type": "audio/mp4; x=y"} | named)


def breaking(after: int, **headers: str) -> bytes:
    return file(**headers)[: len(file(b"0" * len(content), **headers)) - len(content) + after]


def breaking_chunks(after: int) -> bytes:
    head = b'HTTP/1.1 200 OK\r\nContent-Type: audio/mp4\r\nETag: "v1"\r\n'
    return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (after, content[:after])


def rest(start: int, body: bytes = content, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    place = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
    return http(206, body[start:], {"Content-Type": "audio/mp4"} | place | named)


def redirect(url: str, status: int = 302) -> bytes:
    return http(status, b"moved", {"Location": url})


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class TestWhole:
    async def test_a_file_appears_when_it_is_whole(self, rig: Rig, tmp_path: Path) -> None:
        server, url = await rig.server(file())
        path = tmp_path / "call.mp4"
        path.write_bytes(b"what was there before")
        assert await (await rig.downloads()).fetch(f"{url}/a", path) == fetched
        assert path.read_bytes() == content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert names_in(tmp_path) == ["call.mp4"]
        assert f"Authorization: Bearer {secret}-0\r\n" in server.asked[0]
        assert "Accept-Encoding: identity\r\n" in server.asked[0]

    async def test_what_fails_leaves_the_folder_as_it_was(self, rig: Rig, tmp_path: Path) -> None:
        _, url = await rig.server(file(), http(404, b""))
        path = tmp_path / "call.mp4"
        downloads = await rig.downloads()
        with pytest.raises(UnavailableError):
            await downloads.fetch(f"{url}/a", path, promise=Promise(size_bytes=1))
        with pytest.raises(NotFoundError):
            await downloads.fetch(f"{url}/a", path)
        assert names_in(tmp_path) == []

    async def test_a_file_begun_anew_holds_nothing_of_the_first(
        self, rig: Rig, tmp_path: Path
    ) -> None:
        _, url = await rig.server(breaking(200_000), file(b"short"))
        path = tmp_path / "call.mp4"
        await (await rig.downloads()).fetch(f"{url}/a", path)
        assert path.read_bytes() == b"short"

    async def test_a_cancelled_download_leaves_nothing(self, rig: Rig, tmp_path: Path) -> None:
        begun, never = asyncio.Event(), asyncio.Event()

        async def half(writer: asyncio.StreamWriter) -> None:
            writer.write(breaking(200_000))
            await writer.drain()
            begun.set()
            await never.wait()

        _, url = await rig.server(half)
        downloads = await rig.downloads(download_read_timeout_s=30)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(downloads.fetch(f"{url}/a", tmp_path / "call.mp4"))
            await begun.wait()
            task.cancel()
        never.set()
        assert task.cancelled()
        assert names_in(tmp_path) == []

    async def test_a_disk_that_refuses_is_told_as_it_is(self, rig: Rig, tmp_path: Path) -> None:
        _, url = await rig.server(file())
        with pytest.raises(OSError, match="No such file"):
            await (await rig.downloads()).fetch(f"{url}/a", tmp_path / "no" / "call.mp4")

    async def test_a_fault_of_the_target_is_no_fault_of_the_network(self, rig: Rig) -> None:
        class Full(Memory):
            async def write(self, chunk: bytes, /) -> None:
                raise OSError("no space left")

        rig.target = Full()
        with pytest.raises(OSError, match="no space left"):
            await rig.fetch(file())

    async def test_chunks_tell_the_end_as_well_as_a_length(self, rig: Rig) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        body = b"".join(b"%x\r\n%b\r\n" % (100_000, content[i : i + 100_000]) for i in (0, 100_000))
        assert (await rig.fetch(head + body + b"0\r\n\r\n")).size_bytes == 200_000
        assert rig.target.content == content[:200_000]

    async def test_a_relative_address_is_of_the_api(self, rig: Rig) -> None:
        server, _ = await rig.server(file())
        url = "/v2/contact_center/a%2Fb?type=voice"
        assert await (await rig.downloads()).fetch(url, rig.target) == fetched
        assert server.asked[0].startswith(f"GET {url} HTTP/1.1\r\n")

    async def test_no_more_run_at_a_time_than_the_setting_says(self, rig: Rig) -> None:
        running: list[int] = []
        open_now = 0

        async def slow(writer: asyncio.StreamWriter) -> None:
            nonlocal open_now
            open_now += 1
            running.append(open_now)
            await asyncio.sleep(0.02)
            open_now -= 1
            writer.write(file())

        _, url = await rig.server(slow)
        downloads = await rig.downloads(download_concurrency=2)
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(downloads.fetch(f"{url}/a", Memory()))
        assert max(running) == 2
        assert len(running) == 6

    async def test_what_waits_for_its_place_has_no_file_open(
        self, rig: Rig, tmp_path: Path
    ) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def waits(writer: asyncio.StreamWriter) -> None:
            begun.set()
            await go_on.wait()
            writer.write(file())

        _, url = await rig.server(waits)
        downloads = await rig.downloads(download_concurrency=1, download_read_timeout_s=30)
        async with asyncio.TaskGroup() as group:
            for name in ("a", "b"):
                group.create_task(downloads.fetch(f"{url}/{name}", tmp_path / name))
            await begun.wait()
            assert len(names_in(tmp_path)) == 1
            go_on.set()
        assert sorted(names_in(tmp_path)) == ["a", "b"]


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_a_redirect_within_the_origin_keeps_the_token(
        self, rig: Rig, status: int
    ) -> None:
        server, url = await rig.server(redirect("/b?c=%2F", status), file())
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert server.asked[1].startswith("GET /b?c=%2F HTTP/1.1\r\n")
        assert server.tokens_seen() == [True, True]

    async def test_the_token_is_dropped_at_another_origin_and_stays_dropped(self, rig: Rig) -> None:
        first, url = await rig.server(b"")
        second, other = await rig.server(redirect(f"{url}/c"))
        first.answers = [redirect(f"{other}/b"), file()]
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert first.tokens_seen() == [True, False]
        assert second.tokens_seen() == [False]

    async def test_a_redirect_to_a_host_that_is_not_named_is_refused(self, rig: Rig) -> None:
        server, url = await rig.server(redirect("https://localhost/steal?jwt=SECRET"))
        with pytest.raises(UnsafeAddressError, match="localhost") as caught:
            await (await rig.downloads()).fetch(f"{url}/a", rig.target)
        assert "SECRET" not in str(caught.value)
        assert len(server.asked) == 1

    async def test_redirects_without_end_end_in_an_error(self, rig: Rig) -> None:
        server, url = await rig.server(redirect("/a"))
        with pytest.raises(UnavailableError, match=f"more than {max_redirects} redirects"):
            await (await rig.downloads()).fetch(f"{url}/a", rig.target)
        assert len(server.asked) == max_redirects + 1

    async def test_a_redirect_to_nowhere_is_refused(self, rig: Rig) -> None:
        with pytest.raises(UnsafeAddressError, match="expected the URL"):
            await rig.fetch(http(302, b""))

    async def test_a_host_that_is_named_itself_may_be_near(self, rig: Rig) -> None:
        _, url = await rig.server(file())
        downloads = await rig.downloads(download_hosts="localhost")
        near = url.replace("127.0.0.1", "localhost")
        assert await downloads.fetch(f"{near}/a", rig.target) == fetched


class TestTokens:
    async def test_a_refused_token_is_renewed_once(self, rig: Rig) -> None:
        server, url = await rig.server(http(401, b'{"code": 124}'), file())
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert f"Bearer {secret}-1\r\n" in server.asked[1]

    async def test_a_new_token_that_is_refused_is_the_operators_fault(self, rig: Rig) -> None:
        with pytest.raises(ForbiddenError) as caught:
            await rig.fetch(http(401, b'{"code": 124}'))
        assert caught.value.fault is ZoomFault.TOKEN_REFUSED
        assert rig.tokens.renewals == 1

    async def test_another_origin_that_wants_a_token_gets_none(self, rig: Rig) -> None:
        await rig.server(b"")
        other, there = await rig.server(http(401, b""))
        with pytest.raises(ForbiddenError):
            await rig.fetch(redirect(f"{there}/b"))
        assert rig.tokens.renewals == 0
        assert other.tokens_seen() == [False]


class TestResuming:
    async def test_a_broken_connection_is_taken_up_where_it_ended(self, rig: Rig) -> None:
        tag = '"v1"'
        server, url = await rig.server(
            breaking(100_000, ETag=tag), http(503, b""), rest(100_000, ETag=tag)
        )
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert rig.target.content == content
        assert rig.target.restarts == 0
        assert "Range: bytes=100000-\r\n" in server.asked[2]
        assert f"If-Range: {tag}\r\n" in server.asked[2]
        assert rig.clock.elapsed_s == 1.5

    @pytest.mark.parametrize(
        "second",
        [
            file(ETag='"v2"'),  # If-Range did not match, or ranges are not known
            file(),
        ],
    )
    async def test_the_whole_again_begins_anew(self, rig: Rig, second: bytes) -> None:
        assert await rig.fetch(breaking(100_000, ETag='"v1"'), second) == fetched
        assert rig.target.content == content
        assert rig.target.restarts == 1

    @pytest.mark.parametrize(
        "second",
        [
            rest(100_000, ETag='"v2"'),
            rest(99_999, ETag='"v1"'),
            rest(100_000, content + b"more", ETag='"v1"'),
            http(416, b"", {"Content-Range": "bytes */5"}),
        ],
    )
    async def test_a_rest_of_something_else_is_not_appended(self, rig: Rig, second: bytes) -> None:
        server, url = await rig.server(breaking(100_000, ETag='"v1"'), second, file())
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert rig.target.content == content
        assert rig.target.restarts == 1
        assert "Range" not in server.asked[2]

    async def test_without_a_validator_it_begins_anew(self, rig: Rig) -> None:
        server, url = await rig.server(breaking(100_000, ETag='W/"v1"'), file())
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert "Range" not in server.asked[1]

    async def test_a_server_that_falls_silent_is_left_and_asked_again(self, rig: Rig) -> None:
        async def falls_silent(writer: asyncio.StreamWriter) -> None:
            writer.write(breaking(100_000, Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"))
            await writer.drain()
            await asyncio.sleep(3)

        assert await rig.fetch(falls_silent, rest(100_000)) == fetched
        assert rig.target.restarts == 0

    async def test_breaks_without_progress_end_in_the_error_of_the_last(self, rig: Rig) -> None:
        server, url = await rig.server(breaking(10, ETag='"v1"'), breaking(10))
        with pytest.raises(UnavailableError) as caught:
            await (await rig.downloads()).fetch(f"{url}/a", rig.target)
        assert caught.value.fault is ZoomFault.NETWORK
        assert len(server.asked) == max_breaks + 1

    @pytest.mark.parametrize("first", [breaking(100_000, ETag='"v1"'), breaking_chunks(100_000)])
    async def test_a_rest_that_ends_too_soon_is_taken_up_again(
        self, rig: Rig, first: bytes
    ) -> None:
        tag = '"v1"'
        place = {"Content-Range": f"bytes 100000-{len(content) - 1}/{len(content)}", "ETag": tag}
        short = http(206, content[100_000:150_000], {"Content-Type": "audio/mp4"} | place)
        assert await rig.fetch(first, short, rest(150_000, ETag=tag)) == fetched
        assert (rig.target.content, rig.target.restarts) == (content, 0)

    async def test_what_did_not_begin_is_not_tried_again(self, rig: Rig) -> None:
        server, url = await rig.server(b"", file())
        with pytest.raises(UnavailableError):
            await (await rig.downloads()).fetch(f"{url}/a", rig.target)
        assert len(server.asked) == 1

    async def test_a_rate_limit_is_left_to_whoever_asked(self, rig: Rig) -> None:
        with pytest.raises(UnavailableError) as caught:
            await rig.fetch(breaking(10), http(429, b""), file())
        assert caught.value.fault is ZoomFault.RATE_LIMITED

    async def test_a_token_is_taken_anew_for_each_connection(self, rig: Rig) -> None:
        server, url = await rig.server(
            breaking(10, ETag='"v1"'), http(401, b""), rest(10, ETag='"v1"')
        )
        assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
        assert f"Bearer {secret}-1\r\n" in server.asked[2]


page = http(200, b"<html></html>", {"Content-Type": "text/html; charset=utf-8"})
no_end = b"HTTP/1.1 200 OK\r\nContent-Type: audio/mp4\r\n\r\nabc"


class TestRefusals:
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
            (file(b""), None, UnavailableError, ZoomFault.NOT_READY, "without a byte"),
            (
                file(),
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
                file(Content_Encoding="gzip"),
                None,
                UnavailableError,
                ZoomFault.UNEXPECTED,
                "packed",
            ),
            (b"SSH-2.0-OpenSSH\r\n", None, UnavailableError, ZoomFault.NETWORK, "network: "),
            (b"", None, UnavailableError, ZoomFault.NETWORK, "network: "),
        ],
    )
    async def test_each_refusal_has_its_name(
        self,
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

    async def test_a_web_page_that_was_promised_is_a_file(self, rig: Rig) -> None:
        promise = Promise(content_types=("text/html",), size_bytes=13)
        assert (await rig.fetch(page, promise=promise)).content_type == "text/html"

    async def test_a_rate_limit_tells_how_long_to_wait(self, rig: Rig) -> None:
        with pytest.raises(UnavailableError) as caught:
            await rig.fetch(http(429, b"", {"Retry-After": "7"}))
        assert (caught.value.fault, caught.value.retry_after_s) == (ZoomFault.RATE_LIMITED, 7.0)

    async def test_of_a_long_refusal_only_the_beginning_is_read(self, rig: Rig) -> None:
        async def long(writer: asyncio.StreamWriter) -> None:
            writer.write(http(500, b"x" * 100_000)[:-50_000])
            await writer.drain()
            await asyncio.sleep(3)

        with pytest.raises(UnavailableError) as caught:
            await rig.fetch(long)
        assert caught.value.fault is ZoomFault.OUTAGE

    async def test_a_file_that_is_too_large_is_not_begun(self, rig: Rig) -> None:
        _, url = await rig.server(file())
        downloads = await rig.downloads(download_largest_bytes=len(content) - 1)
        with pytest.raises(UnavailableError, match="ZCC_ZOOM_DOWNLOAD_LARGEST_BYTES"):
            await downloads.fetch(f"{url}/a", rig.target)
        assert rig.target.content == b""

    async def test_a_file_that_turns_out_too_large_is_left(self, rig: Rig) -> None:
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

    async def test_a_server_that_never_answers_is_left(self, rig: Rig) -> None:
        async def hangs(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3)

        with pytest.raises(UnavailableError) as caught:
            await rig.fetch(hangs)
        assert caught.value.fault is ZoomFault.TIMEOUT


async def test_bytes_and_outcomes_are_counted(rig: Rig) -> None:
    names: Sequence[tuple[str, dict[str, str]]] = [
        ("zcc_zoom_download_bytes_total", {}),
        ("zcc_zoom_downloads_total", {"outcome": "fetched"}),
    ]
    before = [count(name, **labels) for name, labels in names]
    await rig.fetch(breaking(10), file())
    after = [count(name, **labels) for name, labels in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [len(content) + 10, 1]
