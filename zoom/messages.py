"""Pure: HTTP requests, responses and their ports within this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class MultipartPart:
    """One part of a ``multipart/form-data`` body; with a file name it is a file."""

    name: str
    content: bytes = field(repr=False)
    file_name: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. ``url`` is escaped and sent unchanged; headers hold credentials.

    At most one of ``form``, ``json`` (an encoded document) and ``parts`` is the body.
    """

    method: Method
    url: str
    headers: Mapping[str, str] = field(repr=False)
    form: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    json: bytes = field(default=b"", repr=False)
    parts: tuple[MultipartPart, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP response of any status. Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport(Protocol):
    """Sends requests, each under its own time limits; follows no redirect, keeps no cookie."""

    async def send(self, request: Request) -> ApiResponse:
        """Return the response once its body is complete.

        Raises:
            UnavailableError: no connection, no answer in time, or one that breaks off.
        """
        ...


class Caller(Protocol):
    """Calls operations of the REST API by name; `zoom.client.ZoomClient` implements it."""

    async def call(self, operation: str, /, *, body: object = None, **arguments: object) -> Any:  # noqa: ANN401 - replies are typed where the operation is known: zoom.resources
        """Return the document that the operation answers with, None where it answers with none.

        ``arguments`` go by `zoom.catalogue.Parameter.argument`; None leaves a parameter out.

        Raises:
            zoom.errors.ZoomError: as the class of the error says.
        """
        ...
