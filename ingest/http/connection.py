"""HTTP/1.1 on one connection: parsed by httptools, bounded in size and time.

The driver of `ingest.http.connection_state`, which decides what is read, answered and closed. This
module feeds it with what the event loop, the parser, the applications and `Connections` report, and
carries out its steps on the transport. A server beneath ASGI, because ASGI's task, scope and
channels per request cost more than verifying and storing a webhook (docs/decisions/0006).

`RequestBounds` bounds the headers and bytes of a head, the bytes of a body, and the time of each
phase. `Connections` bounds how many connections there are, and has the oldest make room.

Trailers are counted and dropped, because no proxy has checked them (RFC 9110, section 6.5.1). An
Upgrade is ignored (section 7.8), Expect is answered (section 10.1.1).
"""

import asyncio
from math import inf
from typing import Final, cast

import httptools
import structlog

from ingest.http.connection_state import (
    CLOSING,
    CONTINUE,
    HEAD,
    IDLE,
    REST,
    ConnectionState,
    ConnectionStep,
    Phase,
    max_pipelined,
    unfinished,
)
from ingest.http.connections import Connections
from ingest.http.head import Head, sent_from, target
from ingest.http.limits import unread_timeout_s
from ingest.http.request_context import RequestContext
from ingest.http.responses import Refusal, Response
from ingest.http.shedding import Origin, origin_of
from runtime.retries.policy import safe_error_text

_continue: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_close: Final = b"connection: close\r\n"

_not_connected: Final = asyncio.Transport()
"""Stands for the transport until `connection_made`."""

_log = structlog.get_logger()


class Connection(asyncio.Protocol):
    """One connection. The loop and the parser call its methods; applications answer requests."""

    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._state = ConnectionState()
        self._transport = _not_connected
        self._head = Head()
        self.on_url = self._head.on_url
        self.on_header = self._head.on_header
        self._parser = httptools.HttpRequestParser(self)
        self._unparsed_bytes = 0
        """Received since a request or a part of a body last came out of the parser."""
        self._is_timeout_owed = False
        """Whether a phase has begun since the timeout was last set."""
        self._is_held_back = False
        """Whether reading is paused because too many requests are under way."""
        self._is_counted = False
        """Whether `Connections` counts it among the unfinished."""
        self._peer = ""
        self.due_s = inf
        """When `on_timeout` is to be called."""

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun, and none waits."""
        return self._state.is_idle

    @property
    def is_disposable(self) -> bool:
        """Whether it has answered something and is of no use now: it is idle, or it lingers."""
        phase = self._state.phase
        lingers = phase is CLOSING and not self._transport.is_closing()
        return (phase is IDLE or lingers) and not self._state.requests

    @property
    def origin(self) -> Origin:
        """The sender of the request that is being received, as far as its head says."""
        reading = self._state.reading
        headers = reading.headers if reading else []
        return origin_of(sent_from(self._peer, headers, hops=self._limits.forwarded_hops))

    # The event loop calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._peer = address[0] if address else ""
        self._restart_timeout()
        self._shared.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Drop what nobody waits for any more."""
        del error
        reading = self._state.reading
        self._state.end()
        if reading is not None and reading.response is None:
            # Its application counts it; a request that is complete still goes to the broker.
            self._refuse(reading, Refusal.DISCONNECTED)
        self._shared.limiter.release_all(self._state.requests)
        self._shared.closed(self)

    def eof_received(self) -> bool:
        """Return whether the connection stays open for responses."""
        return self._state.on_end_of_input()

    def pause_writing(self) -> None:
        """Read nothing from a client that does not read, or its responses fill the memory."""
        self._state.is_stalled = True
        self._is_timeout_owed = False
        self._transport.pause_reading()
        self.due_s = self._shared.now_s() + unread_timeout_s

    def resume_writing(self) -> None:
        """Go on, with the full time: the client was not read from meanwhile."""
        state = self._state
        state.is_stalled = False
        if state.may_read:
            self._is_held_back = False
            self._transport.resume_reading()
        self._restart_timeout()

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        state = self._state
        if state.phase is Phase.NEW:
            state.first_bytes()
            # From now on it makes room as an idle connection does, no longer before all others.
            self._shared.first_bytes(self)
        elif state.phase is CLOSING:
            return
        self._unparsed_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserCallbackError as error:
            # A defect of ours. No answer: Zoom retries after a broken connection.
            _log.error("connection failed", error=safe_error_text(error.__context__ or error))
            self._transport.abort()
        except httptools.HttpParserError:
            # Behind the last response nothing is a request, so nothing gets another response.
            if self._state.phase is not CLOSING:
                self._refuse_unfinished(Refusal.MALFORMED)
        else:
            # One that came whole, as nearly all do, is never counted and costs nothing more.
            if state.phase in unfinished:
                self._bound_unfinished()

    # `Connections` calls these.

    def on_timeout(self) -> None:
        """End what took too long; called once `due_s` has passed."""
        self.due_s = inf
        step = self._state.on_timeout(is_closing=self._transport.is_closing())
        if step is ConnectionStep.REFUSE:
            self._refuse_unfinished(Refusal.TOO_SLOW)
        else:
            self._transport.abort() if step is ConnectionStep.ABORT else self._close()

    def make_room(self) -> None:
        """End for the sake of others, without lingering: Zoom retries if a response is lost."""
        state = self._state
        if state.phase in unfinished:
            self._refuse_unfinished(Refusal.CROWDED_OUT)
        step = state.on_displaced()
        if step is not ConnectionStep.CONTINUE:
            self._stop_reading()
            self._transport.abort() if step is ConnectionStep.ABORT else self._close()

    def close(self) -> None:
        """Close an idle connection once its responses are sent."""
        self._state.end()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    # The parser calls these, within `data_received`. Each may come behind the last response.

    def on_message_begin(self) -> None:
        """Begin a head."""
        if not self._state.begin_request():
            return
        self._head.clear()
        self._unparsed_bytes = 0
        self._is_timeout_owed = True

    def on_headers_complete(self) -> None:
        """Hand the head to its application, which may answer it at once."""
        state = self._state
        if state.phase is CLOSING:
            return
        parser = self._parser
        method = parser.get_method()
        if parser.should_upgrade() and method != b"CONNECT":
            return  # it comes again, without its header (`_head_without_upgrade`)
        head = self._head
        keep_alive = parser.should_keep_alive()
        if head.has_options:
            # Only a Connection header could keep another version than 1.1 alive. Without one the
            # version is not looked up, which costs as much as all other questions to the parser.
            keep_alive = keep_alive and parser.get_http_version() == "1.1"
        path, query = target(head.url)
        headers = head.take_headers()
        request = RequestContext(
            *(method, path, query, headers),
            peer=self._peer,
            keep_alive=keep_alive,
            application=self._shared.application_of(path, method),
            answered=self._answered,
        )
        state.head_read(request)
        self._is_timeout_owed = True
        if not self._limits.allow_head(len(headers), head.size_bytes):
            self._refuse(request, Refusal.HEAD_TOO_LARGE)
        elif not head.names_its_host(parser.get_http_version):
            self._refuse(request, Refusal.MALFORMED)
        else:
            request.application.on_headers(request)
            if head.expects_continue and request.response is None:
                self._expect_body(request)

    def on_body(self, chunk: bytes) -> None:
        """Hold a part of the body, or drop it if the response is known."""
        request = self._state.reading
        if request is None:
            return
        self._unparsed_bytes = 0
        size = len(chunk)
        request.body_bytes += size
        if request.body_bytes > self._limits.body_bytes:
            self._refuse(request, Refusal.TOO_LARGE)
        elif request.response is None:
            # Within the bound it is the limiter's alone; over it others make room, if any can.
            if self._shared.limiter.reserve(size) or self._shared.reserve(self, size):
                request.add_chunk(chunk)
            else:
                self._refuse(request, Refusal.OVERLOAD)

    def on_message_complete(self) -> None:
        """Have the request answered, unless it is already."""
        state = self._state
        request = state.request_read()
        if request is None:
            return
        self.due_s = inf  # until a response is written, the application's limit holds
        if self._is_counted:
            self._uncount()
        if request.response is None:
            request.application.on_body(request)
            if request.response is None:
                self._shared.limiter.admit(request)
        elif not state.requests:
            self._restart_timeout()
        if len(state.requests) >= max_pipelined:
            # The rest of these bytes is parsed all the same; what follows them has to wait.
            self._is_held_back = True
            self._transport.pause_reading()

    # The rest carries out what was decided.

    def _expect_body(self, request: RequestContext) -> None:
        # Ahead of the responses to earlier requests it would be read as one of them.
        if self._state.requests[0] is request and self._parser.get_http_version() != "1.0":
            self._transport.write(_continue)

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # The parser stops behind an Upgrade. Another one continues, with the head repeated.
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """Return the head of an upgrade request without the upgrade, because its body was skipped.

        The parser stops behind CONNECT too, whose head went to its application before.
        """
        if self._state.phase is not HEAD:
            return b""
        return self._head.without_upgrade(self._parser.get_method())

    def _bound_unfinished(self) -> None:
        """Refuse a head that grew too large, headers or trailers that never end included.

        Bytes that became nothing yet may be twice as many: blanks and line ends are not counted.
        """
        limits = self._limits
        if self._is_timeout_owed:
            # A request that comes whole never gets here, and so never asks for the time.
            self._is_timeout_owed = False
            is_head = self._state.phase is HEAD
            timeout_s = limits.head_timeout_s if is_head else limits.body_timeout_s
            self.due_s = self._shared.now_s() + timeout_s
        size_bytes = max(self._head.size_bytes, self._unparsed_bytes / 2)
        if not limits.allow_head(len(self._head.headers), size_bytes):
            self._refuse_unfinished(Refusal.HEAD_TOO_LARGE)
        elif not self._is_counted:
            self._is_counted = True
            self._shared.request_unfinished(self)

    def _uncount(self) -> None:
        if self._is_counted:
            self._is_counted = False
            self._shared.request_finished(self)

    def _refuse(self, request: RequestContext, reason: Refusal) -> None:
        request.chunks.clear()
        self._shared.limiter.release(request)
        if request.response is None:
            request.application.on_error(request, reason)
            return
        # It was answered before its body came, which now breaks the bounds.
        request.keep_alive = False
        self._stop_reading()
        self._restart_timeout()

    def _refuse_unfinished(self, reason: Refusal) -> None:
        """Refuse the request that is being received, or what never became one."""
        request = self._state.reading
        if request is None:
            request = RequestContext(
                *(b"", "", b"", self._head.headers),
                peer=self._peer,
                keep_alive=False,
                application=self._shared.application_of("", b""),
                answered=self._answered,
            )
            self._state.unparsable(request)
        self._refuse(request, reason)

    def _answered(self) -> None:
        """Write the responses whose turn it is; called when any request has got its response."""
        state = self._state
        if state.reading is not None and state.answered():
            self._stop_reading()
        request = state.take_answered()
        while request is not None:
            self._shared.limiter.release(request)
            step = state.on_response(request, draining=self._shared.draining)
            self._write(request, is_last=step is not CONTINUE and step is not REST)
            request = self._carry_out(step)
        if self._is_held_back and state.may_read:
            self._is_held_back = False
            self._transport.resume_reading()

    def _write(self, request: RequestContext, *, is_last: bool) -> None:
        response = cast("Response", request.response)
        body = b"" if request.method == b"HEAD" else response.body
        self._transport.write(
            response.head + self._shared.date + (_close if is_last else b"") + b"\r\n" + body
        )
        if not self._transport.is_closing():
            request.application.on_response_written(request)

    def _carry_out(self, step: ConnectionStep) -> RequestContext | None:
        """Do what follows a response; return the next request that has one."""
        if step is CONTINUE:
            return self._state.take_answered()
        if step is REST:
            self.due_s = self._shared.became_idle(self)
            if self._state.is_stalled:
                self._restart_timeout()
            return None
        self._stop_reading()
        self._shared.limiter.release_all(self._state.requests)
        self._close() if step is ConnectionStep.CLOSE else self._restart_timeout()
        return None

    def _stop_reading(self) -> None:
        self._state.end()
        self.due_s = inf
        self._uncount()

    def _close(self) -> None:
        """Close once the client has read all that was written."""
        self._transport.close()
        self.due_s = self._shared.now_s() + unread_timeout_s

    def _restart_timeout(self) -> None:
        self.due_s = self._shared.now_s() + self._limits.timeout_s(self._state)
