"""An address passes if and only if one of the app's networks holds it, however it came."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.apps.registry import App, Network
from ingest.webhook.access import access_fault


def network_of(address: IPv4Address | IPv6Address, prefix: int) -> Network:
    bits = min(prefix, address.max_prefixlen)
    return ip_network((address, bits), strict=False)


near = st.integers(min_value=0, max_value=0xFFF)
networks = st.lists(
    st.builds(network_of, st.ip_addresses(), st.integers(min_value=8, max_value=128)),
    min_size=1,
    max_size=4,
)


def passes(app: App, address: str, *, before: list[str], hops: int) -> bool:
    """Ask with the address as the peer, or written by the outermost of so many proxies."""
    if hops == 0:
        peer, forwarded = address, before
    else:
        peer = "198.51.100.1"
        forwarded = [*before, address, *["198.51.100.2"] * (hops - 1)]
    header = [", ".join(forwarded).encode()]
    fault = access_fault(app, peer=peer, forwarded=header, credentials=(), hops=hops)
    return fault is None


@given(
    listed=networks,
    data=st.data(),
    offset=near,
    before=st.lists(st.sampled_from(["192.0.2.1", "x", ""]), max_size=3),
    hops=st.integers(min_value=0, max_value=4),
)
def test_an_address_passes_if_and_only_if_a_listed_network_holds_it(
    listed: list[Network], data: st.DataObject, offset: int, before: list[str], hops: int
) -> None:
    # Near an edge of one of the networks, where mistakes are.
    chosen = data.draw(st.sampled_from(listed))
    first, last = int(chosen.network_address), int(chosen.broadcast_address)
    number = data.draw(st.sampled_from([first - offset, first + offset, last + offset]))
    address = type(chosen.network_address)(number % 2**chosen.max_prefixlen)
    assume(isinstance(address, IPv4Address) or address.ipv4_mapped is None)

    expected = any(
        network.version == address.version
        and int(network.network_address) <= int(address) <= int(network.broadcast_address)
        for network in listed
    )
    app = App("a", (b"s",), networks=tuple(listed))
    assert passes(app, str(address), before=before, hops=hops) is expected


@given(listed=networks, address=st.ip_addresses(v=4), hops=st.integers(min_value=0, max_value=2))
def test_an_ipv4_address_within_ipv6_counts_as_ipv4(
    listed: list[IPv4Network | IPv6Network], address: IPv4Address, hops: int
) -> None:
    app = App("a", (b"s",), networks=tuple(listed))
    mapped = f"::ffff:{address}"
    plain = passes(app, str(address), before=[], hops=hops)
    assert passes(app, mapped, before=[], hops=hops) is plain


@given(
    peer=st.text(max_size=40),
    forwarded=st.lists(st.binary(max_size=40), max_size=4),
    credentials=st.lists(st.binary(max_size=10), max_size=3),
    hops=st.integers(min_value=0, max_value=5),
)
def test_nothing_that_is_sent_makes_it_raise_or_pass(
    peer: str, forwarded: list[bytes], credentials: list[bytes], hops: int
) -> None:
    app = App("a", (b"s",), networks=(ip_network("192.0.2.77/32"),))
    fault = access_fault(app, peer=peer, forwarded=forwarded, credentials=credentials, hops=hops)
    assert fault is not None
