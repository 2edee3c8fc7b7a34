"""Pure: the calls of one member within a daily limit, and its count across restarts.

Each member saves one count: its calls of the day, and how many of them precede its present
generation. From all counts every member calculates the same figures: the rest when the generation
began, and its own part of that. The calculation needs no coordination and gives the same result at
any time. A member that returns to its rank continues with the rest of its part.

A count is saved before its calls go out, some calls at a time: a crash loses no used call, and
wastes at most the calls saved last.
"""

from collections.abc import Mapping
from datetime import date
from math import floor
from typing import Final, NamedTuple, Protocol

from runtime.member_share import MemberShare
from zoom.limits import Label, Priority

_checkpoints_per_share: Final = 500
"""A part is saved in this many pieces."""


class Count(NamedTuple):
    """The calls of one rank on one day; ``before`` of them precede the generation."""

    day: date
    generation: int
    before: int
    used: int


Counts = Mapping[int, Count]
"""Rank to its count."""


class DailyCounts(Protocol):
    """Stores the counts of all members, of one worker and one account."""

    async def load(self, label: Label) -> Counts:
        """Return the latest count of every rank that was ever saved, by whichever process.

        Raises:
            TransientError: the store does not answer.
        """
        ...

    async def save(self, label: Label, rank: int, count: Count) -> None:
        """Replace the count of one rank; a load after the return sees it.

        Raises:
            TransientError: it may or may not be saved.
        """
        ...


class DailyShare:
    """The part of one member in one day's limit."""

    def __init__(self, limit: int, *, reserved: float, share: MemberShare, day: date) -> None:
        """Divide ``limit``, all members' calls; backfill leaves the fraction ``reserved`` of it.

        Until `recalculate` is called, nothing counts as used before.
        """
        self.share = share
        self.day = day
        self.limit = limit
        self._reserved = reserved
        self._spent = 0
        self._before = 0
        self._taken = 0
        self._checkpoint = 0

    def recalculate(self, counts: Counts) -> None:
        """Adopt the saved counts of all members."""
        of_day = {rank: count for rank, count in counts.items() if count.day == self.day}
        self._spent = sum(
            count.before if count.generation == self.share.generation else count.used
            for count in of_day.values()
        )
        own = of_day.get(self.share.rank)
        if own is None:
            return
        if own.generation == self.share.generation:
            self._before = own.before
            self._taken += own.used - own.before
            self._checkpoint = own.used - own.before
        else:
            self._before = own.used

    @property
    def calls(self) -> int:
        """How many calls this member has, from the beginning of its generation to the day's end."""
        return self.share.part_of(self.limit - self._spent)

    @property
    def used(self) -> int:
        """How many calls of the day all members have used, as far as this process knows."""
        return self._spent + self._taken

    def take(self, priority: Priority) -> bool:
        """Use one call, if there is one."""
        limit = self.limit
        if priority is Priority.BACKFILL:
            limit = floor(limit * (1 - self._reserved))
        if self._taken >= self.share.part_of(limit - self._spent):
            return False
        self._taken += 1
        return True

    def give_back(self) -> None:
        """Return a call that was not sent."""
        self._taken -= 1

    def pending_checkpoint(self) -> Count | None:
        """Return the count to save before the taken calls may go out; None where it is saved."""
        if self._taken <= self._checkpoint:
            return None
        ahead = max(1, self.calls // _checkpoints_per_share)
        used = self._before + max(self._taken, min(self._taken - 1 + ahead, self.calls))
        return Count(self.day, self.share.generation, self._before, used)

    def to_finish(self) -> Count | None:
        """Return the count to save when no more calls are taken; None where it is saved."""
        if self._checkpoint <= self._taken:
            return None
        return Count(self.day, self.share.generation, self._before, self._before + self._taken)

    def checkpointed(self, count: Count) -> None:
        """Note that a count is saved, or that it could not be and the calls go out all the same."""
        self._checkpoint = count.used - count.before
