"""What is rightly signed and meets a mistake of ours is answered so that Zoom sends it again."""

import time
from collections.abc import Callable

import pytest

from ingest.apps.registry import App, Apps
from tests.support.ingest_server import (
    Headers,
    MemoryPublisher,
    Server,
    event,
    request,
    signed,
)
from tests.support.ingest_wire import HandClock, on_both_loops, served

sales = "the-secret-of-sales"


async def unavailable(server: Server, reason: str) -> float:
    return await server.metric("zcc_ingest_unavailable_total", reason=reason)


def at(seconds: int) -> Headers:
    return signed(event, timestamp=str(max(0, int(time.time()) + seconds)).encode())


def long_headers() -> Headers:
    return signed(event, more=[("x-added-by-a-proxy", b"a" * 20_000)])


def many_headers() -> Headers:
    return signed(event, more=[(f"x-added-{n}", b"1") for n in range(80)])


mistakes: dict[str, tuple[Callable[[], bytes], str]] = {
    "an app that is misspelt in the settings": (
        lambda: request(event, path="/webhooks/zoom/sale", headers=signed(event, secret=sales)),
        "path",
    ),
    "a balancer that changes the path": (
        lambda: request(event, path="/", headers=signed(event)),
        "path",
    ),
    "secrets of two apps mixed up": (
        lambda: request(event, path="/webhooks/zoom/sales", headers=signed(event)),
        "path",
    ),
    "a proxy that changes the method": (
        lambda: request(event, headers=signed(event), start="PUT {path} HTTP/1.1"),
        "method",
    ),
    "a clock of ours that is late": (lambda: request(event, headers=at(3_600)), "clock"),
    "a clock of ours that is early": (lambda: request(event, headers=at(-3_600)), "clock"),
    "a clock of ours that is off by years": (lambda: request(event, headers=at(-(10**9))), "clock"),
    "a limit of the body that is too low": (
        lambda: request(event + b" " * 2_000, headers=signed(event + b" " * 2_000)),
        "over_limit",
    ),
    "a proxy that adds a long header": (
        lambda: request(event, headers=long_headers()),
        "over_limit",
    ),
    "a proxy that adds many headers": (
        lambda: request(event, headers=many_headers()),
        "over_limit",
    ),
}


@pytest.mark.parametrize("case", mistakes)
@on_both_loops
async def test_a_signed_request_that_meets_a_mistake_of_ours_is_sent_again(case: str) -> None:
    make, reason = mistakes[case]
    raw = make()  # signed now: a signature does not last as long as a run of all tests
    publisher = MemoryPublisher()
    async with served(publisher, max_body_bytes=1_500) as server:
        before = await unavailable(server, reason)
        answer = await server.send(raw)
        assert (answer.status, answer.body) == (503, b"")
        assert "retry-after" in answer.headers
        assert await unavailable(server, reason) == before + 1
    assert publisher.records == []


def forged() -> Headers:
    return signed(event, secret="nobodys")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request(event, path="/webhooks/zoom/sale", headers=forged()), 404),
        (request(event, headers=forged(), start="PUT {path} HTTP/1.1"), 405),
        (request(event, headers=signed(event, secret="nobodys", timestamp=b"0")), 401),
        (request(event + b" " * 2_000, headers=[]), 413),
        (request(event, headers=[("x-added", b"a" * 20_000)]), 431),
    ],
)
@on_both_loops
async def test_what_is_not_signed_is_refused_as_ever(raw: bytes, status: int) -> None:
    publisher = MemoryPublisher()
    async with served(publisher, max_body_bytes=1_500) as server:
        assert (await server.send(raw)).status == status
    assert publisher.records == []


def apps_of(*secrets: str, name: str = "default") -> Apps:
    return Apps([App(name, tuple(secret.encode() for secret in secrets))])


@pytest.mark.parametrize(
    "after",
    [
        apps_of("changed"),
        apps_of("one-more", "the-kept-secret"),
        apps_of("the-newest-secret", name="renamed"),
        Apps([]),
    ],
    ids=["changed", "removed", "renamed", "app removed"],
)
@on_both_loops
async def test_a_wrong_signature_is_sent_again_for_minutes_after_a_secret_was_taken_away(
    after: Apps,
) -> None:
    publisher, clock = MemoryPublisher(), HandClock()
    current = apps_of("the-newest-secret", "the-kept-secret")
    async with served(publisher, clock=clock, present=lambda: current) as server:
        assert (await server.post(headers=forged())).status == 401
        current = after.following(current, now_s=clock.monotonic_s())
        before = await unavailable(server, "secret")
        for headers in (forged(), signed(event, secret="oldest")):
            assert (await server.post(headers=headers)).status == 503
        assert await unavailable(server, "secret") == before + 2
        assert (await server.post(headers=[])).status in {401, 404}
        await clock.move(590)
        assert (await server.post(headers=forged())).status == 503
        await clock.move(20)
        assert (await server.post(headers=forged())).status in {401, 404}
    assert publisher.records == []


@on_both_loops
async def test_a_secret_that_is_added_changes_nothing_for_a_wrong_signature() -> None:
    publisher, clock = MemoryPublisher(), HandClock()
    current = apps_of("the-newest-secret")
    async with served(publisher, clock=clock, present=lambda: current) as server:
        more = apps_of("newer", "the-newest-secret")
        current = more.following(current, now_s=clock.monotonic_s())
        assert (await server.post(headers=forged())).status == 401
        assert (await server.post()).status == 204
