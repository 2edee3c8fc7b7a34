"""Every row of the table of bad input, sent to a running server."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.support.ingest_server import (
    Headers,
    MemoryPublisher,
    Server,
    chunked,
    event,
    read_response,
    request,
    running,
    signed,
)
from tests.support.patience import HANG_GUARD_S


@pytest_asyncio.fixture(scope="module")
async def publisher() -> MemoryPublisher:
    return MemoryPublisher()


@pytest_asyncio.fixture(scope="module")
async def server(publisher: MemoryPublisher) -> AsyncIterator[Server]:
    async with running(publisher, max_body_bytes=100_000) as started:
        yield started


def without(name: str) -> Headers:
    return [header for header in signed(event) if header[0] != name]


def with_changed(name: str, value: bytes) -> Headers:
    return [(header, value if header == name else was) for header, was in signed(event)]


def at(timestamp: bytes) -> Headers:
    return signed(event, timestamp=timestamp)


def seconds_from_now(seconds: int) -> bytes:
    return str(int(time.time()) + seconds).encode()


def with_signature(change: Callable[[bytes], bytes]) -> Headers:
    return [
        (name, change(value) if name == "x-zm-signature" else value)
        for name, value in signed(event)
    ]


unsigned_cases: dict[str, tuple[Callable[[], Headers], str]] = {
    "no headers at all": (list, "signature_missing"),
    "no signature": (lambda: without("x-zm-signature"), "signature_missing"),
    "an empty signature": (lambda: with_changed("x-zm-signature", b""), "signature_missing"),
    "a wrong signature": (
        lambda: with_changed("x-zm-signature", b"v0=" + b"0" * 64),
        "signature_wrong",
    ),
    "another secret": (lambda: signed(event, secret="wrong"), "signature_wrong"),
    "a signature of another version": (
        lambda: with_signature(lambda value: value.replace(b"v0=", b"v1=")),
        "signature_wrong",
    ),
    "a signature in upper case": (lambda: with_signature(bytes.upper), "signature_wrong"),
    "a signature without its version": (
        lambda: with_signature(lambda value: value.removeprefix(b"v0=")),
        "signature_wrong",
    ),
    "a signature of twice the length": (lambda: with_signature(lambda v: v * 2), "signature_wrong"),
    "a signature with more behind it": (
        lambda: with_signature(lambda value: value + b", v0=0"),
        "signature_wrong",
    ),
    "a signature that is cut off": (lambda: with_signature(lambda v: v[:-1]), "signature_wrong"),
    "a signature that is not ASCII": (
        lambda: with_changed("x-zm-signature", "v0=ünïcödé".encode()),
        "signature_wrong",
    ),
    "two signatures": (
        lambda: [*signed(event), ("x-zm-signature", b"v0=" + b"0" * 64)],
        "signature_repeated",
    ),
    "two equal signatures": (
        lambda: [*signed(event), ("X-Zm-Signature", signed(event)[3][1])],
        "signature_repeated",
    ),
    "no timestamp": (lambda: without("x-zm-request-timestamp"), "timestamp_missing"),
    "an empty timestamp": (lambda: at(b""), "timestamp_missing"),
    "two timestamps": (
        lambda: [*signed(event), ("x-zm-request-timestamp", b"1")],
        "timestamp_repeated",
    ),
    "a negative timestamp": (lambda: at(b"-1751364000"), "timestamp_malformed"),
    "milliseconds": (lambda: at(seconds_from_now(0) + b"000"), "timestamp_malformed"),
    "a timestamp of 10^30": (lambda: at(b"1" + b"0" * 30), "timestamp_malformed"),
    "a timestamp with a sign": (lambda: at(b"+" + seconds_from_now(0)), "timestamp_malformed"),
    "a timestamp with a fraction": (lambda: at(seconds_from_now(0) + b".5"), "timestamp_malformed"),
    "a timestamp of letters": (lambda: at(b"now"), "timestamp_malformed"),
    "a timestamp not ASCII": (lambda: at("\uff11".encode()), "timestamp_malformed"),
}


@pytest.mark.parametrize("case", unsigned_cases)
async def test_what_is_not_from_zoom_is_refused_without_a_word(
    case: str, server: Server, publisher: MemoryPublisher
) -> None:
    headers_now, reason = unsigned_cases[case]
    before = await server.metric("zcc_ingest_refused_total", app="default", reason=reason)
    answer = await server.post(headers=headers_now())
    assert (answer.status, answer.body) == (401, b"")
    after = await server.metric("zcc_ingest_refused_total", app="default", reason=reason)
    assert after == before + 1
    assert publisher.records == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 1000, b'{"event":"endpoint.url_validation"}'])
async def test_an_unsigned_body_is_refused_whatever_it_holds(body: bytes, server: Server) -> None:
    assert (await server.post(body, headers=[])).status == 401


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity", b"\xff"])
async def test_an_unsigned_body_with_an_encoding_is_answered_that_none_is_accepted(
    encoding: bytes, server: Server, publisher: MemoryPublisher
) -> None:
    for headers in ([], signed(event, secret="wrong")):
        answer = await server.post(headers=[*headers, ("content-encoding", encoding)])
        assert (answer.status, answer.body) == (415, b"")
    assert publisher.records == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_another_method_is_answered_with_the_one_that_works(
    method: str, server: Server
) -> None:
    async with server.connection() as (reader, writer):
        writer.write(f"{method} /webhooks/zoom/sales HTTP/1.1\r\nhost: test\r\n\r\n".encode())
        answer = await read_response(reader)
    assert answer.status == 405
    assert answer.headers["allow"] == "post"


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/zoom/nobody",
        "/webhooks/zoom/sales/more",
        "/webhooks/zoom//",
        "/webhooks/zoom/SALES",
        "/webhooks/zoomsales",
        "/webhooks",
        "/",
    ],
)
async def test_a_path_that_is_no_apps_is_not_found(path: str, server: Server) -> None:
    forged = signed(event, secret="wrong")
    for headers in ([], forged):
        assert (await server.post(path=path, headers=headers)).status == 404


async def test_an_unknown_app_is_counted_under_one_label(server: Server) -> None:
    before = await server.metric("zcc_ingest_refused_total", app="-", reason="unknown_app")
    await server.post(path="/webhooks/zoom/nobody", headers=[])
    await server.post(path="/webhooks/zoom/nobody-else", headers=[])
    after = await server.metric("zcc_ingest_refused_total", app="-", reason="unknown_app")
    assert after == before + 2


async def too_large_count(server: Server) -> float:
    return await server.metric("zcc_ingest_refused_total", app="default", reason="too_large")


async def test_a_body_declared_too_large_is_refused_before_it_is_read(server: Server) -> None:
    before = await too_large_count(server)
    async with server.connection() as (reader, writer):
        writer.write(request(b"", headers=[], length=100_001))
        answer = await read_response(reader)
        assert answer.status == 413
        assert answer.headers["connection"] == "close"
        assert await reader.read() == b""
    assert await too_large_count(server) == before + 1


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    before = await too_large_count(server)
    async with server.connection() as (reader, writer):
        unfinished = chunked([b"x" * 60_000, b"x" * 60_000], headers=[])
        writer.write(unfinished.removesuffix(b"0\r\n\r\n"))
        answer = await read_response(reader)
        assert answer.status == 413
        assert await reader.read() == b""
    assert await too_large_count(server) == before + 1


async def test_a_sender_that_writes_all_before_it_reads_still_sees_that_it_is_too_large(
    server: Server,
) -> None:
    body = b"x" * 5_000_000
    for headers, status in (([], 413), (signed(body), 503)):
        async with server.connection() as (reader, writer):
            writer.write(request(body, headers=headers))
            await writer.drain()
            answer = await read_response(reader)
            assert (answer.status, answer.headers["connection"]) == (status, "close")


async def test_a_signed_body_of_the_limit_is_taken_and_one_byte_more_is_not(
    server: Server, publisher: MemoryPublisher
) -> None:
    largest = event + b" " * (100_000 - len(event))
    assert (await server.post(largest)).status == 204
    assert publisher.records.pop().value == largest
    assert (await server.post(largest + b" ")).status == 503
    assert (
        await server.send(chunked([largest, b" "], headers=signed(largest + b" ")))
    ).status == 503
    assert publisher.records == []


async def test_the_limit_of_a_body_is_a_mebibyte_unless_it_is_set(
    publisher: MemoryPublisher,
) -> None:
    largest = event + b" " * (1024 * 1024 - len(event))
    async with running(publisher) as server:
        assert (await server.post(largest)).status == 204
        assert publisher.records.pop().value == largest
        assert (await server.post(largest + b" ")).status == 503
        assert (await server.post(largest + b" ", headers=[])).status == 413
    assert publisher.records == []


async def test_a_client_that_goes_away_within_its_body_is_counted(server: Server) -> None:
    async def count() -> float:
        return await server.metric("zcc_ingest_refused_total", app="default", reason="disconnected")

    before = await count()
    async with server.connection() as (_, writer):
        writer.write(request(event[:-5], headers=signed(event), length=len(event)))
        await writer.drain()
    async with asyncio.timeout(HANG_GUARD_S):
        while await count() != before + 1:
            pass  # each look is a request of its own


async def test_a_body_longer_than_it_says_is_not_taken(
    server: Server, publisher: MemoryPublisher
) -> None:
    answer = await server.send(request(event, headers=signed(event), length=len(event) - 1))
    assert answer.status in {400, 401}
    assert publisher.records == []
