"""Pure: who has waited longest, of all and of each address, so that room is made in a fair order.

An attacker begins many requests and finishes none. The oldest has to go first, because a request of
Zoom's is finished within milliseconds, long before it is the oldest. Where addresses tell senders
apart, one that holds more than its share pays with its own oldest, whatever others hold.
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
"""What counts as one sender; None where nobody can say."""


def origin_of(address: IPv4Address | IPv6Address | None) -> Origin:
    """Return the sender that an address belongs to: itself, or its network of IPv6."""
    return int(address) >> _subnet if isinstance(address, IPv6Address) else address


class SheddingQueue(Generic[MemberT]):
    """Those who wait for something, in the order of their coming; ``most`` is what they may be."""

    __slots__ = ("_by_origin", "_most", "_origins")

    def __init__(self, most: int) -> None:
        self._most = most
        self._origins: OrderedDict[MemberT, Origin] = OrderedDict()
        self._by_origin: dict[Origin, OrderedDict[MemberT, None]] = {}

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._origins)

    @property
    def is_over(self) -> bool:
        """Whether they are too many."""
        return len(self._origins) > self._most

    def enter(self, member: MemberT, origin: Origin) -> None:
        """Let one wait as the youngest; who waits already does so again."""
        self.leave(member)
        self._origins[member] = origin
        self._by_origin.setdefault(origin, OrderedDict())[member] = None

    def leave(self, member: MemberT) -> None:
        """Let one go; who does not wait is no error."""
        if member not in self._origins:
            return
        origin = self._origins.pop(member)
        of_origin = self._by_origin[origin]
        del of_origin[member]
        if not of_origin:
            del self._by_origin[origin]

    def oldest(self, newcomer: Origin) -> MemberT | None:
        """Return who has to make room for one of this origin; None where nobody waits."""
        own = self._by_origin.get(newcomer)
        if own is not None and len(own) > max(1, self._most // _share):
            return next(iter(own))
        return next(iter(self._origins), None)
