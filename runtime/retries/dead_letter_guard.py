"""Pure: limits the dead letters of a worker, overall and by topic.

A bad release must not drain topics into dead letters, and one poisoned topic must not stop the
others. So the shares and the rate refer to all records that the worker processes. When a bound
would be exceeded, the topic with the most dead letters is shut: its dead letters are refused, and
no longer count against other topics. A second topic that would be shut indicates a common cause.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.reasons import DeadLetterReason

_minute_s: Final = 60.0


@dataclass(frozen=True, slots=True)
class GuardBounds:
    """The limits of dead letters: shares of the last ``records`` processed ones, and a rate."""

    records: int
    defect_share: float
    rejected_share: float
    per_minute: int


class Origin(NamedTuple):
    """The topic, partition and offset where a record was first read."""

    topic: str
    partition: int
    offset: int


class Past(NamedTuple):
    """An earlier dead letter; ``age_s`` is the time since it was written."""

    origin: Origin
    reason: DeadLetterReason
    age_s: float


class GuardRefusal(NamedTuple):
    """A dead letter that must not be written. ``setting`` names the bound that it would exceed."""

    setting: str
    topics: frozenset[str]
    """The topics with refused records since partitions were last assigned."""


class _Entry(NamedTuple):
    settled: int
    at_s: float
    is_defect: bool


class DeadLetterGuard:
    """Refuses a dead letter after too many among the last records, or too many in a minute.

    Few of our own defects are allowed. Records with faults of their own are refused only where they
    are the majority, because then the judge is more likely wrong (a store without its migration).
    With fewer processed records than the shares refer to, the allowance is the full one.

    A topic stays shut until none of its dead letters is among the last records any more, or until
    `reopen`.
    """

    def __init__(self, bounds: GuardBounds) -> None:
        self._bounds = bounds
        self._settled = 0
        self._entries: dict[Origin, _Entry] = {}
        self._shut: dict[str, str] = {}
        self._refused: set[str] = set()

    def done(self, count: int = 1) -> None:
        """Note further processed records, dead letters included."""
        self._settled += count

    def refusal(
        self, origin: Origin, reason: DeadLetterReason, *, now_s: float
    ) -> GuardRefusal | None:
        """Note one more dead letter, or return why it is refused; ``now_s`` never falls.

        A record that became a dead letter before a crash, and is read again, does not count again.
        """
        self._forget(now_s)
        if origin in self._entries:
            return None
        is_defect = reason is DeadLetterReason.DEFECT
        while origin.topic not in self._shut and len(self._shut) <= 1:
            setting = self._exceeded_bound(now_s, is_defect=is_defect)
            if setting is None:
                self._entries[origin] = _Entry(self._settled, now_s, is_defect)
                return None
            self._shut[self._worst(origin.topic)] = setting
        self._refused.add(origin.topic)
        setting = self._shut.get(origin.topic) or next(iter(self._shut.values()))
        return GuardRefusal(setting, frozenset(self._refused | self._shut.keys()))

    def remember(self, past: Iterable[Past], *, now_s: float) -> None:
        """Count earlier dead letters as if they were the latest; known ones count once."""
        for letter in past:
            is_defect = letter.reason is DeadLetterReason.DEFECT
            entry = _Entry(self._settled, now_s - letter.age_s, is_defect)
            self._entries.setdefault(letter.origin, entry)

    def reopen(self) -> None:
        """Note that partitions were assigned: all topics are tried again."""
        self._shut.clear()
        self._refused.clear()

    def _exceeded_bound(self, now_s: float, *, is_defect: bool) -> str | None:
        """Return the bound that one more dead letter of an open topic would exceed."""
        bounds = self._bounds
        counted = [
            entry for origin, entry in self._entries.items() if origin.topic not in self._shut
        ]
        recent = sum(
            entry.is_defect == is_defect and entry.settled > self._settled - bounds.records
            for entry in counted
        )
        share = bounds.defect_share if is_defect else bounds.rejected_share
        if recent + 1 > max(1.0, share * bounds.records):  # the first one is always allowed
            return f"ZCC_WORKER_GUARD_{'DEFECT' if is_defect else 'REJECTED'}_SHARE"
        if sum(entry.at_s > now_s - _minute_s for entry in counted) >= bounds.per_minute:
            return "ZCC_WORKER_GUARD_PER_MINUTE"
        return None

    def _worst(self, topic: str) -> str:
        """Return the open topic with the most dead letters, one more of this topic included."""
        counts = Counter(origin.topic for origin in self._entries if origin.topic not in self._shut)
        counts[topic] += 1
        return max(counts, key=lambda each: (counts[each], each == topic))

    def _forget(self, now_s: float) -> None:
        """Drop entries that count for no bound any more, and open topics without entries."""
        oldest_counted = self._settled - self._bounds.records
        for origin, entry in list(self._entries.items()):
            if entry.settled <= oldest_counted and entry.at_s <= now_s - _minute_s:
                del self._entries[origin]
        topics = {
            origin.topic
            for origin, entry in self._entries.items()
            if entry.settled > oldest_counted
        }
        for topic in [topic for topic in self._shut if topic not in topics]:
            del self._shut[topic]
