"""What a call of the Zoom client costs beyond its HTTP client: `python -m benchmarks.zoom_client`.

A server on this machine, a process of its own, answers each request with the same short document.
The bare HTTP client and `ZoomClient.call` request the same addresses in turns, round by round. Both
read the document; `ZoomClient.call` also checks the arguments, takes a grant of the scheduler, for
which it does not wait, and maps the answer. The last line is one JSON object; times are processor
time of the calling process per call, the median of the rounds.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from multiprocessing.connection import Connection
from statistics import median
from typing import Final

import aiohttp
import orjson
from pydantic import SecretStr

from benchmarks.contract import commit, machine
from runtime.clock import SystemClock
from zoom.catalogue import find
from zoom.client import connected
from zoom.limits import Label
from zoom.requests.arguments import address
from zoom.settings import ZoomSettings

target_us: Final = 300.0

_document: Final = orjson.dumps({"user_id": "u" * 22, "display_name": "Somebody", "teams": []})
_token: Final = orjson.dumps({"access_token": "t" * 600, "expires_in": 3600, "scope": ""})

_noon: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
_calls: Final[Mapping[str, Mapping[str, object]]] = {
    "get_user": {"user_id": "u" * 22},
    "list_engagements": {
        "from_": _noon - timedelta(hours=1),
        "to": _noon,
        "channel_types": ["voice", "video"],
        "direction": "inbound",
        "page_size": 100,
        "next_page_token": "t" * 40,
    },
}
"""One with as few arguments as there are, one with many."""

Ask = Callable[[], Awaitable[object]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--calls", type=int, default=500, help="in each round")
    options = parser.parse_args()
    with _served() as url:
        figures = asyncio.run(_measured(url, options.rounds, options.calls))
    overheads = [each["overhead_us"] for each in figures.values()]
    report = {
        "benchmark": "zoom_client",
        "calls": figures,
        "target_us": target_us,
        "met": max(overheads) < target_us,
        "rounds": options.rounds,
        "calls_per_round": options.calls,
        "python": platform.python_version(),
        "aiohttp": version("aiohttp"),
        "cores": os.cpu_count(),
        "machine": machine(),
        "commit": commit(),
    }
    print(json.dumps(report))


async def _measured(url: str, rounds: int, calls: int) -> Mapping[str, Mapping[str, float]]:
    settings = ZoomSettings(
        account_id="account",
        client_id="client",
        client_secret=SecretStr("secret of a benchmark"),
        oauth_url=f"{url}/oauth/token",
        api_url=f"{url}/v2",
        share=1.0,
        calls_per_second=dict.fromkeys(Label, 10_000),
        calls_per_day={Label.HEAVY: 10_000_000},
    )
    figures = {}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        connected(settings, clock=SystemClock()) as client,
    ):
        for name, arguments in _calls.items():
            operation = find(name)
            target = f"{url}/v2{address(operation, arguments)}"
            headers = {"Authorization": f"Bearer {'t' * 600}"}

            async def bare(target: str = target, headers: dict[str, str] = headers) -> object:
                async with session.get(target, headers=headers) as response:
                    return orjson.loads(await response.read())

            async def ours(name: str = name, arguments: Mapping[str, object] = arguments) -> object:
                return await client.call(name, **arguments)

            figures[name] = await _compared(bare, ours, rounds, calls)
    return figures


async def _compared(bare: Ask, ours: Ask, rounds: int, calls: int) -> Mapping[str, float]:
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for ask, times in zip((bare, ours), spent, strict=True):
            times.append(await _cost_us(ask, calls))
    bare_us, ours_us = (median(times[1:]) for times in spent)  # the first round warms up
    return {
        "bare_us": round(bare_us, 1),
        "ours_us": round(ours_us, 1),
        "overhead_us": round(ours_us - bare_us, 1),
    }


async def _cost_us(ask: Ask, calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        await ask()
    return (time.process_time() - start) / calls * 1e6


@contextmanager
def _served() -> Iterator[str]:
    """Serve in a process of its own; yield the base URL."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there,), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(connection: Connection) -> None:
    asyncio.run(_serve_for_ever(connection))


async def _serve_for_ever(connection: Connection) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request after the other; the only one with a body ends its connection."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            for_token = head.startswith(b"POST")
            body = _token if for_token else _document
            connection = b"close" if for_token else b"keep-alive"
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Connection: %s\r\nContent-Length: %d\r\n\r\n%s" % (connection, len(body), body)
            )
            if for_token:
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


if __name__ == "__main__":
    main()
