"""Pure: the walk over the lists of one kind of entity, step by step.

A walk reads the lists page by page, then checks the entities that the topic holds and the lists
lacked, then waits. Its watermark says how far it has come; what the lists had is only in memory.

Invariants:

1. A restart continues at the page that the watermark names. Zoom's token of a page lives 15
   minutes; after that the part that it belongs to is read from its first page.
2. Nothing is checked after a walk that this process has not read whole: another process, or this
   one before its restart, knows the rest of what the lists had.
3. An entity that changed after the walk began is not checked: the list may be older.
4. A kind that can be looked up loses an entity only when its lookup says so. Another kind loses it
   when two whole walks in a row have lacked it.
5. A page, or its token, that comes twice ends the walk; nothing is checked after it.
6. `Walk.question` asks the same question again for the same watermark.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from processors.entities.kind import Kind, ListDivision
from processors.reference.news import Account, epoch_ms
from processors.reference.watermark import (
    Checking,
    ReadingPages,
    Waiting,
    Watermark,
    most_missing,
    read_watermark,
)

_token_lifetime: Final = timedelta(minutes=14)
"""Zoom forgets the token of a page after 15 minutes; the request takes some of them."""

_most_restarts: Final = 3

_long_ago: Final = datetime.fromtimestamp(0, UTC)


class EndlessListError(Exception):
    """A page, or its token, comes twice: the list would have no end."""


@dataclass(frozen=True, slots=True)
class FindPart:
    """Which part of the list follows ``after``, in the order of their names? None: the first."""

    division: ListDivision
    after: str | None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """What is on this page of this part?"""

    part: str
    token: str


@dataclass(frozen=True, slots=True)
class Check:
    """Do these entities exist, which the lists lacked as of then?"""

    ids: tuple[str, ...]
    as_of: datetime


Question = FindPart | ReadPage | Check


@dataclass(slots=True)
class _Memory:
    """What this process has read of a walk; ``watermarks``: those between which it continues."""

    watermarks: frozenset[str | None]
    whole: bool
    ids: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    last_page: tuple[str, Sequence[str]] = ("", ())
    restarts: int = 0


class Walk:
    """The walks of one kind of entity, one after the other.

    Ask `question`, then give the answer to the method that belongs to it, which returns the next
    watermark. A question that fails is asked again.
    """

    def __init__(self, kind: Kind, account: Account, *, checked_at_once: int) -> None:
        self._kind = kind
        self._account = account
        self._checked_at_once = checked_at_once
        self._memory = _Memory(frozenset(), whole=False)
        self._mark = Watermark(phase=Waiting(until=_long_ago))
        self._watermark: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether this process has read all of the present walk."""
        return self._memory.whole

    def question(self, watermark: str | None, now: datetime) -> Question:
        """Return what to ask Zoom next."""
        mark = read_watermark(watermark) or Watermark(phase=Waiting(until=now))
        phase = mark.phase
        if watermark not in self._memory.watermarks:
            self._memory = _Memory(frozenset({watermark}), whole=False)
        if isinstance(phase, ReadingPages) and _is_expired(phase, now):
            phase = ReadingPages(started_at=phase.started_at, part=phase.part)
            self._forget_tokens()
        if isinstance(phase, Waiting) or self._begins(phase):
            phase = ReadingPages(started_at=now, part=None if self._kind.division else "")
            self._memory = _Memory(frozenset({watermark}), whole=True)
        self._mark, self._watermark = mark.at(phase), watermark
        if isinstance(phase, Checking):
            return Check(self._unchecked(phase), phase.started_at)
        division = self._kind.division
        if division is None or (phase.part is not None and not phase.read):
            return ReadPage(phase.part or "", phase.token)
        return FindPart(division, phase.part)

    def part_found(self, part: str | None, now: datetime) -> str:
        """Take the next part; None says that the list has no further one."""
        if part is None:
            return self._listed(now)
        self._forget_tokens()
        return self._continue(ReadingPages(started_at=self._phase_listing.started_at, part=part))

    def page_read(self, ids: Sequence[str], token: str, now: datetime) -> str:
        """Take the ids on a page, and the token of the next page, "" at the end of the part.

        Raises:
            EndlessListError: end the walk.
        """
        phase, memory = self._phase_listing, self._memory
        memory.tokens.add(phase.token)
        last_token, last_ids = memory.last_page
        is_repeated = bool(ids) and last_token != phase.token and last_ids == ids
        if token and (token in memory.tokens or is_repeated):
            raise EndlessListError
        memory.last_page = phase.token, ids
        memory.ids.update(ids)
        if token:
            following = ReadingPages(
                started_at=phase.started_at, part=phase.part, token=token, token_at=now
            )
            return self._continue(following)
        if self._kind.division is None:
            return self._listed(now)
        return self._continue(ReadingPages(started_at=phase.started_at, part=phase.part, read=True))

    def checked(self, check: Check, *, until: datetime) -> str:
        """Take the end of a check; ``until`` is when the next walk begins, should this one end."""
        phase = self._mark.phase
        if self._kind.get_operation and check.ids and isinstance(phase, Checking):
            return self._continue(Checking(started_at=phase.started_at, after=check.ids[-1]))
        missing = () if self._kind.get_operation else check.ids[:most_missing]
        return self._wait(until, missing=missing if self._memory.whole else self._mark.missing)

    def were_missing(self, ids: Collection[str]) -> frozenset[str]:
        """Return those that the last whole walk lacked already."""
        return frozenset(self._mark.missing).intersection(ids)

    def restart_part(self) -> str:
        """Return the watermark before the first page of the present part: its token is refused.

        Raises:
            EndlessListError: that happened too often; end the walk.
        """
        phase = self._phase_listing
        self._memory.restarts += 1
        if self._memory.restarts > _most_restarts:
            raise EndlessListError
        self._forget_tokens()
        return self._continue(ReadingPages(started_at=phase.started_at, part=phase.part))

    def give_up(self, *, until: datetime) -> str:
        """End the walk unfinished, and begin another one later."""
        return self._wait(until, missing=self._mark.missing)

    @property
    def _phase_listing(self) -> ReadingPages:
        phase = self._mark.phase
        if not isinstance(phase, ReadingPages):
            raise TypeError("no list is being read")
        return phase

    def _begins(self, phase: ReadingPages | Checking) -> bool:
        """Return whether a walk is at its very beginning: then all of it is still to be read."""
        if not isinstance(phase, ReadingPages) or phase.token or phase.read or self._memory.whole:
            return False
        return phase.part is None or self._kind.division is None

    def _listed(self, now: datetime) -> str:
        started_at = self._phase_listing.started_at
        self._mark = Watermark(phase=self._mark.phase, walked_at=now, missing=self._mark.missing)
        return self._continue(Checking(started_at=started_at))

    def _unchecked(self, phase: Checking) -> tuple[str, ...]:
        """Return the next entities that exist as far as is known, and that the lists lacked."""
        if not self._memory.whole:
            return ()
        before_ms = epoch_ms(phase.started_at)
        lacking = sorted(
            id_
            for id_ in self._account.known.ids(self._account.id, self._kind.entity)
            if id_ not in self._memory.ids and self._is_older(id_, before_ms)
        )
        if self._kind.get_operation is None:
            return tuple(lacking[:most_missing])
        start = bisect_right(lacking, phase.after)
        return tuple(lacking[start : start + self._checked_at_once])

    def _is_older(self, id_: str, before_ms: int) -> bool:
        held = self._account.held(self._kind, id_)
        return held is not None and held.as_of_ms < before_ms

    def _forget_tokens(self) -> None:
        self._memory.tokens.clear()
        self._memory.last_page = ("", ())

    def _continue(self, phase: ReadingPages | Checking) -> str:
        return self._moved(self._mark.at(phase))

    def _wait(self, until: datetime, *, missing: tuple[str, ...]) -> str:
        return self._moved(
            Watermark(phase=Waiting(until=until), walked_at=self._mark.walked_at, missing=missing)
        )

    def _moved(self, mark: Watermark) -> str:
        text = mark.encode()
        self._memory.watermarks = frozenset({self._watermark, text})
        return text


def _is_expired(phase: ReadingPages, now: datetime) -> bool:
    return phase.token_at is not None and now - phase.token_at >= _token_lifetime
