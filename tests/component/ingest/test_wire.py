"""HTTP as it comes off the wire: cut anywhere, pipelined, chunked, odd but allowed, or broken."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from runtime.errors import TransientError
from tests.support.ingest_server import (
    Headers,
    MemoryPublisher,
    chunked,
    event,
    numbered,
    read_response,
    request,
    signed,
)
from tests.support.ingest_wire import (
    HangingPublisher,
    a_moment,
    on_both_loops,
    post,
    read_all,
    served,
    statuses,
)

large = event + b" " * 60_000
h2c: Headers = [
    ("connection", b"Upgrade, HTTP2-Settings"),
    ("upgrade", b"h2c"),
    ("http2-settings", b"AAMAAABkAAQAAP__"),
]


def values(publisher: MemoryPublisher) -> list[bytes | None]:
    return [record.value for record in publisher.records]


whole_requests = {
    "with a length": post,
    "in chunks": lambda: chunked([event[:7], event[7:]], headers=signed(event)),
    "with an upgrade": lambda: post(more=h2c),
}


@pytest.mark.parametrize("form", whole_requests)
@on_both_loops
async def test_a_request_may_come_in_two_parts_cut_anywhere(form: str) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        raw = whole_requests[form]()
        for cut in range(1, len(raw)):
            writer.write(raw[:cut])
            await a_moment()
            writer.write(raw[cut:])
            assert (await read_response(reader)).status == 204, cut
    assert values(publisher) == [event] * (len(raw) - 1)


@pytest.mark.parametrize("form", whole_requests)
@on_both_loops
async def test_a_request_may_come_byte_by_byte(form: str) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        raw = whole_requests[form]()
        assert await statuses(server, *(raw[at : at + 1] for at in range(len(raw)))) == [204]
    assert values(publisher) == [event]


@pytest.mark.parametrize("cut", [1, 30, 200, 400, 5000, 50_000])
@on_both_loops
async def test_a_body_larger_than_a_head_may_be_counts_as_no_head_however_it_is_cut(
    cut: int,
) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        raw = post(large)
        assert await statuses(server, raw[:cut], raw[cut:]) == [204]
        upgrading = post(large, more=h2c)
        assert await statuses(server, upgrading[:cut], upgrading[cut:]) == [204]
    assert values(publisher) == [large, large]


@on_both_loops
async def test_pipelined_requests_are_answered_in_order_whatever_order_they_are_settled_in() -> (
    None
):
    publisher = HangingPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        kept = [ordinal % 3 != 0 for ordinal in range(48)]
        writer.write(b"".join(post(numbered(ordinal)) for ordinal in range(48)))
        await publisher.until_sent(len(kept))
        fates = [
            (settled, None if is_kept else TransientError("no"))
            for (_, settled), is_kept in zip(publisher.sent, kept, strict=True)
        ]
        random.Random(7).shuffle(fates)
        for settled, error in fates:
            settled(error)
        answers = [(await read_response(reader)).status for _ in kept]
    assert [record.value for record, _ in publisher.sent] == [numbered(n) for n in range(48)]
    assert answers == [204 if is_kept else 503 for is_kept in kept]


@on_both_loops
async def test_no_answer_overtakes_the_one_before_it() -> None:
    publisher = HangingPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        forged = request(event, headers=signed(event, secret="wrong"))
        writer.write(post() + forged + b"GET /page HTTP/1.1\r\nhost: test\r\n\r\n" + post())
        await publisher.until_sent(2)
        publisher.sent[1][1](None)
        await server.get("/healthz")
        assert not reader._buffer  # type: ignore[attr-defined]  # nothing was answered yet
        publisher.sent[0][1](None)
        assert [(await read_response(reader)).status for _ in range(4)] == [204, 401, 404, 204]


@on_both_loops
async def test_of_many_pipelined_requests_only_some_are_read_before_the_first_are_answered() -> (
    None
):
    publisher = HangingPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        raw = b"".join(post(numbered(ordinal)) for ordinal in range(4000))

        async def send() -> None:
            writer.write(raw)
            await writer.drain()

        async def read() -> list[int]:
            return [(await read_response(reader)).status for _ in range(4000)]

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            answers = tasks.create_task(read())
            await publisher.until_sent(32)
            await server.get("/healthz")
            await server.get("/healthz")
            assert len(publisher.sent) < 1000  # as much as one reading of the socket brings
            while not answers.done():
                publisher.acknowledge_all()
                await a_moment()
        assert answers.result() == [204] * 4000


allowed = {
    "names in upper case": lambda: request(
        event, headers=[(name.upper(), value) for name, value in signed(event)]
    ),
    "names in title case": lambda: request(
        event, headers=[(name.title(), value) for name, value in signed(event)]
    ),
    "blanks around values": lambda: request(
        event, headers=[(name, b" \t " + value + b"\t  ") for name, value in signed(event)]
    ),
    "no blank before values": lambda: post().replace(b": ", b":"),
    "values that are not ASCII": lambda: post(more=[("x-odd", "ünïcödé \U0001f600".encode())]),
    "an empty value": lambda: post(more=[("x-odd", b"")]),
    "an empty host": lambda: post().replace(b"host: test\r\n", b"host:\r\n"),
    "a host of IPv6 with a port": lambda: post().replace(
        b"host: test", b"host: [2001:db8::1]:8443 "
    ),
    "no host in HTTP/1.0": lambda: post(start="POST {path} HTTP/1.0").replace(
        b"host: test\r\n", b""
    ),
    "empty lines before it": lambda: b"\r\n\r\n" + post(),
    "HTTP/1.0": lambda: post(start="POST {path} HTTP/1.0"),
    "HTTP/1.0 that stays": lambda: post(
        start="POST {path} HTTP/1.0", more=[("connection", b"keep-alive")]
    ),
    "an end that is announced": lambda: post(more=[("connection", b"close")]),
    "a length with zeros before it": lambda: post().replace(
        b"content-length: ", b"content-length: " + b"0" * 5000
    ),
    "an upgrade to HTTP/2": lambda: post(more=h2c),
    "an upgrade to HTTP/2, in chunks": lambda: chunked([event], headers=signed(event, more=h2c)),
    "an upgrade without a connection": lambda: post(more=[("upgrade", b"websocket")]),
    "an expectation that nobody knows": lambda: post(more=[("expect", b"202-perhaps")]),
    "chunks of one byte": lambda: chunked(
        [event[at : at + 1] for at in range(len(event))], headers=signed(event)
    ),
    "chunks with extensions": lambda: chunked([event], headers=signed(event)).replace(
        b"%x\r\n" % len(event), b'%X;a=b;c="d"\r\n' % len(event)
    ),
    "chunks with a trailer": lambda: (
        chunked([event], headers=signed(event))[:-2] + b"x-zm-signature: v0=0\r\nx-odd: 1\r\n\r\n"
    ),
    "chunked in upper case": lambda: chunked([event], headers=signed(event)).replace(
        b"transfer-encoding: chunked", b"Transfer-Encoding: CHUNKED"
    ),
    "both a length and, signed elsewhere, a query": lambda: post(path="/webhooks/zoom?x-zm=1&%00"),
}


@pytest.mark.parametrize("form", allowed)
@on_both_loops
async def test_every_form_that_http_allows_is_taken(form: str) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        assert await statuses(server, allowed[form]()) == [204]
    assert values(publisher) == [event]


@pytest.mark.parametrize(
    "target",
    [
        "http://zoom.example/webhooks/zoom",
        "HTTPS://zoom.example:443/webhooks/zoom/?a=b",
        "http://[::1]:8080/webhooks/zoom/default",
        "/webhooks/zo%6fm",
        "/webhooks/zoom%2Fdefault",
        "/%77ebhooks/zoom/?a=%zz",
        "/webhooks/zoom?",
        "/webhooks/zoom?a=http://other/?b#c",
        "/webhooks/zoom?" + "a" * 8000,
    ],
)
@on_both_loops
async def test_every_way_to_write_a_target_is_understood(target: str) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        assert await statuses(server, post(path=target)) == [204]


@pytest.mark.parametrize(
    "target",
    [
        "http://zoom.example",
        "http://zoom.example?a",
        "/webhooks/zoom%00",
        "/webhooks/zoom%",
        "/webhooks/zoom/%ff%fe",
        "/%2e%2e/webhooks/zoom",
        "/webhooks/../webhooks/zoom",
        "//webhooks/zoom",
        "/page/%0d%0aset-cookie:%20a=b",
    ],
)
@on_both_loops
async def test_another_target_is_not_found_and_its_connection_goes_down_in_order(
    target: str,
) -> None:
    forged = signed(event, secret="wrong")
    async with served(MemoryPublisher()) as server:
        raw = request(event, path=target, headers=forged)
        assert await statuses(server, raw) == [404]


@on_both_loops
async def test_nothing_behind_a_request_that_ends_its_connection_is_taken() -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        nobodys = request(event, path="/webhooks/zoom/nobody", headers=[])
        assert await statuses(server, nobodys + post() + post()) == [404]
        assert await statuses(server, post(more=[("connection", b"close")]) + post()) == [204]
    assert values(publisher) == [event]


@on_both_loops
async def test_a_request_that_wants_to_upgrade_is_followed_by_others() -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        page = (
            b"GET /page HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        )
        last = post(more=[("connection", b"upgrade, close"), ("upgrade", b"h2c")])
        writer.write(post(more=h2c) + page + post(more=h2c) + post() + last)
        answers = await read_all(reader)
    assert [answer.status for answer in answers] == [204, 404, 204, 204, 204]
    assert values(publisher) == [event] * 4


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"CONNECT zoom.example:443 HTTP/1.1\r\nhost: zoom.example\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nhost: test\r\n\r\n", 404),
        (b"POST /docs HTTP/1.1\r\nhost: test\r\ncontent-length: 3\r\n\r\nabc", 404),
        (b"HEAD /webhooks/zoom HTTP/1.1\r\nhost: test\r\n\r\n", 405),
        (b"TRACE /webhooks/zoom HTTP/1.1\r\nhost: test\r\n\r\n", 405),
        (b"PURGE /webhooks/zoom HTTP/1.1\r\nhost: test\r\n\r\n", 405),
    ],
)
@on_both_loops
async def test_a_method_that_is_not_for_it_is_answered(raw: bytes, status: int) -> None:
    async with served(MemoryPublisher(), docs_enabled=True) as server:
        assert await statuses(server, raw) == [status]


@on_both_loops
async def test_an_answer_to_head_has_no_body() -> None:
    async with (
        served(MemoryPublisher(), docs_enabled=True) as server,
        server.connection() as (reader, writer),
    ):
        writer.write(b"HEAD /docs HTTP/1.1\r\nhost: test\r\n\r\n" + post())
        first = await reader.readuntil(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 200 ")
        assert (await read_response(reader)).status == 204


@on_both_loops
async def test_a_client_that_stops_sending_still_gets_its_answers() -> None:
    publisher = HangingPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        writer.write(post() + post())
        writer.write_eof()
        await publisher.until_sent(2)
        await a_moment()
        publisher.acknowledge_all()
        assert [answer.status for answer in await read_all(reader)] == [204, 204]


@pytest.mark.parametrize("kept_back", [1, len(event), len(event) + 3, 300])
@on_both_loops
async def test_a_client_that_stops_within_a_request_gets_the_answers_before_it(
    kept_back: int,
) -> None:
    publisher = MemoryPublisher()
    async with served(publisher) as server:
        assert await statuses(server, post(), post()[:-kept_back]) == [204]
    assert values(publisher) == [event]


@pytest.mark.parametrize("kept_back", [len(event) + 3, 300])
@on_both_loops
async def test_a_client_that_stops_within_a_head_gets_answers_that_are_still_to_come(
    kept_back: int,
) -> None:
    publisher = HangingPublisher()
    async with served(publisher) as server, server.connection() as (reader, writer):
        writer.write(post() + post()[:-kept_back])
        writer.write_eof()
        await publisher.until_sent(1)
        await a_moment()
        publisher.acknowledge_all()
        assert [answer.status for answer in await read_all(reader)] == [204]


@on_both_loops
async def test_an_expectation_is_met_in_http_1_1_alone() -> None:
    async with served(MemoryPublisher()) as server:
        raw = post(more=[("expect", b"100-Continue")])
        assert await statuses(server, raw) == [100, 204]
        old = post(more=[("expect", b"100-continue")], start="POST {path} HTTP/1.0")
        assert await statuses(server, old) == [204]


@pytest.mark.parametrize(
    ("path", "length", "status"), [("/nobody", 5, 404), ("/default", 2_000_000, 413)]
)
@on_both_loops
async def test_a_sender_that_expects_100_continue_gets_none_for_a_refused_request(
    path: str, length: int, status: int
) -> None:
    async with served(MemoryPublisher()) as server:
        headers = [("expect", b"100-continue")]
        raw = request(b"", path=f"/webhooks/zoom{path}", headers=headers, length=length)
        assert await statuses(server, raw) == [status]


@on_both_loops
async def test_a_trailer_says_nothing_of_who_sent_it() -> None:
    # Proxies write into headers; a trailer is the sender's own word alone.
    apps = {"default": {"secrets": ["the-newest-secret"], "networks": ["192.0.2.0/24"]}}
    publisher = MemoryPublisher()
    async with served(publisher, apps=apps, forwarded_hops=1) as server:

        async def status(forwarded: bytes, trailer: bytes) -> Sequence[int]:
            headers = signed(event, more=[("x-forwarded-for", forwarded)])
            raw = chunked([event], headers=headers)[:-2]
            return await statuses(server, raw + b"x-forwarded-for: " + trailer + b"\r\n\r\n")

        assert await status(b"203.0.113.9", b"192.0.2.1") == [503]
        assert await status(b"192.0.2.1", b"203.0.113.9") == [204]
