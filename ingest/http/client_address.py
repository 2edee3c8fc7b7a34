"""Pure: the address that a request comes from, by its connection or by X-Forwarded-For."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


def source_address(peer: str, forwarded: Sequence[bytes], hops: int) -> Address | None:
    """Return the address of a request, None if there is none.

    With 0 ``hops`` it is the ``peer``, else the n-th address of X-Forwarded-For from the right.
    """
    if hops == 0:
        return _address(peer)
    entries = b",".join(forwarded).split(b",")
    return _address(entries[-hops].decode("latin-1")) if len(entries) >= hops else None


def _address(text: str) -> Address | None:
    """Parse an address; some proxies add a port, and put IPv6 in brackets."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A listener on :: sees the peers of IPv4 as ::ffff:a.b.c.d.
    return getattr(address, "ipv4_mapped", None) or address
