"""Pure: what one seat may ask of a limit per day, and what is kept of it across restarts.

Each seat keeps one count: how much it has used on the day, and how much of that before its present
generation. From all of them every seat reckons the same: what was left when the generation began,
and its part of that. It needs no word with the others, whenever it looks, and one that comes back
into its seat goes on with what is left of its part.

A count is kept before it is used, some calls at a time: a crash loses none of what was used, and
wastes at most what was kept last.
"""

from collections.abc import Mapping
from datetime import date
from math import floor
from typing import Final, NamedTuple, Protocol

from runtime.member_share import MemberShare
from zoom.limits import Label, Priority

_checkpoints_per_share: Final = 500
"""In so many pieces a part is used up, each kept at a time."""


class Count(NamedTuple):
    """What the calls of one seat came to on one day, of it ``before`` the generation began."""

    day: date
    generation: int
    before: int
    used: int


Counts = Mapping[int, Count]
"""Rank of the seat to its count."""


class DailyCounts(Protocol):
    """Keeps the counts of all seats, of one worker and one account."""

    async def load(self, label: Label) -> Counts:
        """Return the latest count of each seat that ever had one, whoever has saved it.

        Raises:
            TransientError: nobody knows.
        """
        ...

    async def save(self, label: Label, rank: int, count: Count) -> None:
        """Replace the count of one seat; whoever loads after the return sees it.

        Raises:
            TransientError: it may or may not be kept.
        """
        ...


class DailyShare:
    """The part of one seat in one day's limit."""

    def __init__(self, limit: int, *, reserved: float, share: MemberShare, day: date) -> None:
        """Divide ``limit``, what all seats have, of which backfill leaves the part ``reserved``.

        Until `recalculate` is called it is as if nothing had been used before.
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
        """Take into account what is kept of all seats."""
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
        """How many calls this seat has, from the beginning of its generation to the day's end."""
        return self.share.part_of(self.limit - self._spent)

    @property
    def used(self) -> int:
        """How many calls of the day all seats have used, as far as is known here."""
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
        """Note that a call that was taken did not go out."""
        self._taken -= 1

    def pending_checkpoint(self) -> Count | None:
        """Return what has to be kept before the calls taken may go out; None = it is."""
        if self._taken <= self._checkpoint:
            return None
        ahead = max(1, self.calls // _checkpoints_per_share)
        used = self._before + max(self._taken, min(self._taken - 1 + ahead, self.calls))
        return Count(self.day, self.share.generation, self._before, used)

    def to_finish(self) -> Count | None:
        """Return what has to be kept when no more calls are taken; None = it is."""
        if self._checkpoint <= self._taken:
            return None
        return Count(self.day, self.share.generation, self._before, self._before + self._taken)

    def checkpointed(self, count: Count) -> None:
        """Note that a count is kept, or that it could not be and the calls go out all the same."""
        self._checkpoint = count.used - count.before
