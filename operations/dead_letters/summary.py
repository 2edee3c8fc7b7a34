"""Pure: dead letters counted by fingerprint, and the earliest of many."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from operations.dead_letters.fingerprint import normalised
from operations.dead_letters.letter import Letter, RecordId


@dataclass(slots=True)
class Group:
    """Letters with the same fingerprint. ``error`` has ``#`` for the parts that vary.

    ``example`` is the origin of the first letter, or its own id if it names no origin.
    """

    fingerprint: str
    worker: str
    reason: str
    event: str
    error: str
    example: RecordId
    first_ms: int
    last_ms: int
    count: int = 0


class Summary:
    """Counts letters by fingerprint, in any order."""

    def __init__(self, letters: Iterable[Letter] = ()) -> None:
        self._groups: dict[str, Group] = {}
        for letter in letters:
            self.add(letter)

    def add(self, letter: Letter) -> None:
        """Count one more."""
        group = self._groups.get(letter.fingerprint)
        if group is None:
            group = self._groups[letter.fingerprint] = _group_of(letter)
        group.count += 1
        group.last_ms = max(group.last_ms, letter.failed_at_ms)
        if letter.failed_at_ms < group.first_ms:
            group.first_ms, group.example = letter.failed_at_ms, letter.origin or letter.record_id

    @property
    def groups(self) -> Sequence[Group]:
        """The groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: (-group.count, group.fingerprint))


def _group_of(letter: Letter) -> Group:
    return Group(
        letter.fingerprint,
        letter.worker,
        letter.reason,
        letter.event,
        normalised(letter.error),
        letter.origin or letter.record_id,
        letter.failed_at_ms,
        letter.failed_at_ms,
    )


class Earliest:
    """Keeps the ``limit`` letters that failed first, or all."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._entries: list[tuple[int, int, Letter]] = []
        self.added = 0

    def add(self, letter: Letter) -> None:
        """Add a letter; if there are ``limit`` already, drop the latest."""
        self.added += 1
        entry = (-letter.failed_at_ms, -self.added, letter)  # of two at once, the first added
        if self._limit is None or len(self._entries) < self._limit:
            heapq.heappush(self._entries, entry)
        else:
            heapq.heappushpop(self._entries, entry)

    @property
    def letters(self) -> Sequence[Letter]:
        """The letters, the earliest first."""
        return [
            letter for *_, letter in sorted(self._entries, reverse=True)
        ]  # never compared: numbered
