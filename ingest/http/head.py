"""Collects the head of a request from the parser, and reads it."""

import re
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import httptools

from ingest.http.client_address import Address, source_address
from ingest.http.request_context import RawHeaders, blanks, pick_headers

_host: Final = b"host"
_expect: Final = b"expect"
_examined: Final = frozenset({_host, _expect, b"connection", b"proxy-connection"})
"""Headers that say something to the server itself."""
_forwarded: Final = b"x-forwarded-for"
_forwarded_only: Final = frozenset({_forwarded})
_upgrade: Final = b"upgrade"
_host_form: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""Source: RFC 3986, section 3.2.2, as far as characters go."""


class Head:
    """The head that is being parsed, then its trailers. `on_url`, `on_header`: for the parser."""

    __slots__ = (
        *("expects_continue", "has_options", "headers", "size_bytes", "url"),
        *("_hosts", "_right_hosts"),
    )

    def __init__(self) -> None:
        self.url = b""
        self.headers: RawHeaders = []
        self.size_bytes = 0
        self.expects_continue = False
        self.has_options = False
        """Whether there is a Connection header."""
        self._hosts: list[bytes] = []
        self._right_hosts: list[bytes] | None = None

    def clear(self) -> None:
        """Begin another head."""
        self.url = b""
        self.headers = []
        self.size_bytes = 0
        self.expects_continue = False
        self.has_options = False
        self._hosts.clear()

    def on_url(self, url: bytes) -> None:
        """Add a part of the target."""
        self.url += url
        self.size_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header or a trailer."""
        name = name.lower()
        self.headers.append((name, value))
        self.size_bytes += len(name) + len(value)
        if name in _examined:
            self._note(name, value)

    def take_headers(self) -> RawHeaders:
        """Return the headers; what comes after them are trailers."""
        headers, self.headers = self.headers, []
        return headers

    def names_its_host(self, version_of: Callable[[], str]) -> bool:
        """Whether there is one Host, and of its form; before HTTP/1.1 there may be none.

        As a rule the requests of a connection have the same: it is checked once.
        Source: RFC 9112, section 3.2, which wants 400 for anything else.
        """
        if self._hosts == self._right_hosts:
            return True
        is_right = _is_host(self._hosts, version_of())
        if is_right:
            self._right_hosts = self._hosts.copy()
        return is_right

    def without_upgrade(self, method: bytes) -> bytes:
        """Write the head again without its Upgrade, because this server speaks HTTP/1.1."""
        lines = b"".join(b"%b: %b\r\n" % each for each in self.headers if each[0] != _upgrade)
        return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self.url, lines)

    def _note(self, name: bytes, value: bytes) -> None:
        if name == _host:
            self._hosts.append(value)
        elif name == _expect:
            self.expects_continue = value.strip().lower() == b"100-continue"
        else:
            self.has_options = True


def target(url: bytes) -> tuple[str, bytes]:
    """Return path and query of a request target, in origin form or absolute."""
    path, _, query = url.partition(b"?")
    if not path.startswith(b"/"):
        try:
            path = httptools.parse_url(url).path or b"/"
        except httptools.HttpParserInvalidURLError:
            path = b""
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("latin-1"), query


def sent_from(peer: str, headers: RawHeaders, *, hops: int) -> Address | None:
    """Return the sender of a request, by its head if that has come, else by its connection."""
    if not (hops and headers):
        return source_address(peer, (), hops=0)
    forwarded = pick_headers(headers, _forwarded_only).get(_forwarded, ())
    return source_address(peer, forwarded, hops)


def _is_host(hosts: Sequence[bytes], version: str) -> bool:
    if len(hosts) == 1:
        return _host_form.fullmatch(hosts[0].rstrip(blanks)) is not None
    return not hosts and version != "1.1"
