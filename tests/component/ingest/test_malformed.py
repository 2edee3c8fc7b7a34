"""What is not HTTP/1.1 is answered 400, and costs nobody else anything."""

import pytest

from tests.support.ingest_server import (
    MemoryPublisher,
    chunked,
    event,
    read_answer,
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
    statuses,
)


def with_length(value: bytes) -> bytes:
    return post().replace(b"content-length: %d" % len(event), b"content-length: " + value)


def in_chunks(change: bytes, to: bytes) -> bytes:
    return chunked([event], headers=signed(event)).replace(change, to)


malformed = {
    "no request at all": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 100,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no host": post().replace(b"host: test\r\n", b""),
    "two hosts": post(more=[("host", b"test")]),
    "a host that is none": post().replace(b"host: test", b"host: te st"),
    "an unknown method": post(start="BREW {path} HTTP/1.1"),
    "a method in lower case": post(start="post {path} HTTP/1.1"),
    "another version": post(start="POST {path} HTTP/1.2"),
    "another protocol": post(start="POST {path} FTP/1.1"),
    "a target with a NUL": post(path="/webhooks/zoom\x00"),
    "a target that is not ASCII": post(path="/webhooks/zoom?\u00fc"),
    "a target with a blank": post(path="/webhooks /zoom"),
    "a folded header": post(more=[("x-odd", b"1\r\n 2")]),
    "a bare line feed": post(more=[("x-odd", b"1\nx-more: 2")]),
    "a bare carriage return": post(more=[("x-odd", b"1\rx-more: 2")]),
    "nothing but line feeds": post().replace(b"\r\n", b"\n"),
    "a NUL in a value": post(more=[("x-odd", b"a\x00b")]),
    "a NUL in a name": post(more=[("x\x00odd", b"1")]),
    "a blank in a name": post(more=[("x odd", b"1")]),
    "a blank after a name": post(more=[("x-odd ", b"1")]),
    "no name": post(more=[("", b"1")]),
    "a header without a colon": post().replace(b"host: test", b"host test"),
    "a length that is no number": with_length(b"many"),
    "a length below zero": with_length(b"-1"),
    "a length with a sign": with_length(b"+%d" % len(event)),
    "a length in hexadecimal": with_length(b"0x10"),
    "a length of nothing": with_length(b""),
    "a length beyond all": with_length(b"9" * 30),
    "two lengths in one": with_length(b"%d, %d" % (len(event), len(event))),
    "two lengths": post(more=[("content-length", b"%d" % len(event))]),
    "two lengths that differ": post(more=[("content-length", b"1")]),
    "a length and chunks": chunked(
        [event], headers=signed(event, more=[("content-length", b"%d" % len(event))])
    ),
    "chunks and a length": post(more=[("transfer-encoding", b"chunked")]),
    "a transfer that is not chunked": in_chunks(b": chunked", b": gzip"),
    "a transfer chunked before something else": in_chunks(b": chunked", b": chunked, gzip"),
    "a size of a chunk that is no number": in_chunks(b"%x\r\n" % len(event), b"zz\r\n"),
    "a size of a chunk beyond all": in_chunks(b"%x\r\n" % len(event), b"f" * 40 + b"\r\n"),
    "a chunk longer than its size": in_chunks(b"%x\r\n" % len(event), b"5\r\n"),
    "a trailer that is none": in_chunks(b"0\r\n\r\n", b"0\r\nx odd\r\n\r\n"),
}


@pytest.mark.parametrize("case", malformed)
@on_both_loops
async def test_what_is_not_http_is_answered_400_closed_and_counted(case: str) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        before = await refused(server, "malformed")
        async with server.connection() as (reader, writer):
            writer.write(malformed[case])
            writer.write_eof()
            (answer,) = await read_all(reader)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await refused(server, "malformed") == before + 1
        assert await statuses(server, post()) == [204]
    assert [record.value for record in publisher.records] == [event]


@on_both_loops
async def test_a_malformed_body_behind_an_early_answer_gets_no_second_answer() -> None:
    refused_early = (
        in_chunks(b"%x\r\n" % len(event), b"zz\r\n")
        .replace(b"POST /webhooks/zoom ", b"POST /nowhere ")
        .replace(b"x-zm-signature", b"x-no-signature")
    )
    async with served(MemoryPublisher()) as server:
        before = await refused(server, "malformed")
        async with server.connection() as (reader, writer):
            writer.write(refused_early)
            writer.write_eof()
            assert [answer.status for answer in await read_all(reader)] == [404]
        assert await refused(server, "malformed") == before


@pytest.mark.parametrize("garbage", [b"garbage", b"\x00", b"GET / HTTP/9.9\r\n\r\n"])
@on_both_loops
async def test_garbage_behind_a_request_costs_that_request_nothing(garbage: bytes) -> None:
    publisher, clock = HangingPublisher(), HandClock()
    async with (
        served(publisher, clock=clock) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(post() + garbage)
        await publisher.until_sent(1)
        for _ in range(20):
            writer.write(garbage)
            await a_moment()
        publisher.acknowledge_all()
        clock.let_go()
        assert [answer.status for answer in await read_all(reader)] == [204, 400]


@on_both_loops
async def test_garbage_behind_a_request_counts_once_among_those_under_way() -> None:
    publisher = HangingPublisher()
    async with (
        served(publisher, max_requests=4) as server,
        server.connection() as (_, writer),
    ):
        writer.write(post() + b"garbage")
        await publisher.until_sent(1)
        for _ in range(20):
            writer.write(b"garbage")
            await a_moment()
        async with server.connection() as (other, sending):
            sending.write(post())
            await publisher.until_sent(2)
            publisher.acknowledge_all()
            assert (await read_answer(other)).status == 204
