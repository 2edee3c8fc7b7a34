"""One request and its answer, and what an application does with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from ingest.http.responses import Answer, Refusal

RawHeaders = list[tuple[bytes, bytes]]
PickedHeaders = Mapping[bytes, Sequence[bytes]]

blanks: Final = b" \t"

no_app: Final = "-"
"""The label of a request for an app that is not ours; no app can have this name."""


class RequestContext:
    """A request as far as it was read. The application answers it once, now or later."""

    body_bytes = 0
    held_bytes = 0
    is_read = False
    answer: Answer | None = None
    label = no_app
    signature = b""
    """Under which it is kept; empty where it is not, or not yet."""
    is_admitted = False
    """Whether `RequestLimiter` counts it."""
    picked: PickedHeaders

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
        """The body, once it is read; of one chunk, that chunk itself."""
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)

    def reply(self, answer: Answer) -> None:
        """Answer; a second answer to one request is ignored."""
        if self.answer is None:
            self.answer = answer
            self._answered()


class Application(Protocol):
    """Answers requests, each by one `RequestContext.reply`. Its methods do not raise."""

    def on_headers(self, exchange: RequestContext) -> None:
        """The head is complete. What is answered now will not have its body read."""
        ...

    def on_body(self, exchange: RequestContext) -> None:
        """The body is complete."""
        ...

    def refused(self, exchange: RequestContext, reason: Refusal) -> None:
        """The body never will be; ``reason`` says why."""
        ...

    def written(self, exchange: RequestContext) -> None:
        """The answer went to a connection that was open."""
        ...


def pick_headers(headers: RawHeaders, names: frozenset[bytes]) -> PickedHeaders:
    """Return all values of the headers with these lower-case names.

    Blanks around a value are none of it (RFC 9110, section 5.5); the parser leaves those behind it.
    """
    by_name = dict(headers)
    if len(by_name) == len(headers):  # none comes twice, as nearly always
        return {name: (by_name[name].rstrip(blanks),) for name in names & by_name.keys()}
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in names:
            found.setdefault(name, []).append(value.rstrip(blanks))
    return found
