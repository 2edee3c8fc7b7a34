"""Pure: which of the members of its group a process is, for those who share something out."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class MemberShare:
    """Rank ``rank`` (from 0 on) of ``members``, from one rebalance to the next.

    No two members of a generation have the same rank. Whoever gets a seat knows that all members
    have given up those of earlier generations, but for one that the group has done without.
    """

    rank: int
    members: int
    generation: int = 0

    def part_of(self, count: int) -> int:
        """Return how many of ``count`` things are this seat's; those of all seats make the whole.

        A larger count never gives a seat less.
        """
        whole, more = divmod(max(0, count), self.members)
        return whole + (self.rank < more)


sole_member: Final = MemberShare(0, 1)
"""The seat of a process without a group."""
