"""What the head of a request says: where it is meant to go, and whether it names its host."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import httptools

from ingest.http.client_address import Address, source_address
from ingest.http.exchange import RawHeaders, blanks, pick_headers

host: Final = b"host"

_forwarded: Final = b"x-forwarded-for"
_forwarded_only: Final = frozenset({_forwarded})
_upgrade: Final = b"upgrade"
_host_form: Final = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""Source: RFC 3986, section 3.2.2, as far as characters go."""


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


def names_its_host(hosts: Sequence[bytes], version: str) -> bool:
    """Whether the values of Host are one, and of its form; before HTTP/1.1 there need be none.

    Source: RFC 9112, section 3.2; what breaks it is to be answered 400.
    """
    if len(hosts) == 1:
        return _host_form.fullmatch(hosts[0].rstrip(blanks)) is not None
    return not hosts and version != "1.1"


def sent_from(peer: str, headers: RawHeaders, *, hops: int) -> Address | None:
    """Return where a request comes from: by its head where that has come, else its connection."""
    if not (hops and headers):
        return source_address(peer, (), hops=0)
    forwarded = pick_headers(headers, _forwarded_only).get(_forwarded, ())
    return source_address(peer, forwarded, hops)


def without_upgrade(method: bytes, url: bytes, headers: RawHeaders) -> bytes:
    """Write a head again that does not ask for an upgrade, for we speak HTTP/1.1."""
    kept = b"".join(b"%b: %b\r\n" % each for each in headers if each[0] != _upgrade)
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, url, kept)
