"""Pure: a response, and those to requests that are refused before their signature is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Final


@dataclass(frozen=True, slots=True)
class Response:
    """A response. ``closes``: it is the last of its connection, because the body was not read."""

    status: HTTPStatus
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    closes: bool = False
    head: bytes = field(init=False, repr=False, compare=False)
    """Status line and headers as they are sent, except those of the connection."""
    label: str = field(init=False, repr=False, compare=False)
    """The status, for metrics."""

    def __post_init__(self) -> None:
        """Write the head once for all requests that get this response."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, self.status.phrase.encode())]
        lines += [b"%b: %b" % header for header in self.headers]
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(b"content-length: %d" % len(self.body))
        object.__setattr__(self, "label", str(self.status.value))
        object.__setattr__(self, "head", b"\r\n".join(lines) + b"\r\n")


class Refusal(StrEnum):
    """Why a request was refused before its signature was checked."""

    UNKNOWN_APP = "unknown_app"
    METHOD = "method"
    MALFORMED = "malformed"
    HEAD_TOO_LARGE = "head_too_large"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    OVERLOAD = "overload"
    """Too many signed requests wait for the broker, or too many bytes of bodies are held."""
    CROWDED_OUT = "crowded_out"
    """It was the oldest of too many that were not yet received whole."""
    DISCONNECTED = "disconnected"
    """The client closed before its body was complete; there is no answer."""


unavailable: Final = Response(HTTPStatus.SERVICE_UNAVAILABLE, headers=((b"retry-after", b"5"),))
"""The seconds are for proxies and people; Zoom waits its own 5, 20 and 60 minutes."""

unavailable_unread: Final = replace(unavailable, closes=True)
"""For a body that was not read."""

refusals: Final[Mapping[Refusal, Response]] = {
    Refusal.UNKNOWN_APP: Response(HTTPStatus.NOT_FOUND, closes=True),
    Refusal.METHOD: Response(
        HTTPStatus.METHOD_NOT_ALLOWED, headers=((b"allow", b"POST"),), closes=True
    ),
    Refusal.MALFORMED: Response(HTTPStatus.BAD_REQUEST, closes=True),
    Refusal.HEAD_TOO_LARGE: Response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, closes=True),
    Refusal.TOO_LARGE: Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, closes=True),
    Refusal.TOO_SLOW: Response(HTTPStatus.REQUEST_TIMEOUT, closes=True),
    Refusal.OVERLOAD: unavailable,
    Refusal.CROWDED_OUT: Response(
        HTTPStatus.SERVICE_UNAVAILABLE, headers=unavailable.headers, closes=True
    ),
}
"""The response to each refusal; none for a client that has gone."""
