"""Downloads under test, and servers that say just what a test wants."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from tests.support.fakes.zoom import VirtualClock, http, raw_server, secret, zoom_settings
from zoom.downloads.arriving import Downloaded
from zoom.downloads.fetching import Downloads, Promise, opened_downloads
from zoom.http.oauth import Token

content = bytes(range(256)) * 1200
"""More than one read of a connection brings."""
fetched = Downloaded(len(content), hashlib.sha256(content).hexdigest(), "audio/mp4")
Answer = bytes | Callable[[asyncio.StreamWriter], Any]


class Tokens:
    """`zoom.downloads.ports.Tokens`: a new one at each renewal."""

    def __init__(self) -> None:
        self.api_url = ""
        self.renewals = 0

    async def token(self) -> Token:
        return Token(
            value=f"{secret}-{self.renewals}",
            api_url=self.api_url,
            requested_at_s=0,
            renew_at_s=1,
            expires_at_s=1,
        )

    async def renew(self, refused: Token, /) -> Token:
        self.renewals += 1
        return await self.token()


class ScriptedServer:
    """Gives one answer after the other, the last of them ever again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []

    async def serve(self, head: str, writer: asyncio.StreamWriter) -> None:
        self.requests.append(head)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(writer)

    def tokens_seen(self) -> list[bool]:
        return [secret in head for head in self.requests]


class MemoryTarget:
    """`zoom.downloads.ports.Target` that keeps the bytes."""

    def __init__(self) -> None:
        self.content = b""
        self.restarts = 0

    async def write(self, chunk: bytes, /) -> None:
        self.content += chunk

    async def restart(self) -> None:
        self.content = b""
        self.restarts += 1


class Rig:
    """Downloads, and servers whose addresses are known before what they answer."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.tokens = Tokens()
        self.clock = VirtualClock()
        self.target = MemoryTarget()

    async def server(self, *answers: Answer) -> tuple[ScriptedServer, str]:
        server = ScriptedServer(*answers)
        url = await self.stack.enter_async_context(raw_server(server.serve))
        self.tokens.api_url = self.tokens.api_url or f"{url}/v2"
        return server, url

    async def downloads(self, **changes: Any) -> Downloads:
        settings = {"download_hosts": "127.0.0.1", "download_read_timeout_s": 0.5} | changes
        return await self.stack.enter_async_context(
            opened_downloads(zoom_settings(**settings), tokens=self.tokens, clock=self.clock)
        )

    async def fetch(self, *answers: Answer, promise: Promise | None = None) -> Downloaded:
        _, url = await self.server(*answers)
        downloads = await self.downloads()
        return await downloads.fetch(f"{url}/a", self.target, promise=promise or Promise())


def file_response(body: bytes = content, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http(200, body, {"Content-Type": "audio/mp4; x=y"} | named)


def broken_response(after: int, **headers: str) -> bytes:
    return file_response(**headers)[
        : len(file_response(b"0" * len(content), **headers)) - len(content) + after
    ]


def broken_chunks(after: int) -> bytes:
    head = b'HTTP/1.1 200 OK\r\nContent-Type: audio/mp4\r\nETag: "v1"\r\n'
    return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (after, content[:after])


def rest_response(start: int, body: bytes = content, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    place = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
    return http(206, body[start:], {"Content-Type": "audio/mp4"} | place | named)


def redirect(url: str, status: int = 302) -> bytes:
    return http(status, b"moved", {"Location": url})


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0
