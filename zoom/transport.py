"""Sends HTTP requests; the only module that knows the HTTP client.

Redirects are not followed: a token must not travel to another host. Errors name the host's side of
the trouble by class only, because messages of the client may quote what was sent.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp

from zoom.errors import Fault, error_of
from zoom.exchange import Request, Response
from zoom.settings import ZoomSettings

largest_reply_bytes: Final = 16 * 1024 * 1024
"""After decompression; a full page of users has a tenth of it."""

_connections: Final = 64
_chunk_bytes: Final = 64 * 1024


class HttpTransport:
    """A `zoom.exchange.Transport` over pooled connections. Open it with `opened`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: Request) -> Response:
        """Send and read to the end.

        Raises:
            UnavailableError: no connection, no answer in time, one that breaks off, or one larger
                than `largest_reply_bytes`.
        """
        try:
            return await _exchange(self._session, request)
        except TimeoutError as error:
            raise error_of(Fault.TIMEOUT, _name(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise error_of(Fault.NETWORK, _name(error)) from None


@asynccontextmanager
async def opened(settings: ZoomSettings) -> AsyncIterator[HttpTransport]:
    """Open a transport with these time limits; leaving closes its connections."""
    limits = aiohttp.ClientTimeout(
        total=settings.call_timeout_s,
        sock_connect=settings.connect_timeout_s,
        sock_read=settings.read_timeout_s,
    )
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=limits,
        headers={"User-Agent": "zoom-contact-center-pipeline", "Accept": "application/json"},
    ) as session:
        yield HttpTransport(session)


async def _exchange(session: aiohttp.ClientSession, request: Request) -> Response:
    async with session.request(
        request.method,
        request.url,
        headers=request.headers,
        data=dict(request.form) or None,
        allow_redirects=False,
    ) as response:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_chunk_bytes):
            body += chunk
            if len(body) > largest_reply_bytes:
                detail = f"a reply of more than {largest_reply_bytes} bytes"
                raise error_of(Fault.UNEXPECTED, detail)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, headers, bytes(body))


def _name(error: Exception) -> str:
    return type(error).__name__
