"""Pure: the ports of a download: streamed answers, tokens, and a target for the bytes."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from zoom.http.oauth import Token


class Target(Protocol):
    """Takes the bytes of one download, in order.

    The bytes count only after `Downloads.fetch` has returned. The caller then makes the target
    visible, and discards it when `fetch` raises. The target limits the time of each call itself.
    """

    async def write(self, chunk: bytes, /) -> None:
        """Take the next bytes, at most 64 KiB."""
        ...

    async def restart(self) -> None:
        """Discard the written bytes; the whole file comes again."""
        ...


class Tokens(Protocol):
    """Provides access tokens; `zoom.http.oauth.TokenSource` implements it."""

    async def token(self) -> Token:
        """Return a valid token."""
        ...

    async def renew(self, refused: Token, /) -> Token:
        """Return a token other than this one."""
        ...


class Stream(Protocol):
    """An answer with a streamed body. Names of headers are lower-case."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """All headers."""
        ...

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes.

        Raises:
            UnavailableError: it breaks off, or nothing comes in time.
        """
        ...


class Streams(Protocol):
    """Opens streamed answers; follows no redirect, decompresses nothing."""

    def get(self, url: str, headers: Mapping[str, str], /) -> AbstractAsyncContextManager[Stream]:
        """Open the answer to ``url``, which is escaped; leaving ends its connection.

        Raises:
            UnavailableError: no connection, or no answer in time.
            UnsafeAddressError: the host has a private address.
        """
        ...
