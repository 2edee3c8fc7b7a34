"""Lists are walked, and files fetched, over the wire from a simulated Zoom."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.each_case import each_case
from tests.support.fakes.zoom import VirtualClock, zoom_settings
from tests.support.simulator_api import Api, StoppedClock, inventing_api
from tests.support.zoom_downloads import names_in
from zoom.catalogue import Operation, find, operations
from zoom.client import ZoomClient, connected
from zoom.downloads.fetching import Downloads, Promise, opened_downloads
from zoom.errors import NotFoundError, RateLimitedError, RefusedError, UnavailableError
from zoom.http.download_addresses import UnsafeAddressError
from zoom.http.oauth import TokenSource
from zoom.http.transport import opened
from zoom.requests.paging import IncompleteListError, RepeatedPageError, items, pages
from zoom.settings import ZoomSettings

lists = [
    each
    for each in operations().values()
    if each.reply.items is not None and each.name != "list_inbox_queues"
]
file_size = 300_000
recording = "/v2/contact_center/recording/download/r1?type=voice"


@pytest.fixture(scope="module")
async def api() -> AsyncIterator[Api]:
    async with inventing_api(StoppedClock(), rest_file_size_bytes=file_size) as running:
        yield running


@pytest.fixture(scope="module")
def settings(api: Api) -> ZoomSettings:
    return zoom_settings(
        account_id="a",
        client_id="app-1",
        client_secret="credentials of the tests",
        oauth_url=f"{api.base}/oauth/token",
        api_url=f"{api.base}/v2",
        download_hosts="127.0.0.1,localhost",
    )


@pytest.fixture(scope="module")
async def client(settings: ZoomSettings) -> AsyncIterator[ZoomClient]:
    async with connected(settings, clock=VirtualClock()) as running:
        yield running


@pytest.fixture(scope="module")
async def downloads(settings: ZoomSettings) -> AsyncIterator[Downloads]:
    clock = VirtualClock()
    async with opened(settings) as transport:
        tokens = TokenSource(settings, transport=transport, clock=clock)
        async with opened_downloads(settings, tokens=tokens, clock=clock) as running:
            yield running


@pytest.fixture
async def faults(api: Api) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    async def add(kind: str, place: str, **more: object) -> None:
        fault = {"kind": kind, "operations": [place]} | more
        assert await api.set_faults(faults=[fault]) == 200

    yield add
    assert await api.set_faults() == 200


def needed(operation: Operation) -> dict[str, Any]:
    values = {
        each.argument: (each.values or ("x",))[0] for each in operation.parameters if each.required
    }
    return {
        each.argument: [values[each.argument]] if each.type == "array" else values[each.argument]
        for each in operation.parameters
        if each.required
    }


@each_case("operation", lists, name=lambda each: each.name)
async def test_a_list_is_walked_to_the_last_of_its_records(
    client: ZoomClient, operation: Operation
) -> None:
    given = needed(operation)
    if any(each.name == "page_size" for each in operation.parameters):
        given["page_size"] = "7" if operation.name == "list_queue_templates" else 7
    walked = [each async for each in pages(client, operation, given)]
    record_count = sum(len(each[str(operation.reply.items)]) for each in walked)
    totals = {each["total_records"] for each in walked if "total_records" in each}
    assert record_count > 0
    assert totals <= {record_count}


async def test_a_list_that_cannot_be_read_to_its_end_says_so(client: ZoomClient) -> None:
    operation = find("list_inbox_queues")
    with pytest.raises(IncompleteListError):
        _ = [item async for item in items(client, operation, {"inbox_id": "x"})]


async def test_a_span_that_zoom_refuses_is_walked_in_windows(client: ZoomClient, api: Api) -> None:
    operation = find("list_engagements")
    span = {"from_": "2025-05-10", "to": "2025-06-15"}
    with pytest.raises(RefusedError):
        await client.call(operation.name, **span)
    walked = [each async for each in pages(client, operation, span)]
    assert len({each["from"] for each in walked}) == 2


async def test_a_page_that_zoom_repeats_ends_the_walk(
    client: ZoomClient, faults: Callable[..., Awaitable[None]]
) -> None:
    await faults("repeated_page", "list_skills")
    with pytest.raises(RepeatedPageError):
        _ = [item async for item in items(client, find("list_skills"), {"page_size": 1})]


async def test_a_redirect_is_followed_without_the_token_that_is_refused_there(
    downloads: Downloads, api: Api, tmp_path: Path, faults: Callable[..., Awaitable[None]]
) -> None:
    there = api.base.replace("127.0.0.1", "localhost") + "/files/r1"
    await faults("redirect", "download", location=there)
    promise = Promise(size_bytes=file_size, content_types=("application/octet-stream",))
    fetched = await downloads.fetch(recording, tmp_path / "r1", promise=promise)
    assert fetched.sha256 == sha256_of(tmp_path / "r1")


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("cut", {"requests": 2}),
        ("token_expired", {"requests": 1}),
        ("slow_body", {"seconds": 0.2}),
    ],
)
async def test_what_goes_wrong_for_a_while_is_borne(
    downloads: Downloads,
    tmp_path: Path,
    faults: Callable[..., Awaitable[None]],
    kind: str,
    more: dict[str, object],
) -> None:
    whole = await downloads.fetch(recording, tmp_path / "whole")
    await faults(kind, "download", **more)
    assert await downloads.fetch(recording, tmp_path / "r1") == whole
    assert whole.sha256 == sha256_of(tmp_path / "r1")


@pytest.mark.parametrize(
    ("kind", "more", "error"),
    [
        ("html", {"status": 404}, NotFoundError),
        ("html", {}, UnavailableError),
        ("empty", {}, UnavailableError),
        ("error_body", {}, UnavailableError),
        ("redirect", {}, UnsafeAddressError),
        ("limited", {}, RateLimitedError),
    ],
)
async def test_what_is_no_file_is_named_and_leaves_none(
    downloads: Downloads,
    tmp_path: Path,
    faults: Callable[..., Awaitable[None]],
    kind: str,
    more: dict[str, object],
    error: type[Exception],
) -> None:
    await faults(kind, "download", **more)
    with pytest.raises(error):
        await downloads.fetch(recording, tmp_path / "r1", promise=Promise(size_bytes=file_size))
    assert not names_in(tmp_path)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
