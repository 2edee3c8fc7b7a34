"""Pure: the address that a request comes from, by its connection or by X-Forwarded-For."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


def source_address(peer: str, forwarded: Sequence[bytes], hops: int) -> Address | None:
    """Return where a request comes from, None where that is no address.

    With 0 ``hops`` it is the ``peer``, else the n-th address of X-Forwarded-For from the right.
    """
    if hops == 0:
        return _address(peer)
    written = b",".join(forwarded).split(b",")
    return _address(written[-hops].decode("latin-1")) if len(written) >= hops else None


def _address(text: str) -> Address | None:
    """Read an address, which some proxies write with a port, and then IPv6 in brackets."""
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
