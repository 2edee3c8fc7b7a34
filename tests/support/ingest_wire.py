"""What tests of single bytes need: both loops, a clock moved by hand, a broker that hangs."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
import uvloop

from runtime.clock import SystemClock
from runtime.contracts import Sender, Settled
from runtime.values import Record
from tests.support.ingest_server import (
    Headers,
    Response,
    Server,
    event,
    read_response,
    request,
    running,
    signed,
)
from tests.support.patience import HANG_GUARD_S

Case = Callable[..., Coroutine[Any, Any, None]]

_loops = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def on_both_loops(case: Case) -> Callable[..., None]:
    """Run a case on asyncio's loop and on uvloop, whose transports are different code.

    It fails too where an error was logged or an exception reached the loop. Cases must not ask for
    fixtures that live on the session's loop.
    """

    def test(*, new_loop: Callable[[], asyncio.AbstractEventLoop], **arguments: object) -> None:
        unhandled: list[dict[str, Any]] = []
        with structlog.testing.capture_logs() as logs, asyncio.Runner(loop_factory=new_loop) as run:
            run.get_loop().set_exception_handler(lambda _, context: unhandled.append(context))
            run.run(case(**arguments))
        assert unhandled == []
        assert [line for line in logs if line["log_level"] not in {"info", "debug"}] == []

    functools.update_wrapper(test, case)
    del test.__wrapped__  # type: ignore[attr-defined]  # update_wrapper has set it
    own = inspect.Parameter("new_loop", inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.signature(case)
    test.__signature__ = signature.replace(  # type: ignore[attr-defined]  # what pytest reads
        parameters=[*signature.parameters.values(), own]
    )
    return pytest.mark.parametrize("new_loop", _loops.values(), ids=_loops)(test)


class HandClock(SystemClock):
    """The machine's date, but seconds pass only when a test says so.

    Who sleeps looks again soon: bounds of time are then a matter of order, not of patience.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._sleeps = 0
        self._is_held = True

    def monotonic_s(self) -> float:
        return self._now_s

    async def sleep(self, delay_s: float) -> None:
        self._sleeps += 1
        if not self._is_held:
            self._now_s += delay_s
        await super().sleep(min(delay_s, 0.005))

    async def move(self, by_s: float) -> None:
        """Let seconds pass, and return when all who watch the time have seen it."""
        self._now_s += by_s
        seen = self._sleeps + 2
        async with asyncio.timeout(HANG_GUARD_S):
            while self._sleeps < seen:
                await super().sleep(0.001)

    def let_go(self) -> None:
        """Let seconds pass, each in no time."""
        self._is_held = False


@asynccontextmanager
async def served(
    publisher: Sender, *, clock: HandClock | None = None, **changes: object
) -> AsyncIterator[Server]:
    """Run the server; its bounds of time pass by hand, until it drains."""
    hand = clock or HandClock()
    async with running(publisher, clock=hand, **changes) as server:
        try:
            yield server
        finally:
            hand.let_go()


class HangingPublisher:
    """Acknowledges nothing by itself; ``sent`` has each record and who waits for its outcome."""

    def __init__(self) -> None:
        self.ready = True
        self.sent: list[tuple[Record, Settled]] = []

    def send(self, record: Record, settled: Settled) -> None:
        self.sent.append((record, settled))

    async def publish(self, record: Record) -> None:
        raise NotImplementedError

    async def until_sent(self, count: int) -> None:
        await until(lambda: len(self.sent) >= count)

    def acknowledge_all(self) -> None:
        for _, settled in self.sent:
            settled(None)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(HANG_GUARD_S):
        while not true():
            await asyncio.sleep(0.001)


async def read_all(reader: asyncio.StreamReader) -> list[Response]:
    """Read answers until the server ends the connection; one that is cut short is left out."""
    answers = []
    try:
        while True:
            answers.append(await read_response(reader))
    except (asyncio.IncompleteReadError, ConnectionError):
        return answers


def post(
    body: bytes = event,
    *,
    more: Headers = (),
    start: str = "POST {path} HTTP/1.1",
    path: str = "/webhooks/zoom",
) -> bytes:
    """Write a signed request with a length."""
    return request(body, headers=signed(body, more=more), start=start, path=path)


async def statuses(server: Server, *parts: bytes) -> list[int]:
    """Send the parts one by one, then nothing more; return what is answered until the end."""
    async with server.connection() as (reader, writer):
        for part in parts:
            writer.write(part)
            await a_moment()
        writer.write_eof()
        return [answer.status for answer in await read_all(reader)]


async def refused(server: Server, reason: str) -> float:
    """Return how many requests were refused for this reason, apps known and unknown together."""
    name = "zcc_ingest_refused_total"
    apps = ("-", "default")
    return sum([await server.metric(name, app=app, reason=reason) for app in apps])


async def a_moment() -> None:
    """Let the server, which runs on this loop, read what was just written to a socket."""
    for _ in range(4):
        await asyncio.sleep(0)
