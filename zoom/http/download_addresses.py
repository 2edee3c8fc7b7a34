"""Pure: the addresses of downloads, and whether they may be fetched.

They come from events, replies and redirects. Anyone who can write one could otherwise have this
machine send requests to its neighbours, or a token to a stranger.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from zoom.errors import RefusedError, ZoomFault
from zoom.settings import is_near

_unquoted: Final = "%/?:@!$&'()*+,;=~[]"
"""Characters that stay unescaped in a path or a query; all others are escaped, so that none ends a
line."""

_usual_ports: Final = {"https": 443, "http": 80}
_expected: Final = "expected the URL of a download, https://host/path without user and password"


class UnsafeAddressError(RefusedError):
    """A forbidden address. The message names the host at most, never path or query."""

    def __init__(self, detail: str) -> None:
        super().__init__(ZoomFault.REFUSED, detail)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a file; its path and its query may hold secrets."""

    origin: str
    target: str = field(repr=False)

    @property
    def url(self) -> str:
        """The complete URL, escaped."""
        return self.origin + self.target


def address_of(url: str, *, base: str, hosts: Collection[str]) -> Address:
    """Return the address that ``url`` means relative to ``base``.

    It must be HTTPS (plain HTTP only where `zoom.settings.is_near`), at one of the hosts, or below
    one of them and then at the default port.

    Raises:
        UnsafeAddressError: it is none of these.
    """
    try:
        parts = urlsplit(urljoin(base, url))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UnsafeAddressError(_expected) from None
    web = parts.scheme in ("https", "http") and "@" not in parts.netloc
    if not url or not web or not re.fullmatch(r"[a-z0-9.-]+", host):
        raise UnsafeAddressError(_expected)
    if parts.scheme == "http" and not is_near(host):
        raise UnsafeAddressError(f"expected https, but the URL at {host} is http")
    if not _is_allowed(host, port, hosts):
        raise UnsafeAddressError(
            f"nothing may be downloaded from {host}: ZCC_ZOOM_DOWNLOAD_HOSTS does not name it"
        )
    usual = port in (None, _usual_ports[parts.scheme])
    origin = f"{parts.scheme}://{host}" + ("" if usual else f":{port}")
    query = f"?{quote(parts.query, safe=_unquoted)}" if parts.query else ""
    return Address(origin, (quote(parts.path, safe=_unquoted) or "/") + query)


def _is_allowed(host: str, port: int | None, hosts: Collection[str]) -> bool:
    if host in hosts:
        return True
    return port in (None, 443) and any(host.endswith(f".{allowed}") for allowed in hosts)
