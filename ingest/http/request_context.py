"""One request and its response, and what an application does with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from ingest.http.responses import Refusal, Response

RawHeaders = list[tuple[bytes, bytes]]
PickedHeaders = Mapping[bytes, Sequence[bytes]]

blanks: Final = b" \t"

no_app: Final = "-"
"""The label of a request for an unknown app; no app can have this name."""

_max_chunks: Final = 1024
"""Parts of one body; beyond it they are joined, because each costs more than a few bytes."""

_nothing_picked: Final[PickedHeaders] = {}


class RequestContext:
    """A request as far as it was read. The application answers it once, now or later."""

    # Attributes of the class are defaults, which cost a request nothing.
    body_bytes = 0
    held_bytes = 0
    is_read = False
    response: Response | None = None
    label = no_app
    signature = b""
    """Its signature, once its record is on its way; empty before."""
    is_admitted = False
    """Whether `RequestLimiter` counts it."""
    picked: PickedHeaders = _nothing_picked
    """The headers that the application has picked."""

    def __init__(  # noqa: PLR0913 - what the head of a request says
        self,
        method: bytes,
        path: str,
        query: bytes,
        headers: RawHeaders,
        *,
        peer: str,
        keep_alive: bool,
        application: "Application",
        answered: Callable[[], None],
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.peer = peer
        self.keep_alive = keep_alive
        self.application = application
        self.chunks: list[bytes] = []
        self._answered = answered

    @property
    def body(self) -> bytes:
        """The body, once it is read; if it came in one chunk, that chunk itself."""
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)

    def add_chunk(self, chunk: bytes) -> None:
        """Hold another part of the body, whose bytes `RequestLimiter` has reserved."""
        self.held_bytes += len(chunk)
        chunks = self.chunks
        chunks.append(chunk)
        if len(chunks) > _max_chunks:
            chunks[:] = [b"".join(chunks)]

    def reply(self, response: Response) -> None:
        """Answer; a second response to one request is ignored."""
        if self.response is None:
            self.response = response
            self._answered()


class Application(Protocol):
    """Answers requests, each by one `RequestContext.reply`. Its methods do not raise.

    A request gets `on_headers`, then `on_body` or `on_error`. Bytes that never become a request get
    `on_error` alone.
    """

    def on_headers(self, context: RequestContext) -> None:
        """The head is complete. If it is answered now, its body is not kept."""
        ...

    def on_body(self, context: RequestContext) -> None:
        """The body is complete."""
        ...

    def on_error(self, context: RequestContext, reason: Refusal) -> None:
        """The body will not be read to its end; ``reason`` says why."""
        ...

    def on_response_written(self, context: RequestContext) -> None:
        """The response went to a connection that was open."""
        ...


def pick_headers(headers: RawHeaders, names: frozenset[bytes]) -> PickedHeaders:
    """Return all values of the headers with these lower-case names.

    Blanks around a value do not belong to it (RFC 9110, section 5.5). The parser removes those in
    front; those behind are removed here.
    """
    by_name = dict(headers)
    if len(by_name) == len(headers):  # none comes twice, as nearly always
        return {name: (by_name[name].rstrip(blanks),) for name in names & by_name.keys()}
    picked: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in names:
            picked.setdefault(name, []).append(value.rstrip(blanks))
    return picked
