"""Read a body in one pass, within a size and a time, before anything is known of its sender."""

import asyncio
from collections.abc import Sequence

from ingest.answers import Refusal, RefusedError
from ingest.asgi import Receive


async def read_body(
    receive: Receive, *, declared: Sequence[bytes], limit_bytes: int, timeout_s: float
) -> bytes:
    """Return the whole body.

    ``declared`` are the values of Content-Length, whose form the HTTP parser has checked: a body
    that says that it is too large is not read at all, one that does not say so up to the limit.

    Raises:
        RefusedError: too large, too slow, or the client went away.
    """
    if any(int(length) > limit_bytes for length in declared):
        raise RefusedError(Refusal.TOO_LARGE)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(receive, limit_bytes)
    except TimeoutError:
        raise RefusedError(Refusal.TOO_SLOW) from None


async def _read(receive: Receive, limit_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise RefusedError(Refusal.DISCONNECTED)
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise RefusedError(Refusal.TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)  # of one chunk, that chunk itself
