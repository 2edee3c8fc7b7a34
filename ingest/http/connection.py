"""HTTP/1.1 on one connection: parsed by httptools, bounded in size and time, answered in order.

A server beneath ASGI, because a webhook needs none of what ASGI is for: no task, no scope and no
channel per request, which together cost more than verifying and keeping it. Sources: RFC 9112
(HTTP/1.1), RFC 9110 section 10.1.1 (Expect) and 7.8 (an Upgrade may be ignored).

Bounds, all in `Limits`: a head has so many headers and bytes and arrives in time, a body too, an
idle connection ends, and so does one whose client does not read its answers. `Connections` bounds
how many there are, and has the oldest make room. What is refused before its body was read is
answered, then read for a moment longer, then closed: closing with unread bytes resets the
connection, and the sender may lose the answer (RFC 9112, section 9.6). Trailers are counted and
dropped: what they say, no proxy has seen (RFC 9110, section 6.5.1).
"""

import asyncio
from collections import deque
from math import inf
from typing import Final, cast

import httptools
import structlog

from ingest.http.connections import Connections
from ingest.http.exchange import RawHeaders, RequestContext
from ingest.http.head import host, names_its_host, sent_from, target, without_upgrade
from ingest.http.limits import Phase, unread_s
from ingest.http.responses import Answer, Refusal
from ingest.http.shedding import Origin, origin_of
from runtime.retries.policy import safe_error_text

_most_pipelined: Final = 32
"""Requests of one connection under way; beyond it nothing is read from it for a while."""
_most_chunks: Final = 1024
"""Parts of one body held; beyond it they are made one, for each costs more than a few bytes."""

_continue: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_close: Final = b"connection: close\r\n"
_expect: Final = b"expect"

_log = structlog.get_logger()


class Connection(asyncio.Protocol):
    """One connection. Its parser calls the `on_` methods, the applications answer exchanges."""

    def __init__(self, shared: Connections) -> None:
        self._shared = shared
        self._limits = shared.limits
        self._parser = httptools.HttpRequestParser(self)
        self._exchanges: deque[RequestContext] = deque()
        self._reading: RequestContext | None = None
        self._phase = Phase.IDLE
        self._url = b""
        self._headers: RawHeaders = []
        self._head_bytes = 0
        self._unparsed_bytes = 0
        """What was received since a request or a part of a body last came out of it."""
        self._expects = False
        self._hosts: list[bytes] = []
        self._right_hosts: list[bytes] | None = None
        self._ended = False
        self._stalled = False
        self._silent = True
        self._counted = False
        """Whether `Connections` counts it among the unfinished."""
        self._peer = ""
        self.due_s = inf
        """When `overdue` is to be called."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return self._phase is Phase.IDLE and not self._exchanges

    @property
    def is_disposable(self) -> bool:
        """Whether nobody waits for anything of it: it is idle, or its last answer is written."""
        is_over = self._phase is Phase.NOTHING and not self._transport.is_closing()
        return not (self._exchanges or self._silent) and (self._phase is Phase.IDLE or is_over)

    @property
    def origin(self) -> Origin:
        """From whom the request is that is being received, as far as its head tells by now."""
        headers = self._reading.headers if self._reading is not None else []
        return origin_of(sent_from(self._peer, headers, hops=self._limits.forwarded_hops))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; called by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._peer = address[0] if address else ""
        self._start_time()
        self._shared.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget what nobody waits for any more; called by the loop."""
        del error
        self._phase = Phase.NOTHING
        if self._reading is not None and self._reading.answer is None:
            self._refuse(self._reading, Refusal.DISCONNECTED)
        self._drop_exchanges()
        self._shared.closed(self)

    def eof_received(self) -> bool:
        """Let a client that only stopped to send have its answers; called by the loop."""
        self._ended = True
        return bool(self._exchanges) and self._reading is None

    def pause_writing(self) -> None:
        """Read nothing from a client that does not read; called by the loop."""
        self._stalled = True
        self._transport.pause_reading()
        self.due_s = self._shared.now_s() + unread_s

    def resume_writing(self) -> None:
        """Go on; called by the loop."""
        self._stalled = False
        if len(self._exchanges) < _most_pipelined:
            self._transport.resume_reading()
        self._start_time()

    def data_received(self, data: bytes) -> None:
        """Take what came; called by the loop."""
        if self._silent:
            self._silent = False
            self._shared.spoke(self)
        if self._phase is Phase.NOTHING:
            return
        self._unparsed_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserCallbackError as error:
            # A defect of ours. No answer: Zoom sends again after a broken connection.
            _log.error("connection failed", error=safe_error_text(error.__context__ or error))
            self._transport.abort()
        except httptools.HttpParserError:
            # Behind the last answer nothing is a request any more, so nothing gets another answer.
            if self._phase is not Phase.NOTHING:
                self._reject_unparsed(Refusal.MALFORMED)
        else:
            if self._phase is Phase.HEAD or self._phase is Phase.BODY:
                self._bound_unfinished()

    def overdue(self) -> None:
        """Cut what took too long; called once `due_s` has passed."""
        self.due_s = inf
        if self._stalled or self._transport.is_closing():
            self._transport.abort()
        elif self._phase is Phase.HEAD:
            self._reject_unparsed(Refusal.TOO_SLOW)
        elif self._reading is not None:
            self._refuse(self._reading, Refusal.TOO_SLOW)
        else:
            self._close()

    def make_room(self) -> None:
        """End for others' sake, and do not linger: an answer that is lost is a reason to resend."""
        if self._phase is Phase.HEAD:
            self._reject_unparsed(Refusal.CROWDED_OUT)
        elif self._reading is not None:
            self._refuse(self._reading, Refusal.CROWDED_OUT)
        if not self._exchanges:
            self._read_no_more()
            self._transport.abort() if self._stalled else self._close()

    def close(self) -> None:
        """End now; answers that are written are still sent."""
        self._transport.close()

    def abort(self) -> None:
        """End at once."""
        self._transport.abort()

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """Return the head that asked for an upgrade, without that, because its body was skipped.

        The parser does the same behind CONNECT, which was handed on before it came here.
        """
        if self._phase is not Phase.HEAD:
            return b""
        return without_upgrade(self._parser.get_method(), self._url, self._headers)

    def _bound_unfinished(self) -> None:
        """Refuse a head that grew too large, headers or trailers that never end included.

        What came in vain may be twice as much: blanks and line ends are not counted.
        """
        limits = self._limits
        is_large = max(self._head_bytes, self._unparsed_bytes / 2) > limits.head_bytes
        if is_large or len(self._headers) > limits.headers:
            self._reject_unparsed(Refusal.HEAD_TOO_LARGE)
        elif not self._counted:
            self._counted = True
            self._shared.on_headers(self)

    def on_message_begin(self) -> None:
        """A request begins; called by the parser."""
        if self._phase is Phase.NOTHING:
            return
        self._phase = Phase.HEAD
        self._url = b""
        self._headers = []
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._expects = False
        self._hosts.clear()
        self.due_s = self._shared.now_s() + self._limits.head_timeout_s

    def on_url(self, url: bytes) -> None:
        """Take a part of the target; called by the parser."""
        self._url += url
        self._head_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; called by the parser."""
        name = name.lower()
        self._headers.append((name, value))
        self._head_bytes += len(name) + len(value)
        if name == host:
            self._hosts.append(value)
        elif name == _expect:
            asked = value.strip().lower() == b"100-continue"
            self._expects = asked and self._parser.get_http_version() != "1.0"

    def on_headers_complete(self) -> None:
        """Hand the request to its application; called by the parser."""
        if self._phase is Phase.NOTHING:
            return
        parser = self._parser
        if parser.should_upgrade() and parser.get_method() != b"CONNECT":
            return  # it comes again, without its header (`_head_without_upgrade`)
        path, query = target(self._url)
        headers, self._headers = self._headers, []  # what comes now are trailers
        exchange = RequestContext(
            parser.get_method(),
            path,
            query,
            headers,
            peer=self._peer,
            keep_alive=parser.should_keep_alive() and parser.get_http_version() == "1.1",
            application=self._shared.application_of(path, parser.get_method()),
            answered=self._answered,
        )
        self._phase = Phase.BODY
        self.due_s = self._shared.now_s() + self._limits.body_timeout_s
        self._exchanges.append(exchange)
        self._reading = exchange
        limits = self._limits
        if len(headers) > limits.headers or self._head_bytes > limits.head_bytes:
            self._refuse(exchange, Refusal.HEAD_TOO_LARGE)
            return
        if self._hosts != self._right_hosts:  # they are the same for each request, as a rule
            if not names_its_host(self._hosts, parser.get_http_version()):
                self._refuse(exchange, Refusal.MALFORMED)
                return
            self._right_hosts = self._hosts.copy()
        exchange.application.on_headers(exchange)
        if self._expects and exchange.answer is None and self._exchanges[0] is exchange:
            self._transport.write(_continue)

    def on_body(self, chunk: bytes) -> None:
        """Take a part of the body, or drop it where the answer is known; called by the parser."""
        exchange = self._reading
        if exchange is None:
            return
        self._unparsed_bytes = 0
        size = len(chunk)
        exchange.body_bytes += size
        if exchange.body_bytes > self._limits.body_bytes:
            self._refuse(exchange, Refusal.TOO_LARGE)
        elif exchange.answer is None:
            if self._shared.admission.hold(size) or self._shared.hold(self, size):
                exchange.held_bytes += size
                exchange.chunks.append(chunk)
                if len(exchange.chunks) > _most_chunks:
                    exchange.chunks[:] = [b"".join(exchange.chunks)]
            else:
                self._refuse(exchange, Refusal.OVERLOAD)

    def on_message_complete(self) -> None:
        """Have the request answered; called by the parser."""
        exchange = self._reading
        if exchange is None:
            return
        self._reading = None
        self._phase = Phase.IDLE
        self.due_s = inf
        exchange.is_read = True
        if self._counted:
            self._leave_unfinished()
        if exchange.answer is None:
            exchange.application.on_body(exchange)
            if exchange.answer is None:
                self._shared.admission.admit(exchange)
        elif not self._exchanges:
            self._start_time()
        if len(self._exchanges) >= _most_pipelined:
            self._transport.pause_reading()

    def _leave_unfinished(self) -> None:
        self._counted = False
        self._shared.finished(self)

    def _refuse(self, exchange: RequestContext, reason: Refusal) -> None:
        exchange.chunks.clear()
        self._shared.admission.let_go(exchange)
        if exchange.answer is None:
            exchange.application.refused(exchange, reason)
            return
        # It was answered before its body came, which now breaks the bounds.
        exchange.keep_alive = False
        self._read_no_more()
        self._start_time()

    def _reject_unparsed(self, reason: Refusal) -> None:
        """Refuse what never became a request."""
        exchange = self._reading
        if exchange is None:
            exchange = RequestContext(
                *(b"", "", b"", self._headers),
                peer=self._peer,
                keep_alive=False,
                application=self._shared.application_of("", b""),
                answered=self._answered,
            )
            self._exchanges.append(exchange)
            self._reading = exchange
        self._refuse(exchange, reason)

    def _answered(self) -> None:
        """Write the answers whose turn it is."""
        reading = self._reading
        if reading is not None and reading.answer is not None and reading.answer.closes:
            self._read_no_more()
        exchanges = self._exchanges
        was_full = len(exchanges) >= _most_pipelined
        while exchanges and exchanges[0].answer is not None:
            exchange = exchanges.popleft()
            self._shared.admission.let_go(exchange)
            self._write(exchange, exchanges_left=bool(exchanges))
        if was_full and len(exchanges) < _most_pipelined and not self._stalled:
            self._transport.resume_reading()

    def _write(self, exchange: RequestContext, *, exchanges_left: bool) -> None:
        answer = cast("Answer", exchange.answer)
        ends = self._ended and not exchanges_left
        last = answer.closes or not exchange.keep_alive or self._shared.draining or ends
        body = b"" if exchange.method == b"HEAD" else answer.body
        self._transport.write(
            answer.head + self._shared.date + (_close if last else b"") + b"\r\n" + body
        )
        if not self._transport.is_closing():
            exchange.application.written(exchange)
        if last:
            self._finish(exchange)
        elif not exchanges_left and self._phase is Phase.IDLE:
            self.due_s = self._shared.rested(self)
            if self._stalled:
                self._start_time()

    def _read_no_more(self) -> None:
        self._phase = Phase.NOTHING
        self._reading = None
        self.due_s = inf
        if self._counted:
            self._leave_unfinished()

    def _finish(self, exchange: RequestContext) -> None:
        self._read_no_more()
        self._drop_exchanges()
        if exchange.is_read:
            self._close()
        else:
            self._start_time()

    def _close(self) -> None:
        """Close once what was written is sent, for which the client has to read it."""
        self._transport.close()
        self.due_s = self._shared.now_s() + unread_s

    def _start_time(self) -> None:
        """Give what is waited for now its full time."""
        allowed_s = self._limits.allowed_s(
            self._phase, is_waited_for=bool(self._exchanges), is_stalled=self._stalled
        )
        self.due_s = self._shared.now_s() + allowed_s

    def _drop_exchanges(self) -> None:
        while self._exchanges:
            self._shared.admission.let_go(self._exchanges.popleft())
