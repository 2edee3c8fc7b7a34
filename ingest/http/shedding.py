"""Pure: chooses what to close under overload: the oldest of all, or the oldest of one address.

An attacker begins many requests and finishes none. The oldest has to go first, because Zoom
finishes a request within milliseconds, long before it is the oldest. If addresses tell senders
apart, one that holds more than its share loses its own oldest, regardless of the others.
"""

from collections import OrderedDict
from collections.abc import Hashable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Generic, TypeVar

MemberT = TypeVar("MemberT", bound=Hashable)

_share: Final = 8
"""An address may hold the eighth part before it pays with its own."""
_subnet: Final = 64
"""Bits of an IPv6 address that its owner cannot choose freely. Source: RFC 4291, section 2.5.4."""

Origin = IPv4Address | int | None
"""What counts as one sender; None if it is unknown."""


def origin_of(address: IPv4Address | IPv6Address | None) -> Origin:
    """Return the sender that an address belongs to: itself, or its network of IPv6."""
    return int(address) >> _subnet if isinstance(address, IPv6Address) else address


class SheddingQueue(Generic[MemberT]):
    """Members in the order of their arrival, of which there should be ``max_size`` at most."""

    __slots__ = ("_by_origin", "_max_size", "_origins")

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._origins: OrderedDict[MemberT, Origin] = OrderedDict()
        self._by_origin: dict[Origin, OrderedDict[MemberT, None]] = {}

    def __len__(self) -> int:
        """Return how many members there are."""
        return len(self._origins)

    @property
    def is_over(self) -> bool:
        """Whether there are more members than there should be."""
        return len(self._origins) > self._max_size

    def add(self, member: MemberT, origin: Origin) -> None:
        """Add the youngest member; one that is there already becomes the youngest."""
        self.discard(member)
        self._origins[member] = origin
        self._by_origin.setdefault(origin, OrderedDict())[member] = None

    def discard(self, member: MemberT) -> None:
        """Remove a member, if it is there."""
        if member not in self._origins:
            return
        origin = self._origins.pop(member)
        of_origin = self._by_origin[origin]
        del of_origin[member]
        if not of_origin:
            del self._by_origin[origin]

    def oldest(self, newcomer: Origin) -> MemberT | None:
        """Return the member that makes room for this origin; None if there is none."""
        own = self._by_origin.get(newcomer)
        if own is not None and len(own) > max(1, self._max_size // _share):
            return next(iter(own))
        return next(iter(self._origins), None)
