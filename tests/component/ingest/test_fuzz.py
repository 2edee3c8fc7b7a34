"""Whatever is sent, the server answers the next good request, and loses nothing that was signed.

What is sent is random, or a good request that was broken, or signed and odd. After each example the
server gets one good request: it admits few requests at once, so an admission that leaks would soon
block it.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest
import structlog
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import TransientError
from tests.support.ingest_server import (
    MemoryPublisher,
    Server,
    chunked,
    event,
    request,
    running,
    signed,
)
from tests.support.ingest_wire import a_moment, served
from tests.support.patience import HANG_GUARD_S

short_examples = 150
long_s = 20.0
"""For each of three tests."""
status_line = re.compile(rb"HTTP/1\.1 (\d{3}) ")


class ForgetfulBroker(MemoryPublisher):
    """Refuses every seventh record."""

    def __init__(self) -> None:
        super().__init__(self._refuse_some)
        self.count = 0

    async def _refuse_some(self) -> None:
        self.count += 1
        if self.count % 7 == 0:
            raise TransientError("no acknowledgement")


class Fuzzed:
    """A server on a loop that stands still between examples."""

    def __init__(self, run: asyncio.Runner, server: Server, broker: ForgetfulBroker) -> None:
        self._run = run
        self._server = server
        self._broker = broker

    def answers(self, parts: Sequence[bytes]) -> tuple[list[int], list[bytes | None]]:
        """Return what is answered to the parts, sent one by one, and what is kept of them."""
        self._broker.records.clear()
        statuses = self._run.run(self._sent(parts))
        kept = [record.value for record in self._broker.records]
        self._run.run(self._goes_on())
        return statuses, kept

    async def _sent(self, parts: Sequence[bytes]) -> list[int]:
        async with asyncio.timeout(HANG_GUARD_S), self._server.connection() as (reader, writer):
            for part in parts:
                if not writer.is_closing():  # it need not listen to what it has refused
                    writer.write(part)
                    await a_moment()
            if not writer.is_closing():
                writer.write_eof()
            received = b""
            with suppress(ConnectionError):
                while more := await reader.read(65536):
                    received += more
        return [int(status) for status in status_line.findall(received)]

    async def _goes_on(self) -> None:
        answers = [await self._server.post() for _ in range(2)]
        assert 204 in {answer.status for answer in answers}


@asynccontextmanager
async def fuzzed_server() -> AsyncIterator[tuple[Server, ForgetfulBroker]]:
    broker = ForgetfulBroker()
    async with served(broker, max_requests=40, docs_enabled=True) as server:
        yield server, broker


@contextmanager
def quiet(unhandled: list[dict[str, Any]]) -> Iterator[None]:
    """Fail where an error was logged or an exception reached the loop."""
    with structlog.testing.capture_logs() as logs:
        yield
    assert unhandled == []
    assert [line for line in logs if line["log_level"] not in {"info", "debug"}] == []


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Fuzzed]:
    unhandled: list[dict[str, Any]] = []
    with quiet(unhandled), asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        loop = run.get_loop()
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        started: asyncio.Future[tuple[Server, ForgetfulBroker]] = loop.create_future()
        over = asyncio.Event()

        async def hold() -> None:
            async with fuzzed_server() as server_and_broker:
                started.set_result(server_and_broker)
                await over.wait()

        async def wait_for(future: asyncio.Future[Any]) -> Any:
            return await future

        held = loop.create_task(hold())
        server, broker = run.run(wait_for(started))
        yield Fuzzed(run, server, broker)
        over.set()
        run.run(wait_for(held))


def fuzzing(*, examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


lengths = st.sampled_from([None, *range(40)])
both_ways = pytest.mark.parametrize(
    "long",
    [False, pytest.param(True, marks=pytest.mark.long)],
    ids=["short", "long"],
)


def fuzz(strategy: st.SearchStrategy[Any], case: Callable[[Any], None], *, long: bool) -> None:
    """Run a case over some examples, or over others again and again for `long_s`."""
    test = fuzzing(examples=short_examples)(given(strategy)(case))
    until_s = time.monotonic() + (long_s if long else 0)
    test()
    while time.monotonic() < until_s:
        test()


def no_defect(statuses: Sequence[int]) -> None:
    assert all(status < 500 or status == 503 for status in statuses)


def in_parts(raw: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({cut % (len(raw) + 1) for cut in cuts} | {0, len(raw)})
    return [raw[begin:end] for begin, end in pairwise(places)]


cuts = st.lists(st.integers(0, 100_000), max_size=4)


@both_ways
def test_random_bytes_are_answered_or_not_but_never_by_a_defect(
    fuzzed: Fuzzed, *, long: bool
) -> None:
    words = st.sampled_from(
        [
            *(b"POST ", b"GET ", b"PRI * HTTP/2.0", b"/webhooks/zoom", b" HTTP/1.1", b"http://"),
            *(b"\r\n", b"\n", b"\r", b": ", b"0\r\n\r\n", b"\x00", b"content-length: ", b"5"),
            *(b"transfer-encoding: chunked\r\n", b"connection: upgrade\r\nupgrade: h2c\r\n"),
            *(b"expect: 100-continue\r\n", b"x-zm-signature: v0=", b"{", b'"', b"%", b"?"),
        ]
    )
    random_bytes = st.binary(max_size=300) | st.lists(
        words | st.binary(max_size=8), max_size=25
    ).map(b"".join)

    def case(example: tuple[bytes, list[int]]) -> None:
        statuses, kept = fuzzed.answers(in_parts(*example))
        no_defect(statuses)
        assert kept == []

    fuzz(st.tuples(random_bytes, cuts), case, long=long)


def good_requests() -> list[bytes]:
    more = [("connection", b"upgrade"), ("upgrade", b"h2c"), ("expect", b"100-continue")]
    return [
        request(event, headers=signed(event)),
        chunked([event[:20], event[20:]], headers=signed(event)),
        request(event, headers=signed(event, more=more)),
        request(event, headers=signed(event), start="POST http://test{path}?a=%20 HTTP/1.0"),
        b"GET /docs HTTP/1.1\r\nhost: test\r\n\r\n",
        b"GET /openapi.json HTTP/1.1\r\nhost: test\r\n\r\n",
    ]


@both_ways
def test_a_good_request_that_was_broken_is_kept_whole_or_not_at_all(
    fuzzed: Fuzzed, *, long: bool
) -> None:
    place = st.integers(0, 100_000)
    change = st.tuples(place, st.integers(0, 30), st.binary(max_size=6) | place)

    def broken(raw: bytes, changes: Sequence[tuple[int, int, bytes | int]]) -> bytes:
        """Replace slices: by other bytes, or by another slice of the same request."""
        for begin, size, new in changes:
            at = begin % (len(raw) + 1)
            inserted = new if isinstance(new, bytes) else raw[new % len(raw) :][:size]
            raw = raw[:at] + inserted + raw[at + size :]
            if not raw:
                break
        return raw

    def case(example: tuple[list[tuple[int, list[Any]]], list[int]]) -> None:
        which, where = example
        good = good_requests()
        raw = b"".join(broken(good[index], changes) for index, changes in which)
        statuses, kept = fuzzed.answers(in_parts(raw, where))
        no_defect(statuses)
        assert set(kept) <= {event}
        assert len(kept) >= statuses.count(204)

    requests = st.lists(
        st.tuples(st.integers(0, 5), st.lists(change, max_size=3)), min_size=1, max_size=3
    )
    fuzz(st.tuples(requests, cuts), case, long=long)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.tuples(st.integers(0, len(event)), st.binary(max_size=5)).map(
        lambda change: event[: change[0]] + change[1] + event[change[0] :]
    ),
    st.integers(1, 400).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth),
    st.just(b'{"event":"endpoint.url_validation","payload":{"plainToken":"t"}}'),
    st.integers(0, 100_000).map(lambda size: event + b" " * size),
)
odd_headers = st.lists(
    st.tuples(
        st.from_regex(r"x-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True)
        | st.sampled_from(["Traceparent", "X-Zm-Request-Id", "Content-Encoding", "Cookie"]),
        st.binary(max_size=12).map(lambda value: bytes(b for b in value if b >= 32 and b != 127)),
    ),
    max_size=4,
)


@both_ways
def test_what_is_signed_is_kept_or_answered_503_whatever_it_holds(
    fuzzed: Fuzzed, *, long: bool
) -> None:
    def case(example: tuple[bytes, Any, int | None, list[int]]) -> None:
        body, more, size, where = example
        headers = signed(body, more=more)
        if size is None:
            raw = request(body, headers=headers)
        else:
            step = size + 1
            pieces = [body[at : at + step] for at in range(0, min(len(body), 400 * step), step)]
            pieces.append(body[400 * step :])
            raw = chunked([piece for piece in pieces if piece], headers=headers)
        (status,), kept = fuzzed.answers(in_parts(raw, where))
        assert status in {200, 204, 503}
        if status == 204:
            assert kept == [body]
        if status == 200:
            assert b"endpoint.url_validation" in body

    fuzz(st.tuples(bodies, odd_headers, lengths, cuts), case, long=long)


@contextmanager
def served_in_a_thread(publisher: MemoryPublisher) -> Iterator[Server]:
    """Run the server on a loop of its own, for a client that blocks."""
    started: list[tuple[Server, asyncio.Event]] = []
    has_started = threading.Event()

    async def serve() -> None:
        async with running(publisher, docs_enabled=True) as server:
            over = asyncio.Event()
            started.append((server, over))
            has_started.set()
            await over.wait()

    unhandled: list[dict[str, Any]] = []
    with quiet(unhandled), asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
        loop = run.get_loop()
        loop.set_exception_handler(lambda _, context: unhandled.append(context))
        thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
        thread.start()
        try:
            assert has_started.wait(HANG_GUARD_S)
            server, over = started[0]
            yield server
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join(HANG_GUARD_S)


@both_ways
@pytest.mark.parametrize("mode", ["positive", "negative"])
@pytest.mark.parametrize("path", ["/webhooks/zoom", "/webhooks/zoom/{app}"])
def test_what_the_document_describes_is_answered_as_it_says(
    path: str, mode: str, *, long: bool
) -> None:
    schemathesis = pytest.importorskip(
        "schemathesis", reason="schemathesis is not installed: the document is not fuzzed"
    )
    import requests  # noqa: PLC0415 - schemathesis brings it

    publisher = MemoryPublisher()
    with served_in_a_thread(publisher) as server, requests.Session() as session:
        base_url = f"http://127.0.0.1:{server.port}"
        schema = schemathesis.openapi.from_url(f"{base_url}/openapi.json")
        (operation,) = (
            result.ok() for result in schema.get_all_operations() if result.ok().path == path
        )
        documented = {int(status) for status in operation.definition.raw["responses"]}

        def case(generated: Any) -> None:
            arguments = generated.as_transport_kwargs(base_url=base_url)
            for name in ("verify", "timeout", "cert", "proxies"):
                arguments.pop(name, None)
            raw = session.prepare_request(requests.Request(**arguments))
            body = raw.body if isinstance(raw.body, bytes) else (raw.body or "").encode()
            for sign in (False, True):
                if sign:
                    raw.headers.update(dict(signed(body)))
                publisher.records.clear()
                answer = session.send(raw)
                assert answer.status_code in documented
                kept = [record.value for record in publisher.records]
                # 503 is for what settings of ours may keep out; a defect would be kept besides.
                assert kept == ([body] if answer.status_code == 204 else [])

        generation = schemathesis.GenerationMode(mode)
        fuzz_each = fuzzing(examples=100 if long else 10)
        fuzz_each(given(operation.as_strategy(generation_mode=generation))(case))()
