"""Pure: the state machine of one HTTP/1.1 connection: what it reads, answers and ends.

`ingest.http.connection` is its driver. It translates the parser, the event loop and the clock into
calls of this machine, and carries out what the machine returns.

Rules, each held by `tests/property/ingest/http/test_connection_state.py`:

1. A request gets one response, and no response is written without a request. Bytes that never
   become a request count as one, so that their sender gets a 400, 408, 431 or 503.
2. Responses are written in the order of their requests (RFC 9112, section 9.3.2).
3. The last response ends reading. Nothing behind it is parsed or answered: the client cannot know
   whether we saw it.
4. No phase follows CLOSING.
5. In each phase a time limit runs, unless requests wait for the application, which has its own.
6. A connection whose last request was read whole is closed at once. Otherwise it lingers: closing
   with unread bytes resets it, and the client may lose the response (RFC 9112, section 9.6).
7. Nothing is read while `max_pipelined` requests are under way, or while the client does not read.

Theory of operation. A connection is three things at once:

- *Reading* is the phase. The parser's events move it through `transitions`.
- *Answering* is the queue `requests`: read or being read, and not yet written. An application may
  answer any of them at any time, the one that is `reading` included.
- *Writing* is `is_stalled`: the transport's buffer is full, because the client does not read.

They meet in three places. A response to the request being read ends its reading (`answered`), the
last response ends all reading (`on_response`), and what a timeout does depends on all three
(`on_timeout`).
"""

from collections import deque
from collections.abc import Mapping
from enum import Enum, IntEnum, auto
from typing import Final

from ingest.http.request_context import RequestContext

max_pipelined: Final = 32
"""Requests of one connection under way; beyond it nothing is read from it for a while."""


class Phase(IntEnum):
    """What a connection reads next. An IntEnum hashes faster than an Enum."""

    NEW = auto()
    """Nothing was received yet."""
    IDLE = auto()
    """Between two requests."""
    HEAD = auto()
    """A request line has begun."""
    BODY = auto()
    """The application has the head; the body is held until it is whole."""
    DISCARD = auto()
    """The response is known before the body is whole: the rest is read and dropped."""
    CLOSING = auto()
    """The last response is known. What still arrives is dropped unparsed."""


class ConnectionEvent(IntEnum):
    """What moves a connection from one phase to another."""

    FIRST_BYTES = auto()
    REQUEST_BEGUN = auto()
    HEAD_READ = auto()
    UNPARSABLE = auto()
    """Bytes that will never be a head count as a request whose body is not read."""
    REQUEST_READ = auto()
    ANSWERED = auto()
    """The request being read has a response after which the connection continues."""
    ENDED = auto()
    """A last response, a lost client, or no use for the connection any more."""


class ConnectionStep(Enum):
    """What the driver has to do."""

    CONTINUE = auto()
    REST = auto()
    """Wait for the next request, among the idle connections."""
    REFUSE = auto()
    """Answer the request that is being received, and end with that response."""
    LINGER = auto()
    """Drop what arrives for a moment, then close."""
    CLOSE = auto()
    """Close once everything is written."""
    ABORT = auto()
    """Close at once; what is not written is lost."""


transitions: Final[Mapping[ConnectionEvent, Mapping[Phase, Phase]]] = {
    ConnectionEvent.FIRST_BYTES: {Phase.NEW: Phase.IDLE},
    ConnectionEvent.REQUEST_BEGUN: {
        Phase.IDLE: Phase.HEAD,
        Phase.HEAD: Phase.HEAD,  # the same head again, without its Upgrade
        Phase.CLOSING: Phase.CLOSING,
    },
    ConnectionEvent.HEAD_READ: {Phase.HEAD: Phase.BODY},
    ConnectionEvent.UNPARSABLE: {Phase.IDLE: Phase.BODY, Phase.HEAD: Phase.BODY},
    ConnectionEvent.REQUEST_READ: {Phase.BODY: Phase.IDLE, Phase.DISCARD: Phase.IDLE},
    ConnectionEvent.ANSWERED: {Phase.BODY: Phase.DISCARD, Phase.DISCARD: Phase.DISCARD},
    ConnectionEvent.ENDED: dict.fromkeys(Phase, Phase.CLOSING),
}
"""The next phase, by event and phase. A pair that is missing is a defect of the driver."""

unfinished: Final = frozenset({Phase.HEAD, Phase.BODY, Phase.DISCARD})
"""Phases in which a part of a request was received, and not all of it."""

# What a request passes through has names of its own: in Python 3.11 an attribute of an Enum class
# costs as much as a call.
IDLE: Final = Phase.IDLE
HEAD: Final = Phase.HEAD
CLOSING: Final = Phase.CLOSING
CONTINUE: Final = ConnectionStep.CONTINUE
REST: Final = ConnectionStep.REST
_on_request_begun: Final = transitions[ConnectionEvent.REQUEST_BEGUN]
_on_head_read: Final = transitions[ConnectionEvent.HEAD_READ]
_on_request_read: Final = transitions[ConnectionEvent.REQUEST_READ]

_on_timeout: Final[Mapping[Phase, ConnectionStep]] = {
    Phase.NEW: ConnectionStep.CLOSE,
    Phase.IDLE: ConnectionStep.CLOSE,
    Phase.HEAD: ConnectionStep.REFUSE,
    Phase.BODY: ConnectionStep.REFUSE,
    Phase.DISCARD: ConnectionStep.REFUSE,
    Phase.CLOSING: ConnectionStep.CLOSE,  # it has lingered long enough
}
"""What follows the time limit of each phase, while the client reads its responses."""


class ConnectionState:
    """The state of one connection. `phase` changes through the table, and only here."""

    __slots__ = ("has_ended", "is_stalled", "phase", "reading", "requests")

    def __init__(self) -> None:
        self.phase = Phase.NEW
        self.requests: deque[RequestContext] = deque()
        """Requests whose response is not written yet, the oldest first."""
        self.reading: RequestContext | None = None
        """The youngest of them, while its body is being read."""
        self.is_stalled = False
        """Whether the client leaves its responses unread."""
        self.has_ended = False
        """Whether the client has ended its side, so that no other request will come."""

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun, and none waits."""
        return (self.phase is Phase.IDLE or self.phase is Phase.NEW) and not self.requests

    @property
    def may_read(self) -> bool:
        """Whether the transport may deliver more bytes (rule 7)."""
        return not self.is_stalled and len(self.requests) < max_pipelined

    def first_bytes(self) -> None:
        """Note that the client has sent something."""
        self.phase = transitions[ConnectionEvent.FIRST_BYTES][self.phase]

    def begin_request(self) -> bool:
        """Begin a head; False behind the last response, where it is none."""
        self.phase = phase = _on_request_begun[self.phase]
        return phase is HEAD

    def head_read(self, request: RequestContext) -> None:
        """Add a request whose body comes next."""
        self.phase = _on_head_read[self.phase]
        self.requests.append(request)
        self.reading = request

    def unparsable(self, request: RequestContext) -> None:
        """Add a request in place of bytes that will never be one."""
        self.phase = transitions[ConnectionEvent.UNPARSABLE][self.phase]
        self.requests.append(request)
        self.reading = request

    def request_read(self) -> RequestContext | None:
        """Return the request that has now been read whole; None where none was being read.

        None is what the parser reports behind the last response, and behind the head of a request
        for an upgrade, which is parsed again.
        """
        request = self.reading
        if request is not None:
            self.phase = _on_request_read[self.phase]
            self.reading = None
            request.is_read = True
        return request

    def answered(self) -> bool:
        """Note that a request has a response; return whether that has just ended reading.

        The response to a request that is being read decides what becomes of the rest of its body.
        Responses to other requests change nothing here: they are written in turn.
        """
        request = self.reading
        if request is None or request.response is None:
            return False
        if request.response.closes:
            self.end()
            return True
        self.phase = transitions[ConnectionEvent.ANSWERED][self.phase]
        return False

    def take_answered(self) -> RequestContext | None:
        """Remove and return the oldest request if it has its response (rule 2)."""
        requests = self.requests
        if requests and requests[0].response is not None:
            return requests.popleft()
        return None

    def on_response(self, request: RequestContext, *, draining: bool) -> ConnectionStep:
        """Return what follows the response to a request just taken, which is written now.

        CLOSE and LINGER follow the last response: reading ends, and the driver drops the requests
        behind it (rule 3). A client that has ended its side gets the responses to all that it had
        sent before.
        """
        response = request.response
        if (
            not request.keep_alive
            or draining
            or (response is not None and response.closes)
            or (self.has_ended and not self.requests)
        ):
            self.end()
            return ConnectionStep.CLOSE if request.is_read else ConnectionStep.LINGER
        return REST if self.phase is IDLE and not self.requests else CONTINUE

    def end(self) -> None:
        """Read nothing any more."""
        self.phase = transitions[ConnectionEvent.ENDED][self.phase]
        self.reading = None

    def on_end_of_input(self) -> bool:
        """Note that the client ended its side; return whether it still gets responses.

        It gets none for a request that it has left unfinished.
        """
        self.has_ended = True
        return bool(self.requests) and self.reading is None

    def on_timeout(self, *, is_closing: bool) -> ConnectionStep:
        """Return what follows the time limit. ``is_closing``: the transport was closed before.

        A client that does not read gets no other response: it would only wait behind the others.
        """
        if self.is_stalled or is_closing:
            return ConnectionStep.ABORT
        step = _on_timeout[self.phase]
        if step is ConnectionStep.CLOSE:
            self.end()
        return step

    def on_displaced(self) -> ConnectionStep:
        """Return how to make room for another connection, once nothing is unfinished.

        Requests that wait for the application keep the connection open.
        """
        if self.requests:
            return ConnectionStep.CONTINUE
        self.end()
        return ConnectionStep.ABORT if self.is_stalled else ConnectionStep.CLOSE
