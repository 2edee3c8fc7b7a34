"""Sends HTTP requests; the only module that knows the HTTP client.

It follows no redirect, because a token must not travel to another host, and sends nothing twice.
Addresses are sent unchanged; their author escapes them. Error messages hold the host and the class
of the failure only, because the client's messages may quote the request.
"""

import ipaddress
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from zoom.errors import ZoomFault, error_of
from zoom.http.download_addresses import UnsafeAddressError
from zoom.messages import ApiResponse, MultipartPart, Request
from zoom.settings import ZoomSettings

largest_reply_bytes: Final = 16 * 1024 * 1024
"""After decompression; a full page of users has a tenth of it."""

_connections: Final = 64
_chunk_bytes: Final = 64 * 1024
_user_agent: Final = "zoom-contact-center-pipeline"


class _BrokenError(aiohttp.ClientError):
    """The connection broke before an answer; named like the client's own error."""


async def _once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the client from repeating a request that a server may have carried out.

    It repeats GET, PUT and DELETE after its own errors of broken connections, and only those: the
    second call would exceed the budget, and a change would be made twice.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenError(_name(error)) from None


class HttpTransport:
    """A `zoom.messages.Transport` over pooled connections. Open it with `opened`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, request: Request) -> ApiResponse:
        """Send a request and read its answer to the end.

        Raises:
            UnavailableError: no connection, no answer in time, a broken one, or one larger than
                `largest_reply_bytes`.
        """
        with _errors_named(request.url):
            return await _exchange(self._session, request)


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
        middlewares=(_once,),
        headers={"User-Agent": _user_agent, "Accept": "application/json"},
    ) as session:
        yield HttpTransport(session)


class HttpStream:
    """An answer with a streamed body. ``headers`` are by lower-case name."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status: Final = response.status
        self.headers: Final[Mapping[str, str]] = _headers(response)
        self._content = response.content
        self._url = str(response.url)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives, compressed if the server did so; at most 64 KiB at a time.

        Raises:
            UnavailableError: it breaks off, or nothing arrives in time.
        """
        with _errors_named(self._url):
            async for chunk in self._content.iter_chunked(_chunk_bytes):
                yield chunk


class HttpStreams:
    """A `zoom.downloads.ports.Streams` over pooled connections. Open it with `opened_streams`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[HttpStream]:
        """See `zoom.downloads.ports.Streams.get`."""
        with _errors_named(url):
            response = await self._session.get(
                URL(url, encoded=True), headers=headers, allow_redirects=False
            )
        try:
            yield HttpStream(response)
        finally:
            response.close()  # the unread rest stays unread: it may be gigabytes


@asynccontextmanager
async def opened_streams(
    settings: ZoomSettings, *, resolver: AbstractResolver | None = None
) -> AsyncIterator[HttpStreams]:
    """Open streams with time limits for the connection and for each read, not for the whole.

    ``resolver`` resolves hosts, the system's where it is None.
    """
    found_by = aiohttp.ThreadedResolver() if resolver is None else resolver
    guarded = _GuardedResolver(frozenset(settings.download_hosts), found_by)
    limits = aiohttp.ClientTimeout(
        total=None,
        connect=settings.connect_timeout_s,
        sock_read=settings.download_read_timeout_s,
    )
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, resolver=guarded),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=limits,
        middlewares=(_once,),
        auto_decompress=False,
        headers={"User-Agent": _user_agent, "Accept-Encoding": "identity"},
    ) as session:
        yield HttpStreams(session)


class _GuardedResolver(AbstractResolver):
    """Resolves no host to a private address unless the settings name that host.

    Otherwise the owner of one name below an allowed one could send requests to this machine's
    neighbours.
    """

    def __init__(self, named: frozenset[str], resolver: AbstractResolver) -> None:
        self._named = named
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await self._resolver.resolve(host, port, family)
        if host in self._named or all(_is_public(each["host"]) for each in addresses):
            return addresses
        raise UnsafeAddressError(
            f"{host} leads to a private address: name it in ZCC_ZOOM_DOWNLOAD_HOSTS if it should"
        )

    async def close(self) -> None:
        await self._resolver.close()


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_global


async def _exchange(session: aiohttp.ClientSession, request: Request) -> ApiResponse:
    content, content_type = _body(request)
    async with session.request(
        request.method,
        URL(request.url, encoded=True),
        headers={**request.headers, **content_type},
        data=content,
        allow_redirects=False,
    ) as response:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_chunk_bytes):
            body += chunk
            if len(body) > largest_reply_bytes:
                detail = f"a reply of more than {largest_reply_bytes} bytes"
                raise error_of(ZoomFault.UNEXPECTED, detail)
        return ApiResponse(response.status, _headers(response), bytes(body))


def _body(
    request: Request,
) -> tuple[aiohttp.FormData | aiohttp.MultipartWriter | bytes | None, dict[str, str]]:
    """The body, and the header that the client does not add."""
    if request.parts:
        return _multipart(request.parts), {}
    if request.form:
        return aiohttp.FormData(request.form), {}
    if request.json:
        return request.json, {"Content-Type": "application/json"}
    return None, {}


def _multipart(parts: tuple[MultipartPart, ...]) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    for part in parts:
        content_type = part.content_type or (
            "text/plain; charset=utf-8" if part.file_name is None else "application/octet-stream"
        )
        payload = aiohttp.BytesPayload(part.content, content_type=content_type)
        disposition = f"form-data; name={_quoted(part.name)}"
        if part.file_name is not None:
            disposition += f"; filename={_quoted(part.file_name)}"
        payload.headers["Content-Disposition"] = disposition
        writer.append_payload(payload)
    return writer


def _quoted(text: str) -> str:
    """Quote as browsers do. Source: HTML standard, multipart/form-data encoding algorithm."""
    escaped = text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'"{escaped}"'


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


@contextmanager
def _errors_named(url: str) -> Iterator[None]:
    try:
        yield
    except _BrokenError as error:
        raise error_of(ZoomFault.NETWORK, _at(url, str(error))) from None
    except TimeoutError as error:
        raise error_of(ZoomFault.TIMEOUT, _at(url, _name(error))) from None
    except (aiohttp.ClientError, OSError) as error:
        raise error_of(ZoomFault.NETWORK, _at(url, _name(error))) from None


def _at(url: str, trouble: str) -> str:
    """Return the origin of a URL, which holds neither an id nor a secret, with the failure."""
    return f"{URL(url, encoded=True).origin()}: {trouble}"


def _name(error: Exception) -> str:
    return type(error).__name__
