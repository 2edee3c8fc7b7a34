"""The files that answers link to."""

import hashlib
import re
from collections.abc import AsyncIterator

import pytest

from simulator.rest.downloads import file_paths
from tests.support.simulator_api import Api, StoppedClock, inventing_api

RECORDING = "/v2/contact_center/recording/download/r1"
SIZE = 1000


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with inventing_api(StoppedClock(), rest_file_size_bytes=SIZE) as running:
        yield running


@pytest.mark.parametrize("path", file_paths)
async def test_a_file_stands_under_every_path_of_the_vendors_examples(api: Api, path: str) -> None:
    reply = await api.send("GET", path.format(file_id="f"), query={"type": "voice"})
    assert (reply.status, len(reply.content)) == (200, SIZE)
    assert reply.headers["content-type"].partition(";")[0] == file_paths[path]
    assert reply.headers["accept-ranges"] == "bytes"
    if file_paths[path] == "text/vtt":
        assert reply.content.decode().startswith("WEBVTT\n\n00:00:00.000 --> ")


async def test_a_file_is_the_same_each_time_and_another_for_another_id(api: Api) -> None:
    first, again = [await api.send("GET", RECORDING) for _ in range(2)]
    assert (first.content, first.headers["etag"]) == (again.content, again.headers["etag"])
    other = await api.send("GET", "/v2/contact_center/recording/download/r2")
    assert other.content != first.content
    assert other.headers["etag"] != first.headers["etag"]


async def test_the_links_of_an_answer_lead_to_files(api: Api) -> None:
    items = (await api.get("/recordings")).items("recordings")
    links = [
        str(item[name])
        for item in items
        for name in ("download_url", "transcript_url", "playback_url")
        if name in item
    ]
    assert len(links) > len(items)
    for link in links[:6]:
        assert link.startswith(api.base)
        reply = await api.send("GET", link.removeprefix(api.base))
        assert (reply.status, len(reply.content)) == (200, SIZE)


async def test_a_file_needs_a_token_but_no_scope(api: Api) -> None:
    async with inventing_api(StoppedClock(), rest_scopes="nothing") as poor:
        assert (await poor.send("GET", RECORDING)).status == 200
        poor.token = ""
        reply = await poor.send("GET", RECORDING)
        assert (reply.status, reply.code) == (401, 124)


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, SIZE),
        ("bytes=-50", SIZE - 50, SIZE),
        ("bytes=990-2000", 990, SIZE),
        ("bytes=999-", 999, SIZE),
        ("bytes=-2000", 0, SIZE),
    ],
)
async def test_a_range_of_a_file_is_sent_alone(
    api: Api, requested: str, start: int, end: int
) -> None:
    whole = await api.send("GET", RECORDING)
    reply = await api.send("GET", RECORDING, headers={"range": requested})
    assert reply.status == 206
    assert reply.content == whole.content[start:end]
    assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert reply.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("requested", ["bytes=1000-", "bytes=9-5", "bytes=-"])
async def test_a_range_outside_of_a_file_is_refused(api: Api, requested: str) -> None:
    reply = await api.send("GET", RECORDING, headers={"range": requested})
    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize("requested", ["items=0-1", "bytes=0-1,3-4"])
async def test_a_range_that_is_not_understood_is_ignored(api: Api, requested: str) -> None:
    reply = await api.send("GET", RECORDING, headers={"range": requested})
    assert (reply.status, len(reply.content)) == (200, SIZE)


async def test_a_range_of_another_file_brings_the_whole(api: Api) -> None:
    tag = (await api.send("GET", RECORDING)).headers["etag"]
    same = await api.send("GET", RECORDING, headers={"range": "bytes=5-", "if-range": tag})
    other = await api.send("GET", RECORDING, headers={"range": "bytes=5-", "if-range": '"x"'})
    assert (same.status, other.status, len(other.content)) == (206, 200, SIZE)


async def test_a_redirect_leads_to_an_address_that_takes_no_token(api: Api) -> None:
    there = api.base.replace("127.0.0.1", "localhost") + "/files/r1"
    fault = {"kind": "redirect", "operations": ["download"], "location": there}
    assert await api.set_faults(faults=[fault]) == 200
    reply = await api.send("GET", RECORDING)
    assert (reply.status, reply.headers["location"]) == (302, there)
    leaking = await api.send("GET", "/files/r1")
    assert leaking.status == 400
    api.token = ""
    file = await api.send("GET", "/files/r1")
    assert (file.status, len(file.content)) == (200, SIZE)
    outside = await api.send("GET", "/files/r1", headers={"range": "bytes=1000-"})
    assert outside.status == 416


async def test_faults_of_downloads_leave_operations_alone(api: Api) -> None:
    fault = {"kind": "html", "operations": ["download"], "status": 404}
    assert await api.set_faults(faults=[fault]) == 200
    reply = await api.send("GET", RECORDING)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (await api.get("/skills/s")).status == 200


async def test_files_count_against_no_limit(api: Api) -> None:
    await api.send("GET", RECORDING)
    assert (await api.send("GET", "/control/usage")).document["operations"] == {}


async def test_a_file_has_the_size_that_was_requested(api: Api) -> None:
    async with inventing_api(StoppedClock(), rest_file_size_bytes=3) as tiny:
        recording = await tiny.send("GET", RECORDING)
        transcript = await tiny.send("GET", "/v2/transcripts/download/t")
    assert (len(recording.content), transcript.content) == (3, b"WEB")
    tag = f'"{hashlib.sha256(recording.content).hexdigest()[:32]}"'
    assert recording.headers["etag"] == tag
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
