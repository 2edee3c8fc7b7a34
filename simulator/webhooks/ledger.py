"""The outcomes of events: one JSON line per notification, and running totals.

A notification is an event under one request id: up to four deliveries of the same body. An event
has one, or two where it is duplicated, and counts as accepted when any of them was. Lines hold ids,
times and statuses, never a body.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson
from pydantic import TypeAdapter

from simulator.webhooks.retry_schedule import Answer, Outcome

_best_first: Final = (Outcome.ACCEPTED, Outcome.GIVEN_UP, Outcome.LOST)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One finished notification. Times are ISO 8601 in UTC."""

    event: str
    event_id: str
    request_id: str
    duplicate: bool
    attempts: int
    statuses: tuple[Answer, ...]
    outcome: Outcome
    first_sent_at: str
    accepted_at: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """``events``, ``accepted``, ``given_up`` and ``lost`` count distinct events.

    ``deliveries`` are HTTP attempts, ``retries`` those after the first of a notification,
    ``duplicates_sent`` notifications after the first of an event, ``by_event`` distinct events by
    name. An event in flight counts in ``events`` and ``by_event`` alone.
    """

    events: int = 0
    deliveries: int = 0
    duplicates_sent: int = 0
    retries: int = 0
    accepted: int = 0
    given_up: int = 0
    lost: int = 0
    by_event: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _OnItsWay:
    """An event with unfinished notifications."""

    notifications: int = 0
    outcome: Outcome = _best_first[-1]


class Tally:
    """Counts events; remembers only those in flight."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._by_event: Counter[str] = Counter()
        self._on_their_way: dict[str, _OnItsWay] = {}

    @property
    def totals(self) -> Totals:
        """The counts so far."""
        return Totals(**self._counts, by_event=dict(self._by_event))

    def opened(self, event: str, event_id: str, *, notifications: int) -> None:
        """Count an event that is about to be sent in this many notifications."""
        self._counts["events"] += 1
        self._counts["duplicates_sent"] += notifications - 1
        self._by_event[event] += 1
        self._on_their_way.setdefault(event_id, _OnItsWay()).notifications += notifications

    def attempted(self, *, attempt: int) -> None:
        """Count one delivery, the nth of its notification."""
        self._counts["deliveries"] += 1
        self._counts["retries"] += attempt > 1

    def closed(self, event_id: str, outcome: Outcome) -> None:
        """Count the end of a notification, and of its event with the last of them."""
        event = self._on_their_way[event_id]
        event.notifications -= 1
        event.outcome = min(event.outcome, outcome, key=_best_first.index)
        if not event.notifications:
            del self._on_their_way[event_id]
            self._counts[event.outcome] += 1


class LedgerWriter:
    """Keeps the totals and, with a path, appends to the file. A context manager.

    A line is in the file when `closed` returns, whatever happens to this process afterwards.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._tally = Tally()

    def __enter__(self) -> Self:
        """Open the file."""
        self._file = self._path.open("ab", buffering=0) if self._path else None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        if self._file:
            self._file.close()

    @property
    def totals(self) -> Totals:
        """The counts so far."""
        return self._tally.totals

    def opened(self, event: str, event_id: str, *, notifications: int) -> None:
        """Count an event that is about to be sent in this many notifications."""
        self._tally.opened(event, event_id, notifications=notifications)

    def attempted(self, *, attempt: int) -> None:
        """Count one delivery, the nth of its notification."""
        self._tally.attempted(attempt=attempt)

    def closed(self, entry: LedgerEntry) -> None:
        """Record the end of a notification."""
        self._tally.closed(entry.event_id, entry.outcome)
        if self._file:
            self._file.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))


@dataclass(frozen=True)
class Ledger:
    """A ledger as read, in the order of the outcomes."""

    entries: tuple[LedgerEntry, ...]

    @cached_property
    def accepted_ids(self) -> frozenset[str]:
        """Ids of the events that the endpoint accepted."""
        return frozenset(e.event_id for e in self.entries if e.outcome is Outcome.ACCEPTED)

    @cached_property
    def totals(self) -> Totals:
        """The counts over all entries."""
        tally = Tally()
        notifications = Counter(entry.event_id for entry in self.entries)
        names = {entry.event_id: entry.event for entry in self.entries}
        for event_id, count in notifications.items():
            tally.opened(names[event_id], event_id, notifications=count)
        for entry in self.entries:
            for attempt in range(1, entry.attempts + 1):
                tally.attempted(attempt=attempt)
            tally.closed(entry.event_id, entry.outcome)
        return tally.totals


def read_ledger(path: Path) -> Ledger:
    """Read a complete ledger.

    Raises:
        pydantic.ValidationError: a line is not of a ledger.
    """
    read = TypeAdapter(LedgerEntry).validate_json
    with path.open("rb") as lines:
        return Ledger(tuple(read(line) for line in lines))
