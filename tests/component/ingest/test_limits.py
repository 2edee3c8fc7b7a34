"""Bounds of size and time on one connection, and that nobody else pays for who breaks them."""

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    chunked,
    event,
    read_response,
    request,
    signed,
)
from tests.support.ingest_wire import (
    HandClock,
    HangingPublisher,
    a_moment,
    on_both_loops,
    post,
    read_all,
    refused,
    served,
    until,
)

head_timeout_s = 5.0
body_timeout_s = 5.0
keep_alive_s = 75.0
unread_s = 10.0
linger_s = 1.0
head_bytes = 16 * 1024


def counted_bytes(raw: bytes) -> int:
    """Return what is counted of a head: target, names and values."""
    line, *headers = raw.split(b"\r\n\r\n")[0].split(b"\r\n")
    return len(line.split()[1]) + sum(len(header) - len(b": ") for header in headers)


def with_head_of(size_bytes: int) -> bytes:
    rest = size_bytes - counted_bytes(post(more=[("x-long", b"")]))
    raw = post(more=[("x-long", b"a" * rest)])
    assert counted_bytes(raw) == size_bytes
    return raw


def with_headers(count: int) -> bytes:
    own = post().split(b"\r\n\r\n")[0].count(b"\r\n")
    return post(more=[(f"x-{number}", b"1") for number in range(count - own)])


async def status_of(server: Server, raw: bytes, *, part_bytes: int) -> int:
    async with server.connection() as (reader, writer):
        for at in range(0, len(raw), part_bytes):
            writer.write(raw[at : at + part_bytes])
            await a_moment()
        return (await read_response(reader)).status


@pytest.mark.parametrize("part_bytes", [1_000_000, 1000, 97])
@on_both_loops
async def test_a_head_of_the_limit_is_taken_and_one_byte_more_is_not(part_bytes: int) -> None:
    async with served(MemoryPublisher()) as server:
        assert await status_of(server, with_head_of(head_bytes), part_bytes=part_bytes) == 204
        before = await refused(server, "head_too_large")
        assert await status_of(server, with_head_of(head_bytes + 1), part_bytes=part_bytes) == 503
        assert await refused(server, "head_too_large") == before + 1


@on_both_loops
async def test_as_many_headers_as_the_limit_are_taken_and_one_more_is_not() -> None:
    async with served(MemoryPublisher()) as server:
        assert (await server.send(with_headers(64))).status == 204
        assert (await server.send(with_headers(65))).status == 503


def endless() -> dict[str, tuple[bytes, bytes]]:
    """By case; signed when it is sent, not when the tests are collected."""
    return {
        "a target": (b"POST /webhooks/zoom?", b"a" * 1000),
        "a name": (b"POST /webhooks/zoom HTTP/1.1\r\nx-", b"a" * 1000),
        "a value": (b"POST /webhooks/zoom HTTP/1.1\r\nx: ", b"a" * 1000),
        "blanks before a value": (b"POST /webhooks/zoom HTTP/1.1\r\nx:", b" " * 1000),
        "headers": (b"POST /webhooks/zoom HTTP/1.1\r\n", b"x-odd: 1\r\n" * 100),
        "an extension of a chunk": (
            chunked([], headers=signed(b"")).removesuffix(b"0\r\n\r\n") + b"5;a=",
            b"a" * 1000,
        ),
        "a trailer": (chunked([event], headers=signed(event))[:-2] + b"x-odd: ", b"a" * 1000),
        "trailers": (chunked([event], headers=signed(event))[:-2], b"x-odd: 1\r\n" * 100),
        "the number of a chunk": (
            chunked([], headers=signed(b"")).removesuffix(b"0\r\n\r\n"),
            b"0" * 1000,
        ),
    }


@pytest.mark.parametrize("case", list(endless()))
@on_both_loops
async def test_what_never_ends_is_refused_before_it_costs_memory(case: str) -> None:
    begin, more = endless()[case]
    publisher = MemoryPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        writer.write(begin)
        sent_bytes = 0
        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(read_response(reader))
            while not answer.done():
                writer.write(more)
                sent_bytes += len(more)
                await a_moment()
                assert sent_bytes < 3 * head_bytes
        assert answer.result().status == (503 if b"x-zm-signature" in begin else 431)
    assert publisher.records == []


@on_both_loops
async def test_a_body_of_tiny_chunks_takes_little_more_memory_than_its_bytes() -> None:
    async with served(MemoryPublisher()) as server, server.connection() as (reader, writer):
        body = b" " * 100_000
        raw = chunked([body[at : at + 2] for at in range(0, len(body), 2)], headers=signed(body))
        unfinished = raw.removesuffix(b"0\r\n\r\n")
        await a_moment()
        tracemalloc.start()
        try:
            for at in range(0, len(unfinished), 1000):
                writer.write(unfinished[at : at + 1000])
                await a_moment()
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held < 3 * len(body)
        writer.write(b"0\r\n\r\n")
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_a_head_that_takes_too_long_is_answered_408_and_closed_then_and_not_before() -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        before = await refused(server, "too_slow")
        for byte in b"POST ":
            writer.write(bytes([byte]))
            await a_moment()
            await clock.move((head_timeout_s - 0.1) / 5)  # no byte gives it more time
        assert not reader.at_eof()
        assert await refused(server, "too_slow") == before
        await clock.move(0.2)
        assert (await read_response(reader)).status == 408
        assert await refused(server, "too_slow") == before + 1
        await clock.move(linger_s)
        assert await reader.read() == b""


def slow_bodies() -> dict[str, list[bytes]]:
    """By case; signed when it is sent, not when the tests are collected."""
    unended = chunked([event], headers=signed(event)).removesuffix(b"0\r\n\r\n")
    return {
        "nothing of it": [request(b"", headers=signed(event), length=len(event))],
        "one byte too few": [request(event[:-1], headers=signed(event), length=len(event))],
        "a byte now and then": [
            request(event[:-9], headers=signed(event), length=len(event)),
            *(event[at : at + 1] for at in range(-9, -1)),
        ],
        "no end of its chunks": [unended],
        "a chunk now and then": [unended, *[b"1\r\n \r\n"] * 8],
    }


@pytest.mark.parametrize("case", list(slow_bodies()))
@on_both_loops
async def test_a_body_that_takes_too_long_is_answered_408_and_closed_then_and_not_before(
    case: str,
) -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        before = await refused(server, "too_slow")
        first, *more = slow_bodies()[case]
        for part in (first, *more):
            writer.write(part)
            await a_moment()
            await clock.move((body_timeout_s - 0.1) / (1 + len(more)))
        assert await refused(server, "too_slow") == before
        await clock.move(0.2)
        assert (await read_response(reader)).status == 408
        assert await refused(server, "too_slow") == before + 1
        await clock.move(linger_s)
        assert await reader.read() == b""


@pytest.mark.parametrize("before", ["nothing", "a request", "empty lines"])
@on_both_loops
async def test_an_idle_connection_ends_without_a_word_and_not_before_its_time(
    before: str,
) -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        await a_moment()
        # Signed now: a signature does not last as long as a run of all tests.
        writer.write({"nothing": b"", "a request": post(), "empty lines": b"\r\n" * 10}[before])
        if before == "a request":
            assert (await read_response(reader)).status == 204
        await clock.move(keep_alive_s - 0.1)
        await server.get("/healthz")
        assert not reader.at_eof()
        await clock.move(0.2)
        assert await reader.read() == b""


@on_both_loops
async def test_each_request_gives_its_connection_the_whole_time_again() -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        for _ in range(3):
            writer.write(post())
            assert (await read_response(reader)).status == 204
            await clock.move(keep_alive_s - 0.1)


@on_both_loops
async def test_a_request_that_waits_for_the_broker_is_not_idle() -> None:
    clock, publisher = HandClock(), HangingPublisher()
    async with (
        served(publisher, clock=clock, produce_deadline_s=2.9) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post())
        await publisher.until_sent(1)
        await clock.move(2.8)
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_what_the_broker_does_not_acknowledge_in_time_is_answered_503_then() -> None:
    clock, publisher = HandClock(), HangingPublisher()
    async with (
        served(publisher, clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post())
        await publisher.until_sent(1)
        await clock.move(1.9)
        await server.get("/healthz")
        assert not reader._buffer  # type: ignore[attr-defined]  # nothing was answered yet
        await clock.move(0.2)
        assert (await read_response(reader)).status == 503
        publisher.acknowledge_all()  # too late, and no second answer
        writer.write(post())
        await publisher.until_sent(2)
        publisher.acknowledge_all()
        assert (await read_response(reader)).status == 204


class Stalled:
    """A client that has requested more than buffers hold, and reads none of it until `read_on`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._reader = reader
        self.statuses: list[int] = []

    async def read_on(self) -> list[int]:
        """Read until the server ends the connection; return the statuses of whole answers."""
        self._writer.transport.resume_reading()  # type: ignore[attr-defined]  # a read transport
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.statuses.append((await read_response(self._reader)).status)
        return self.statuses


page = b"GET /openapi.json HTTP/1.1\r\nhost: test\r\n\r\n"
page_count = 1200


@asynccontextmanager
async def stalled(server: Server, last: bytes = b"") -> AsyncIterator[Stalled]:
    """Request many pages and read none, until the server reads no more requests."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)  # noqa: FBT003 - the name of it
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=plain)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport
    try:
        writer.write(page * page_count + last)
        await writer.drain()
        for _ in range(30):  # as long as answers are still written
            await server.get("/healthz")
        yield Stalled(reader, writer)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "last",
    [
        lambda: b"",
        lambda: b"GET /docs HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
        lambda: request(event, headers=[("connection", b"close")]),
        post,
        lambda: post()[:-5],
        lambda: post()[:-200],
    ],
    ids=["nothing", "a page, the last", "unsigned, the last", "signed", "no body", "no head"],
)
@on_both_loops
async def test_a_client_that_does_not_read_its_answers_is_cut(last: Callable[[], bytes]) -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock, docs_enabled=True) as server,
        stalled(server, last()) as client,
    ):
        await clock.move(unread_s + 0.1)
        await server.get("/healthz")
        assert len(await client.read_on()) < page_count


@on_both_loops
async def test_a_client_that_reads_late_gets_all_its_answers() -> None:
    clock = HandClock()
    last = post(more=[("connection", b"close")])
    async with (
        served(MemoryPublisher(), clock=clock, docs_enabled=True) as server,
        stalled(server, last) as client,
    ):
        await clock.move(unread_s - 0.1)
        assert await client.read_on() == [200] * page_count + [204]


@pytest.mark.parametrize("missing_bytes", [5, 200], ids=["body", "head"])
@on_both_loops
async def test_a_client_that_reads_late_has_no_more_time_to_send_than_others(
    missing_bytes: int,
) -> None:
    clock = HandClock()
    async with (
        served(MemoryPublisher(), clock=clock, docs_enabled=True) as server,
        stalled(server, post()[:-missing_bytes]) as client,
        asyncio.TaskGroup() as tasks,
    ):
        reading = tasks.create_task(client.read_on())
        await until(lambda: len(client.statuses) == page_count)
        await clock.move(max(head_timeout_s, body_timeout_s) + 0.1)
        await clock.move(linger_s + 0.1)
        assert (await reading) == [200] * page_count + [408]


@on_both_loops
async def test_a_crowd_that_sends_nearly_nothing_delays_nobody_and_is_cut() -> None:
    clock = HandClock()
    begun: list[Callable[[], bytes]] = [
        lambda: b"P",
        lambda: post()[:60],
        lambda: post()[:-1],
        lambda: b"",
        lambda: chunked([event], headers=signed(event))[:-3],
    ]
    async with served(MemoryPublisher(), clock=clock) as server, AsyncExitStack() as crowd:
        slow = [await crowd.enter_async_context(server.connection()) for _ in range(300)]
        for number, (_, writer) in enumerate(slow):
            writer.write(begun[number % len(begun)]())
        for _ in range(20):
            assert (await server.post()).status == 204
        await clock.move(head_timeout_s + 0.1)
        await clock.move(linger_s)
        await clock.move(keep_alive_s)
        answers = [[answer.status for answer in await read_all(reader)] for reader, _ in slow]
        assert answers == [[] if number % 5 == 3 else [408] for number in range(300)]
        assert (await server.post()).status == 204
