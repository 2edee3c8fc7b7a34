"""Pure: one HTTP exchange as this package sees it: a request, its response, and who sends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. ``url`` is escaped and goes out as it stands; headers hold credentials."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whatever its status. Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Sends requests, each under its own time limits; follows no redirect, keeps no cookie."""

    async def send(self, request: Request) -> Response:
        """Return the response once its body is complete.

        Raises:
            UnavailableError: no connection, no answer in time, or one that breaks off.
        """
        ...
