"""What a signed request gets from a running server: kept, sent again, or a challenge's answer."""

import gzip
import hashlib
import hmac
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    challenge,
    chunked,
    event,
    read_response,
    request,
    running,
    signed,
)


@pytest_asyncio.fixture(scope="module")
async def shared_publisher() -> MemoryPublisher:
    return MemoryPublisher()


@pytest_asyncio.fixture(scope="module")
async def server(shared_publisher: MemoryPublisher) -> AsyncIterator[Server]:
    async with running(shared_publisher) as started:
        yield started


@pytest.fixture
def publisher(shared_publisher: MemoryPublisher) -> MemoryPublisher:
    shared_publisher.records.clear()
    return shared_publisher


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/zoom",
        "/webhooks/zoom/",
        "/webhooks/zoom?a=b&c",
        "/webhooks/zoom/?a=b",
        "/webhooks/zoom/default",
        "/webhooks/zoom/default/",
        "/webhooks/zoom/default/?x",
    ],
)
async def test_every_way_to_write_the_url_works_without_a_redirect(
    path: str, server: Server, publisher: MemoryPublisher
) -> None:
    answer = await server.post(path=path)
    assert (answer.status, answer.body) == (204, b"")
    assert [record.value for record in publisher.records] == [event]


async def test_each_app_has_its_own_path_and_secrets(
    server: Server, publisher: MemoryPublisher
) -> None:
    headers = signed(event, secret="the-secret-of-sales")
    for path in ("/webhooks/zoom/sales", "/webhooks/zoom/sales/"):
        assert (await server.post(path=path, headers=headers)).status == 204
    assert dict(publisher.records[0].headers)["zcc-app"] == b"sales"
    assert (await server.post(path="/webhooks/zoom", headers=headers)).status == 503


async def test_an_old_secret_still_works_and_is_counted_as_such(
    server: Server, publisher: MemoryPublisher
) -> None:
    name = "zcc_ingest_verified_total"
    before = await server.metric(name, app="default", secret="1")
    assert (await server.post(headers=signed(event, secret="the-older-secret"))).status == 204
    assert await server.metric(name, app="default", secret="1") == before + 1


async def test_the_record_carries_the_metadata_of_its_request(
    server: Server, publisher: MemoryPublisher
) -> None:
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await server.post(headers=signed(event, more=[("traceparent", trace)]))
    headers = dict(publisher.records[0].headers)
    assert headers["zcc-request-id"] == b"0a1b2c3d_0001_0002_0003_0123456789ab"
    assert headers["traceparent"] == trace
    assert headers["zcc-received-at"].endswith(b"Z")


@pytest.mark.parametrize("secret", ["the-newest-secret", "the-older-secret"])
async def test_a_challenge_is_answered_with_the_secret_that_signed_it(
    secret: str, server: Server, publisher: MemoryPublisher
) -> None:
    answer = await server.post(challenge, headers=signed(challenge, secret=secret))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert orjson.loads(answer.body) == {
        "plainToken": "the-token",
        "encryptedToken": hmac.new(secret.encode(), b"the-token", hashlib.sha256).hexdigest(),
    }
    assert publisher.records == []


@pytest.mark.parametrize("begin", ["v0:", "v1:", "v12:"])
async def test_a_challenge_that_would_obtain_the_signature_of_a_body_gets_none(
    begin: str, server: Server, publisher: MemoryPublisher
) -> None:
    token = f"{begin}1751364000:{event.decode()}"
    other_challenge = orjson.dumps(
        {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    )
    answer = await server.post(other_challenge)
    assert (answer.status, answer.body) == (204, b"")
    assert dict(publisher.records[0].headers)["zcc-reason"] == b"not_an_envelope"


@pytest.mark.parametrize("token", ["v0", "v:0", "av0:", "V0:"])
async def test_a_challenge_whose_token_only_looks_a_little_like_it_is_answered(
    token: str, server: Server
) -> None:
    other_challenge = orjson.dumps(
        {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    )
    assert orjson.loads((await server.post(other_challenge)).body)["plainToken"] == token


async def test_an_unsigned_challenge_is_not_answered(server: Server) -> None:
    answer = await server.post(challenge, headers=[])
    assert (answer.status, answer.body) == (401, b"")


unreadable = {
    "nothing": b"",
    "not JSON": b"account=1&event=2",
    "nesting of 100,000": b'{"a":' * 100_000,
    "nesting of 100,000 that ends": b"[" * 100_000 + b"]" * 100_000,
    "nesting of 1,024": event.replace(b'"e1"', b"[" * 1024 + b"]" * 1024),
    "nesting of 1,025": event.replace(b'"e1"', b"[" * 1025 + b"]" * 1025),
    "nesting of 300": b'{"event":' * 300 + b"1" + b"}" * 300,
    "a number of 5,000 digits": event.replace(b"1751364000000", b"1" * 5000),
    "bytes that are no UTF-8": event.replace(b"e1", b"\xff"),
    "NaN": event.replace(b"1751364000000", b"NaN"),
    "an array": b"[" + event + b"]",
    "a string": b'"event"',
    "null": b"null",
    "no members": b"{}",
    "no account": event.replace(b"account_id", b"account_no"),
    "no event": event.replace(b'"event"', b'"evnt"'),
    "no time": event.replace(b"event_ts", b"event_at"),
    "a time before 1970": event.replace(b"1751364000000", b"-1"),
    "a payload that is none": b'{"event":"a","event_ts":1,"payload":[]}',
    "a challenge without a token": b'{"event":"endpoint.url_validation","payload":{}}',
    "a compressed body": gzip.compress(event),
}


@pytest.mark.parametrize("case", unreadable)
async def test_a_signed_body_that_cannot_be_read_is_kept_in_quarantine(
    case: str, server: Server, publisher: MemoryPublisher
) -> None:
    body = unreadable[case]
    assert (await server.post(body)).status == 204
    (record,) = publisher.records
    assert record.topic == "zcc.quarantine.v1"
    assert record.key == b"0a1b2c3d_0001_0002_0003_0123456789ab"
    assert record.value == body
    reason = dict(record.headers)["zcc-reason"].decode()
    assert await server.metric("zcc_ingest_quarantined_total", reason=reason) > 0


odd_but_readable = {
    "NUL in a string": event.replace(b"e1", b"\\u0000"),
    "emoji": event.replace(b"e1", "😀".encode()),
    "emoji and escapes for one another": event.replace(b"e1", "😀\\ud83d\\ude00ü\\u00fc".encode()),
    "escapes that nobody needs": event.replace(b"engagement_id", b"\\u0065ngagement\\u005fid"),
    "a solidus in two ways": event.replace(b"e1", b"/\\/"),
    "numbers in odd forms": event.replace(b'"e1"', b"-0.00e+10"),
    "its members the other way round": (
        b'{"payload":{"object":{"engagement_id":"e1"},"account_id":"account"},'
        b'"event_ts":1751364000000,"event":"contact_center.engagement_started"}'
    ),
    "blanks around it": b" \r\n\t" + event + b"\n\n",
    "an escaped emoji": event.replace(b"e1", b"\\ud83d\\ude00"),
    "spaces": event.replace(b":", b" :\n\t"),
    "duplicate keys": event.replace(b"{", b'{"event":"x",', 1),
    "half a surrogate pair": event.replace(b"e1", b"\\ud800"),
    "a number beyond a double": event.replace(b'"e1"', b"1e309"),
    "a number of 5,000 digits, but not the time": event.replace(b'"e1"', b"1" * 5000),
    "a byte order mark": b"\xef\xbb\xbf" + event,
    "an integer of 64 bits": event.replace(b'"e1"', b"18446744073709551616"),
    "members that nobody knows": event.replace(b"{", b'{"new":[1,{"a":null}],', 1),
}


@pytest.mark.parametrize("case", odd_but_readable)
async def test_a_signed_body_that_is_odd_but_readable_reaches_its_topic_unchanged(
    case: str, server: Server, publisher: MemoryPublisher
) -> None:
    body = odd_but_readable[case]
    assert (await server.post(body)).status == 204
    (record,) = publisher.records
    assert (record.topic, record.value) == ("zcc.engagement.v1", body)


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"nonsense"])
async def test_a_signed_body_with_an_encoding_is_kept_in_quarantine_as_it_came(
    encoding: bytes, server: Server, publisher: MemoryPublisher
) -> None:
    body = gzip.compress(event)
    headers = signed(body, more=[("content-encoding", encoding)])
    assert (await server.post(body, headers=headers)).status == 204
    (record,) = publisher.records
    assert (record.topic, record.value) == ("zcc.quarantine.v1", body)
    assert dict(record.headers)["zcc-reason"] == b"encoded"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity", b"nonsense"])
async def test_a_signed_body_that_can_be_read_is_an_event_whatever_its_encoding_says(
    encoding: bytes, server: Server, publisher: MemoryPublisher
) -> None:
    headers = signed(event, more=[("content-encoding", encoding)])
    assert (await server.post(headers=headers)).status == 204
    (record,) = publisher.records
    assert (record.topic, record.value) == ("zcc.engagement.v1", event)


async def test_an_unknown_event_is_kept_on_the_unknown_topic(
    server: Server, publisher: MemoryPublisher
) -> None:
    body = event.replace(b"engagement_started", b"invented_yesterday")
    assert (await server.post(body)).status == 204
    assert publisher.records[0].topic == "zcc.unknown.v1"
    assert await server.metric("zcc_ingest_accepted_total", family="unknown") > 0


@pytest.mark.parametrize(
    "more",
    [
        [("content-type", b"text/plain")],
        [("content-encoding", b"identity")],
        [("accept", b"text/html")],
        [("traceparent", b"nonsense"), ("traceparent", b"more")],
        [("x-odd", "ünïcödé".encode("latin-1"))],
        [("cookie", b"a" * 10_000)],
        [("authorization", b"\xff\xfe")],
        [("connection", b"upgrade")],
    ],
)
async def test_no_other_header_can_refuse_a_signed_body(
    more: list[tuple[str, bytes]], server: Server, publisher: MemoryPublisher
) -> None:
    assert (await server.post(headers=signed(event, more=more))).status == 204
    assert [record.value for record in publisher.records] == [event]


@pytest.mark.parametrize("request_id", [None, b"", b"x" * 5000, "ünïcödé".encode()])
async def test_a_request_id_that_is_none_does_no_harm(
    request_id: bytes | None, server: Server, publisher: MemoryPublisher
) -> None:
    headers = [header for header in signed(event) if header[0] != "x-zm-request-id"]
    if request_id is not None:
        headers.append(("x-zm-request-id", request_id))
    assert (await server.post(headers=headers)).status == 204
    assert "zcc-request-id" not in dict(publisher.records[0].headers)


async def test_chunks_are_put_together(server: Server, publisher: MemoryPublisher) -> None:
    raw = chunked([event[:1], event[1:50], event[50:]], headers=signed(event))
    assert (await server.send(raw)).status == 204
    assert [record.value for record in publisher.records] == [event]


async def test_an_http_1_0_request_is_answered_and_closed(
    server: Server, publisher: MemoryPublisher
) -> None:
    async with server.connection() as (reader, writer):
        writer.write(request(event, headers=signed(event), start="POST {path} HTTP/1.0"))
        assert (await read_response(reader)).status == 204
        assert await reader.read() == b""


async def test_pipelined_requests_are_answered_in_order(
    server: Server, publisher: MemoryPublisher
) -> None:
    async with server.connection() as (reader, writer):
        forged = request(event, headers=signed(event, secret="wrong"))
        good = request(event, headers=signed(event))
        writer.write(good + forged + good)
        assert [(await read_response(reader)).status for _ in range(3)] == [204, 401, 204]


async def test_a_sender_that_expects_100_continue_gets_it(
    server: Server, publisher: MemoryPublisher
) -> None:
    raw = request(event, headers=signed(event, more=[("expect", b"100-continue")]))
    async with server.connection() as (reader, writer):
        writer.write(raw.removesuffix(event))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(event)
        assert (await read_response(reader)).status == 204


async def test_docs_are_served_only_when_enabled(server: Server) -> None:
    assert (await server.get("/docs")).status == 404
    assert (await server.get("/openapi.json")).status == 404
    async with running(MemoryPublisher(), docs_enabled=True) as documented:
        assert (await documented.get("/docs")).status == 200
        assert (await documented.get("/openapi.json")).status == 200


async def test_answers_are_counted_by_app_and_status(
    server: Server, publisher: MemoryPublisher
) -> None:
    before = await server.metric("zcc_ingest_responses_total", app="default", status="204")
    await server.post()
    after = await server.metric("zcc_ingest_responses_total", app="default", status="204")
    assert after == before + 1
