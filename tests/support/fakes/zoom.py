"""Stand-ins for time, for the HTTP client, and for a server that does just what a test says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from pydantic import SecretStr

from runtime.clock import SystemClock
from runtime.errors import TransientError
from zoom.client import ZoomClient, connected
from zoom.http.connection import AccountConnection
from zoom.messages import ApiResponse, Request, Transport
from zoom.rate_limits.scheduler import RateLimitScheduler
from zoom.settings import ZoomSettings

secret = "not-to-be-seen-anywhere"


def zoom_settings(**changes: Any) -> ZoomSettings:
    defaults: dict[str, Any] = {
        "account_id": "an-account",
        "client_id": "a-client",
        "client_secret": SecretStr(secret),
        "plan": "business_plus",
        "share": 1.0,
    }
    return ZoomSettings(**(defaults | changes))


class VirtualClock:
    """Time that passes only when somebody sleeps or the test says so."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.elapsed_s)

    def monotonic_s(self) -> float:
        return 1000.0 + self.elapsed_s

    async def sleep(self, delay_s: float) -> None:
        until_s = self.elapsed_s + delay_s
        await asyncio.sleep(0)
        self.elapsed_s = max(self.elapsed_s, until_s)


class ShiftedClock(SystemClock):
    """Real time, in which pauses can be skipped."""

    def __init__(self) -> None:
        self.skipped_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.skipped_s)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.skipped_s


first_window_s = 2.0
"""A new process leaves the first window to its predecessor: see `zoom.rate_limits.pacing`."""


def client_with(
    transport: Transport, clock: VirtualClock, *, allow_writes: bool = False, **settings: Any
) -> ZoomClient:
    """A client whose first window has passed."""
    zoom = zoom_settings(**settings)
    scheduler = RateLimitScheduler(zoom, clock=clock)
    connection = AccountConnection(zoom, transport=transport, clock=clock, scheduler=scheduler)
    clock.elapsed_s += first_window_s
    return ZoomClient(connection, allow_writes=allow_writes)


@asynccontextmanager
async def client_of(
    settings: ZoomSettings, clock: ShiftedClock | None = None, *, allow_writes: bool = False
) -> AsyncIterator[ZoomClient]:
    """A client over HTTP whose first window has passed."""
    clock = ShiftedClock() if clock is None else clock
    async with connected(settings, clock=clock, allow_writes=allow_writes) as client:
        clock.skipped_s += first_window_s
        yield client


class MemoryLookup:
    """Knows what it is given; an error is raised, "never" is not answered; ``down`` knows nothing.

    Typed for any value, because it stands for lookups of all kinds.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.down = False

    async def get(self, key: str) -> Any | None:
        await asyncio.sleep(0)
        value = self.values.get(key)
        if self.down:
            raise TransientError("down")
        if isinstance(value, Exception):
            raise value
        if value == "never":
            await asyncio.Event().wait()
        return value


def reply(status: int = 200, document: object = None, **headers: str) -> ApiResponse:
    body = b"" if document is None else orjson.dumps(document)
    return ApiResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


Answer = ApiResponse | Exception | Awaitable[ApiResponse]


class ScriptedTransport:
    """Answers tokens by itself and everything else by the script; keeps what was asked."""

    def __init__(self, *script: Answer, tokens: list[Answer] | None = None) -> None:
        self.script = list(script)
        self.tokens = tokens
        self.requests: list[Request] = []
        self.token_requests = 0

    async def send(self, request: Request) -> ApiResponse:
        if request.form:
            self.token_requests += 1
            if self.tokens is None:
                return token_reply(f"token-{self.token_requests}")
            return await _given(self.tokens.pop(0))
        self.requests.append(request)
        return await _given(self.script.pop(0))


def token_reply(value: str = "token-1", **members: object) -> ApiResponse:
    return reply(200, {"access_token": value, "expires_in": 3600} | members)


async def _given(answer: Answer) -> ApiResponse:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, ApiResponse):
        return answer
    return await answer


Serve = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_server(serve: Serve) -> AsyncIterator[str]:
    """Serve one request per connection, ``serve`` writing the bytes; yield the base URL."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await serve(head, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def http(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def http_token() -> bytes:
    return http(200, orjson.dumps({"access_token": secret, "expires_in": 3600}))
