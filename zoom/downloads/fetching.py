"""Fetches recordings, transcripts and attachments: complete, verified, and from Zoom alone.

One download takes a few requests. Redirects are followed here, each to an allowed host, and the
token is not sent again after a redirect to another origin. A broken download continues at its end
if the content is provably the same, otherwise from its beginning. Downloads have no rate-limit
label, so only a bounded number of them run at a time. Source: Zoom Contact Center REST API,
recordings; RFC 9110.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from runtime.clock import Clock
from zoom.downloads.arriving import Arriving, Downloaded, DownloadRetries
from zoom.downloads.file import new_file
from zoom.downloads.pieces import Piece, piece_in
from zoom.downloads.ports import Stream, Streams, Target, Tokens
from zoom.errors import UnavailableError, ZoomError, ZoomFault, code_of, error_of, retry_after_s
from zoom.http.download_addresses import Address, address_of
from zoom.http.transport import opened_streams
from zoom.messages import ApiResponse
from zoom.metrics import metrics
from zoom.settings import ZoomSettings

max_redirects: Final = 5
largest_refusal_bytes: Final = 16 * 1024
"""Bytes read of an answer that is not a file, to find Zoom's code."""

_passing: Final = frozenset({ZoomFault.TIMEOUT, ZoomFault.NETWORK, ZoomFault.OUTAGE})
_redirects: Final = frozenset({301, 302, 303, 307, 308})
_web_pages: Final = ("text/html", "application/xhtml+xml")

_faults: Final[Mapping[int, ZoomFault]] = {
    HTTPStatus.BAD_REQUEST: ZoomFault.REFUSED,
    HTTPStatus.UNAUTHORIZED: ZoomFault.TOKEN_REFUSED,
    HTTPStatus.FORBIDDEN: ZoomFault.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ZoomFault.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: ZoomFault.OUTAGE,
    HTTPStatus.GONE: ZoomFault.GONE,
    HTTPStatus.TOO_MANY_REQUESTS: ZoomFault.RATE_LIMITED,
}
"""By status; from 500 on it is an outage, any other status is unexpected. For a missing file a
storage system may answer with a page of its own, so no code of Zoom's is required."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The expected file. ``content_types`` are prefixes: ``audio/``, ``text/vtt``.

    Without any, every type but a web page is accepted.
    """

    size_bytes: int | None = None
    content_types: tuple[str, ...] = ()


any_file: Final = Promise()

_fetched: Final = "fetched"


class Downloads:
    """The downloads of one account. Open it with `opened_downloads`."""

    def __init__(
        self, settings: ZoomSettings, *, streams: Streams, tokens: Tokens, clock: Clock
    ) -> None:
        self._settings = settings
        self._streams = streams
        self._tokens = tokens
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.download_concurrency)
        for outcome in (_fetched, *(fault.value for fault in ZoomFault)):
            metrics.downloads.labels(
                outcome
            )  # Prometheus sees no increase in a series that starts at 1

    async def fetch(
        self, url: str, to: Path | Target, *, promise: Promise = any_file
    ) -> Downloaded:
        """Fetch a file completely. A path gets its file, or a new one, once that is safe on disk.

        ``url`` may be relative to the API's origin.

        Raises:
            UnsafeAddressError: ``url``, or a redirect, leads to a forbidden address.
            AbsentError: the file does not exist, or no longer.
            ForbiddenError: the app may not read it.
            NotReadyError: it is still empty.
            UnavailableError: it could not be fetched, or is not the promised file, or is larger
                than ``ZCC_ZOOM_DOWNLOAD_LARGEST_BYTES``.
            OSError: the file cannot be written.
        """
        async with self._slots:
            try:
                downloaded = await self._fetched_to(to, url, promise)
            except ZoomError as error:
                metrics.downloads.labels(error.fault.value).inc()
                raise
        metrics.downloads.labels(_fetched).inc()
        return downloaded

    async def _fetched_to(self, to: Path | Target, url: str, promise: Promise) -> Downloaded:
        if not isinstance(to, Path):
            return await self._fetch(url, Arriving(to), promise)
        async with new_file(to) as file:
            return await self._fetch(url, Arriving(file), promise)

    async def _fetch(self, url: str, arriving: Arriving, promise: Promise) -> Downloaded:
        retries = DownloadRetries()
        while True:
            try:
                return await self._attempt(url, arriving, promise)
            except UnavailableError as error:
                pause_s = retries.pause_s(arriving.size_bytes)
                if error.fault not in _passing or not arriving.begun or pause_s is None:
                    raise
            await self._clock.sleep(pause_s)

    async def _attempt(self, url: str, arriving: Arriving, promise: Promise) -> Downloaded:
        """Follow redirects to an answer, and read it; a refused token is renewed once."""
        token = await self._tokens.token()
        address = first = self._address(url, base=token.api_url)
        trusted, renewed, redirects = True, False, 0
        while True:
            bearer = {"Authorization": f"Bearer {token.value}"} if trusted else {}
            async with self._streams.get(
                address.url, arriving.request_headers() | bearer
            ) as stream:
                refused = stream.status == HTTPStatus.UNAUTHORIZED and trusted and not renewed
                if not refused and stream.status not in _redirects:
                    return await self._take(stream, arriving, promise)
            if refused:
                token, renewed = await self._tokens.renew(token), True
                continue
            redirects += 1
            if redirects > max_redirects:
                raise error_of(ZoomFault.UNEXPECTED, f"more than {max_redirects} redirects")
            address = self._address(stream.headers.get("location", ""), base=address.url)
            trusted = trusted and address.origin == first.origin

    def _address(self, url: str, *, base: str) -> Address:
        return address_of(url, base=base, hosts=self._settings.download_hosts)

    async def _take(self, stream: Stream, arriving: Arriving, promise: Promise) -> Downloaded:
        piece = piece_in(stream.status, stream.headers)
        if piece is None:
            if stream.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and arriving.size_bytes:
                await arriving.restart()
                raise error_of(ZoomFault.NETWORK, "the file is shorter than what came of it")
            raise await self._refusal(stream)
        self._check(piece, promise)
        await arriving.begin(piece)
        async with aclosing(stream.chunks()) as chunks:
            async for chunk in chunks:
                self._check_size(arriving.size_bytes + len(chunk))
                await arriving.take(chunk)
                metrics.downloaded.inc(len(chunk))
        downloaded = arriving.downloaded()
        self._check(replace(piece, size_bytes=downloaded.size_bytes), promise)
        return downloaded

    def _check(self, piece: Piece, promise: Promise) -> None:
        """Raise an `UnavailableError` unless this can be the promised file."""
        kinds = promise.content_types
        if kinds and not piece.content_type.startswith(kinds):
            detail = f"expected {' or '.join(kinds)}, another content type came"
            raise error_of(ZoomFault.UNEXPECTED, detail)
        if not kinds and piece.content_type in _web_pages:
            raise error_of(ZoomFault.UNEXPECTED, "expected a file, a web page came")
        if piece.size_bytes is None:
            return
        self._check_size(piece.size_bytes)
        if promise.size_bytes not in (None, piece.size_bytes):
            detail = f"expected {promise.size_bytes} bytes, {piece.size_bytes} came"
            raise error_of(ZoomFault.UNEXPECTED, detail)

    def _check_size(self, size_bytes: int) -> None:
        largest_bytes = self._settings.download_largest_bytes
        if size_bytes > largest_bytes:
            detail = f"larger than {largest_bytes} bytes, ZCC_ZOOM_DOWNLOAD_LARGEST_BYTES"
            raise error_of(ZoomFault.UNEXPECTED, detail)

    async def _refusal(self, stream: Stream) -> ZoomError:
        """Return the error of an answer that brings no piece of the file."""
        status = stream.status
        if status < HTTPStatus.MULTIPLE_CHOICES:
            detail = "neither a length nor chunks show where the file ends, or it is compressed"
            return error_of(ZoomFault.UNEXPECTED, f"status {status}: {detail}")
        response = ApiResponse(status, stream.headers, await _beginning(stream))
        code = code_of(response)
        message = (
            f"status {status}" + ("" if code is None else f", code {code}") + " for a download"
        )
        outage = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        fault = ZoomFault.OUTAGE if outage else _faults.get(status, ZoomFault.UNEXPECTED)
        return error_of(fault, message, retry_after_s=retry_after_s(response, self._clock.now()))


@asynccontextmanager
async def opened_downloads(
    settings: ZoomSettings, *, tokens: Tokens, clock: Clock
) -> AsyncIterator[Downloads]:
    """Open downloads with connections of their own; nothing is sent before the first."""
    async with opened_streams(settings) as streams:
        yield Downloads(settings, streams=streams, tokens=tokens, clock=clock)


async def _beginning(stream: Stream) -> bytes:
    body = b""
    async with aclosing(stream.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= largest_refusal_bytes:
                break
    return body
