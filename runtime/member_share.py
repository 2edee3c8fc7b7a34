"""Pure: the rank of a process among the members of its group, to divide something by members."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MemberShare:
    """Rank ``rank`` (from 0 on) of ``members``, from one rebalance to the next.

    No two members of a generation have the same rank. When a member gets its share, all members
    have given up their earlier ones, except a member that the group has removed.
    """

    rank: int
    members: int
    generation: int = 0

    def part_of(self, count: int) -> int:
        """Return how many of ``count`` things are this member's; the parts of all add up.

        A larger count never gives a member less.
        """
        whole, more = divmod(max(0, count), self.members)
        return whole + (self.rank < more)


sole_member: Final = MemberShare(0, 1)
"""The share of a process without a group."""
