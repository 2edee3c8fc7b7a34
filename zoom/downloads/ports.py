"""Pure: what a download needs of others: answers bit by bit, a token, and somewhere to write to."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from zoom.http.oauth import Token


class Target(Protocol):
    """Takes the bytes of one download, in order.

    They count only when `Downloads.fetch` has returned: whoever hands in a target makes it visible
    then, and discards it when `fetch` raises. Each call stands under the target's own time limit.
    """

    async def write(self, chunk: bytes, /) -> None:
        """Take the next bytes, at most 64 KiB."""
        ...

    async def restart(self) -> None:
        """Forget what was written; all of it comes anew."""
        ...


class Tokens(Protocol):
    """Gives permission to call; `zoom.http.oauth.TokenSource` is one."""

    async def token(self) -> Token:
        """Return a valid token."""
        ...

    async def renew(self, refused: Token, /) -> Token:
        """Return another token than this one."""
        ...


class Stream(Protocol):
    """An answer whose body is read bit by bit. Names of headers are lower-case."""

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
    """Asks for answers to be read bit by bit; follows no redirect, unpacks nothing."""

    def get(self, url: str, headers: Mapping[str, str], /) -> AbstractAsyncContextManager[Stream]:
        """Open the answer to ``url``, which is escaped; leaving ends its connection.

        Raises:
            UnavailableError: no connection, or no answer in time.
            UnsafeAddressError: the host has a private address.
        """
        ...
