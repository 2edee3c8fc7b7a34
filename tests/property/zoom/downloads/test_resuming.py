"""However connections break and content changes, what is fetched is one content, whole."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fakes.simulated_time import SimulatedClock, simulate
from tests.support.fakes.zoom import zoom_settings
from zoom.downloads.arriving import max_breaks
from zoom.downloads.fetching import Downloads
from zoom.errors import ZoomFault, error_of
from zoom.http.oauth import Token


@dataclass(frozen=True)
class Connection:
    """What a server holds while one connection lasts, and how it treats it."""

    content: bytes
    validator: str
    knows_ranges: bool
    heeds_if_range: bool
    tells_length: bool
    breaks_after: int


class Answer:
    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, *, whole: bool
    ) -> None:
        self.status = status
        self.headers = headers
        self._body = body
        self._whole = whole

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for start in range(0, len(self._body), 7):
            yield self._body[start : start + 7]
        if not self._whole:
            raise error_of(ZoomFault.NETWORK, "broken")


class Server:
    """`zoom.downloads.ports.Streams`: one connection after the other, the last to its end."""

    def __init__(self, connections: list[Connection], last: Connection) -> None:
        self.connections = connections
        self.last = last

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str], /) -> AsyncIterator[Answer]:
        cut = self.connections.pop(0) if self.connections else None
        yield answer(cut or self.last, headers, cut=cut is not None)


def answer(held: Connection, headers: Mapping[str, str], *, cut: bool) -> Answer:
    reply_headers = {"etag": held.validator} if held.validator else {}
    start = 0
    wished = headers.get("Range") if held.knows_ranges else None
    if wished and (not held.heeds_if_range or headers.get("If-Range") == held.validator):
        start = int(wished.removeprefix("bytes=").removesuffix("-"))
        if start >= len(held.content):
            return Answer(416, {}, b"", whole=True)
    body = held.content[start:]
    if start:
        size = len(held.content)
        reply_headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
    elif held.tells_length:
        reply_headers["content-length"] = str(len(body))
    else:
        reply_headers["transfer-encoding"] = "chunked"
    sent = body[: held.breaks_after] if cut else body
    return Answer(206 if start else 200, reply_headers, sent, whole=not cut)


class Memory:
    def __init__(self) -> None:
        self.content = b""

    async def write(self, chunk: bytes, /) -> None:
        self.content += chunk

    async def restart(self) -> None:
        self.content = b""


class Tokens:
    async def token(self) -> Token:
        return Token(
            value="t", api_url="https://zoom.us/v2", requested_at_s=0, renew_at_s=1, expires_at_s=1
        )

    async def renew(self, refused: Token, /) -> Token:
        raise AssertionError("nobody refuses it")


versions = {b"a" * 40: '"a"', b"b" * 40: '"b"', b"c" * 60: '"c"'}
"""Contents that differ in every byte, some of them of the same size, and their entity tags."""


@st.composite
def connections(draw: st.DrawFn) -> Connection:
    content, tag = draw(st.sampled_from(sorted(versions.items())))
    validator = draw(st.sampled_from([tag, tag, ""]))
    return Connection(
        content,
        validator,
        draw(st.sampled_from([True, True, False])),
        not validator or draw(st.booleans()),
        draw(st.booleans()),
        draw(st.integers(0, 60)),
    )


@pytest.mark.thorough
@settings(max_examples=300)
@given(st.lists(connections(), max_size=max_breaks - 1), connections())
def test_what_is_fetched_is_one_content_and_whole(cuts: list[Connection], last: Connection) -> None:
    target = Memory()

    async def fetched() -> tuple[bytes, str, int]:
        downloads = Downloads(
            zoom_settings(),
            streams=Server([*cuts], last),
            tokens=Tokens(),
            clock=SimulatedClock(),
        )
        digest = await downloads.fetch("https://zoom.us/a", target)
        return target.content, digest.sha256, digest.size_bytes

    content, sha256, size_bytes = simulate(fetched())
    assert content == last.content
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert size_bytes == len(content)
