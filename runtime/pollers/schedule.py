"""Pure: which feed of a poller is fetched next, and when.

A feed is idle, queued (due, and waits for room) or busy (a page of it is fetched or published).

Invariants:

1. A feed is busy with one page at most, so its pages are published in order.
2. No more pages are busy than the limit, and they hold no more records than the limit, a page that
   is not fetched yet counted at its largest; but one page may be busy in any case.
3. Queued feeds start in the order in which they were seen to be due: no feed waits for ever.
4. A feed that failed is not queued before its delay is over; no other feed waits for that.
5. A feed whose page did not move its watermark is not queued before an idle delay is over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

idle_delay_s: Final = 5.0
"""Wait of a feed after a page without news, even if its poller says that it is due."""


@dataclass(frozen=True, slots=True)
class PageLimits:
    """How many pages may be busy, how many records they may hold, how many a page may have."""

    pages: int
    records: int
    page_records: int


class Schedule:
    """The feeds of one poller. Times are seconds of one monotonic clock."""

    def __init__(self, feeds: Sequence[str], limits: PageLimits) -> None:
        self._limits = limits
        self._idle: dict[str, float] = dict.fromkeys(feeds, -inf)
        """Of each idle feed, before when it is not queued."""
        self._queued: dict[str, None] = {}
        self._busy: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._next_s = inf

    @property
    def idle(self) -> Collection[str]:
        """The feeds of which `look` wants to know when they are due."""
        return self._idle.keys()

    @property
    def queued(self) -> Collection[str]:
        """The feeds that are due and wait for room, the first in line first."""
        return self._queued.keys()

    @property
    def busy(self) -> Collection[str]:
        """The feeds of which a page is fetched or published."""
        return self._busy.keys()

    @property
    def records(self) -> int:
        """How many records the busy pages hold, at most."""
        return sum(self._busy.values())

    @property
    def failures(self) -> Mapping[str, int]:
        """How often each feed that fails has failed since it last succeeded."""
        return self._failures

    def look(self, now_s: float, due_s: Mapping[str, float]) -> None:
        """Queue what is due by now; ``due_s`` has each idle feed that will ever be due."""
        self._next_s = inf
        for feed, not_before_s in list(self._idle.items()):
            begins_s = max(not_before_s, due_s.get(feed, inf))
            if begins_s <= now_s:
                del self._idle[feed]
                self._queued[feed] = None
            else:
                self._next_s = min(self._next_s, begins_s)

    def start(self) -> str | None:
        """Return the feed to fetch now, which is busy from then on; None where there is no room."""
        limits, held = self._limits, self.records
        has_room = not self._busy or (
            len(self._busy) < limits.pages and held + limits.page_records <= limits.records
        )
        if not self._queued or not has_room:
            return None
        feed = next(iter(self._queued))
        del self._queued[feed]
        self._busy[feed] = limits.page_records
        return feed

    def fetched(self, feed: str, records: int) -> None:
        """Note how many records its page has."""
        self._busy[feed] = records

    def done(self, feed: str, now_s: float, *, moved: bool) -> None:
        """Note that its page is committed, or was empty; ``moved``: its watermark changed."""
        del self._busy[feed]
        self._failures.pop(feed, None)
        self._idle[feed] = now_s if moved else now_s + idle_delay_s

    def failed(self, feed: str, until_s: float) -> None:
        """Note that its page came to nothing; it is not fetched before that time."""
        del self._busy[feed]
        self._failures[feed] = self._failures.get(feed, 0) + 1
        self._idle[feed] = until_s

    def release(self, now_s: float) -> None:
        """Make all busy feeds idle: their pages were abandoned without a fault."""
        self._idle |= dict.fromkeys(self._busy, now_s)
        self._busy.clear()

    def wait_s(self, now_s: float) -> float:
        """Return for how long `look` finds nothing new; for ever where a page must end first."""
        return max(0.0, self._next_s - now_s)
