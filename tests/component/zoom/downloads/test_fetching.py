"""Downloads over real connections: whole files, tokens, how many at a time."""

import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.fakes.zoom import http, secret
from tests.support.zoom_downloads import (
    MemoryTarget,
    Rig,
    broken_response,
    content,
    count,
    fetched,
    file_response,
    names_in,
    redirect,
)
from zoom.downloads.fetching import Promise
from zoom.errors import ForbiddenError, NotFoundError, UnavailableError, ZoomFault


async def test_a_file_appears_when_it_is_whole(rig: Rig, tmp_path: Path) -> None:
    server, url = await rig.server(file_response())
    path = tmp_path / "call.mp4"
    path.write_bytes(b"what was there before")
    assert await (await rig.downloads()).fetch(f"{url}/a", path) == fetched
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["call.mp4"]
    assert f"Authorization: Bearer {secret}-0\r\n" in server.requests[0]
    assert "Accept-Encoding: identity\r\n" in server.requests[0]


async def test_what_fails_leaves_the_folder_as_it_was(rig: Rig, tmp_path: Path) -> None:
    _, url = await rig.server(file_response(), http(404, b""))
    path = tmp_path / "call.mp4"
    downloads = await rig.downloads()
    with pytest.raises(UnavailableError):
        await downloads.fetch(f"{url}/a", path, promise=Promise(size_bytes=1))
    with pytest.raises(NotFoundError):
        await downloads.fetch(f"{url}/a", path)
    assert names_in(tmp_path) == []


async def test_a_file_begun_anew_holds_nothing_of_the_first(rig: Rig, tmp_path: Path) -> None:
    _, url = await rig.server(broken_response(200_000), file_response(b"short"))
    path = tmp_path / "call.mp4"
    await (await rig.downloads()).fetch(f"{url}/a", path)
    assert path.read_bytes() == b"short"


async def test_a_cancelled_download_leaves_nothing(rig: Rig, tmp_path: Path) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(broken_response(200_000))
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


async def test_an_error_of_the_disk_is_raised_unchanged(rig: Rig, tmp_path: Path) -> None:
    _, url = await rig.server(file_response())
    with pytest.raises(OSError, match="No such file"):
        await (await rig.downloads()).fetch(f"{url}/a", tmp_path / "no" / "call.mp4")


async def test_a_fault_of_the_target_is_no_fault_of_the_network(rig: Rig) -> None:
    class Full(MemoryTarget):
        async def write(self, chunk: bytes, /) -> None:
            raise OSError("no space left")

    rig.target = Full()
    with pytest.raises(OSError, match="no space left"):
        await rig.fetch(file_response())


async def test_chunks_mark_the_end_as_well_as_a_length(rig: Rig) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (100_000, content[i : i + 100_000]) for i in (0, 100_000))
    assert (await rig.fetch(head + body + b"0\r\n\r\n")).size_bytes == 200_000
    assert rig.target.content == content[:200_000]


async def test_a_relative_address_is_of_the_api(rig: Rig) -> None:
    server, _ = await rig.server(file_response())
    url = "/v2/contact_center/a%2Fb?type=voice"
    assert await (await rig.downloads()).fetch(url, rig.target) == fetched
    assert server.requests[0].startswith(f"GET {url} HTTP/1.1\r\n")


async def test_no_more_run_at_a_time_than_the_setting_says(rig: Rig) -> None:
    running: list[int] = []
    open_now = 0

    async def slow(writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        running.append(open_now)
        await asyncio.sleep(0.02)
        open_now -= 1
        writer.write(file_response())

    _, url = await rig.server(slow)
    downloads = await rig.downloads(download_concurrency=2)
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(downloads.fetch(f"{url}/a", MemoryTarget()))
    assert max(running) == 2
    assert len(running) == 6


async def test_what_waits_for_its_place_has_no_file_open(rig: Rig, tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waits(writer: asyncio.StreamWriter) -> None:
        begun.set()
        await go_on.wait()
        writer.write(file_response())

    _, url = await rig.server(waits)
    downloads = await rig.downloads(download_concurrency=1, download_read_timeout_s=30)
    async with asyncio.TaskGroup() as group:
        for name in ("a", "b"):
            group.create_task(downloads.fetch(f"{url}/{name}", tmp_path / name))
        await begun.wait()
        assert len(names_in(tmp_path)) == 1
        go_on.set()
    assert sorted(names_in(tmp_path)) == ["a", "b"]


async def test_a_refused_token_is_renewed_once(rig: Rig) -> None:
    server, url = await rig.server(http(401, b'{"code": 124}'), file_response())
    assert await (await rig.downloads()).fetch(f"{url}/a", rig.target) == fetched
    assert f"Bearer {secret}-1\r\n" in server.requests[1]


async def test_a_new_token_that_is_refused_is_the_operators_fault(rig: Rig) -> None:
    with pytest.raises(ForbiddenError) as caught:
        await rig.fetch(http(401, b'{"code": 124}'))
    assert caught.value.fault is ZoomFault.TOKEN_REFUSED
    assert rig.tokens.renewals == 1


async def test_another_origin_that_wants_a_token_gets_none(rig: Rig) -> None:
    await rig.server(b"")
    other, there = await rig.server(http(401, b""))
    with pytest.raises(ForbiddenError):
        await rig.fetch(redirect(f"{there}/b"))
    assert rig.tokens.renewals == 0
    assert other.tokens_seen() == [False]


async def test_bytes_and_outcomes_are_counted(rig: Rig) -> None:
    names: Sequence[tuple[str, dict[str, str]]] = [
        ("zcc_zoom_download_bytes_total", {}),
        ("zcc_zoom_downloads_total", {"outcome": "fetched"}),
    ]
    before = [count(name, **labels) for name, labels in names]
    await rig.fetch(broken_response(10), file_response())
    after = [count(name, **labels) for name, labels in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [len(content) + 10, 1]
