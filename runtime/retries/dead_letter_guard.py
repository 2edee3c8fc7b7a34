"""Pure: how many records may be set aside, and of which topic they are too many.

A bad release must not drain topics into dead letters, and one poisoned topic must not stop the
others. So the shares and the rate are taken of all records that the worker settles. Where a bound
would be passed, the topic with the most dead letters is shut: its dead letters are refused, and no
longer counted against other topics. A second topic that would be shut is the sign of a cause that
is common to all.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.reasons import DeadLetterReason

_minute_s: Final = 60.0


@dataclass(frozen=True, slots=True)
class GuardBounds:
    """How much may be set aside: shares of the last ``records`` settled ones, and a rate."""

    records: int
    defect_share: float
    rejected_share: float
    per_minute: int


class Origin(NamedTuple):
    """Where a record was first read."""

    topic: str
    partition: int
    offset: int


class Past(NamedTuple):
    """A record that was set aside before; ``age_s`` is the time since then."""

    origin: Origin
    reason: DeadLetterReason
    age_s: float


class GuardRefusal(NamedTuple):
    """A dead letter that must not be written: ``setting`` names the bound that it would pass."""

    setting: str
    topics: frozenset[str]
    """The topics of which records were refused since partitions were last assigned."""


class _Noted(NamedTuple):
    settled: int
    at_s: float
    is_defect: bool


class DeadLetterGuard:
    """Refuses a dead letter where too many of the last records became one, or too many in a minute.

    Few defects of ours are let through. Records that are at fault themselves are refused only where
    they are most of what there is, for then it is more likely that the judge is wrong (a store
    without its migration). Where fewer records were settled than the shares are taken of, as many
    are allowed as of all of them.

    A topic stays shut until none of its dead letters is among the last records any more, or until
    `reopen`.
    """

    def __init__(self, bounds: GuardBounds) -> None:
        self._bounds = bounds
        self._settled = 0
        self._noted: dict[Origin, _Noted] = {}
        self._shut: dict[str, str] = {}
        self._refused: set[str] = set()

    def done(self, count: int = 1) -> None:
        """Note that so many more records are settled, dead letters included."""
        self._settled += count

    def refusal(
        self, origin: Origin, reason: DeadLetterReason, *, now_s: float
    ) -> GuardRefusal | None:
        """Note one more dead letter, or return why it is refused; ``now_s`` never falls.

        A record that was set aside before, and is read again after a crash, is not counted again.
        """
        self._forget(now_s)
        if origin in self._noted:
            return None
        is_defect = reason is DeadLetterReason.DEFECT
        while origin.topic not in self._shut and len(self._shut) <= 1:
            setting = self._passed(now_s, is_defect=is_defect)
            if setting is None:
                self._noted[origin] = _Noted(self._settled, now_s, is_defect)
                return None
            self._shut[self._worst(origin.topic)] = setting
        self._refused.add(origin.topic)
        setting = self._shut.get(origin.topic) or next(iter(self._shut.values()))
        return GuardRefusal(setting, frozenset(self._refused | self._shut.keys()))

    def remember(self, past: Iterable[Past], *, now_s: float) -> None:
        """Count dead letters of before, as if they were the latest; known ones count once."""
        for letter in past:
            is_defect = letter.reason is DeadLetterReason.DEFECT
            noted = _Noted(self._settled, now_s - letter.age_s, is_defect)
            self._noted.setdefault(letter.origin, noted)

    def reopen(self) -> None:
        """Note that partitions were assigned: all of them are tried again."""
        self._shut.clear()
        self._refused.clear()

    def _passed(self, now_s: float, *, is_defect: bool) -> str | None:
        """Return the bound that one more dead letter of an open topic would pass."""
        bounds = self._bounds
        counted = [noted for origin, noted in self._noted.items() if origin.topic not in self._shut]
        recent = sum(
            noted.is_defect == is_defect and noted.settled > self._settled - bounds.records
            for noted in counted
        )
        share = bounds.defect_share if is_defect else bounds.rejected_share
        if recent + 1 > max(1.0, share * bounds.records):  # the first is never too many
            return f"ZCC_WORKER_GUARD_{'DEFECT' if is_defect else 'REJECTED'}_SHARE"
        if sum(noted.at_s > now_s - _minute_s for noted in counted) >= bounds.per_minute:
            return "ZCC_WORKER_GUARD_PER_MINUTE"
        return None

    def _worst(self, topic: str) -> str:
        """Return the open topic with the most dead letters, one more of this topic included."""
        counts = Counter(origin.topic for origin in self._noted if origin.topic not in self._shut)
        counts[topic] += 1
        return max(counts, key=lambda each: (counts[each], each == topic))

    def _forget(self, now_s: float) -> None:
        """Drop what counts for no bound any more, and open topics of which nothing is left."""
        least = self._settled - self._bounds.records
        for origin, noted in list(self._noted.items()):
            if noted.settled <= least and noted.at_s <= now_s - _minute_s:
                del self._noted[origin]
        left = {origin.topic for origin, noted in self._noted.items() if noted.settled > least}
        for topic in [topic for topic in self._shut if topic not in left]:
            del self._shut[topic]
