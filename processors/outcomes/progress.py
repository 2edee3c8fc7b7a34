"""Pure: how far the outcome of each engagement is known, and what to do next about it.

Zoom finishes an engagement within about a minute, part by part. So it is asked several times, and
each answer that adds something is published: first what is known, then corrections.

Invariants:

1. Nothing is published before the details are known, except at the last attempt, which says that
   the outcome is unavailable.
2. A snapshot is published only where it says more than the one before it, so an engagement has at
   most one per part, and one per attempt.
3. A part that is known, or finally missing, is not asked again.
4. Another attempt follows only while one is left and something missing may still come: without
   details until `Limits.give_up_s` after the end, else until no attempt is left.
5. The event that ended the engagement is revised with each snapshot once it is known, and never
   without details.
6. An attempt that comes again, because its output may have been lost, repeats the output.

A restart loses the progress. The attempts go on, because Kafka holds them; they ask again, and what
they publish is newer.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import orjson

from processors.outcomes.parts import Part, Reason, applicable
from runtime.values import Delivery
from schemas.envelope import JsonObject

Status = Literal["complete", "partial", "unavailable"]

statuses: Final[tuple[Status, ...]] = ("complete", "partial", "unavailable")

_final: Final = frozenset({Reason.ABSENT, Reason.FORBIDDEN})
"""Another attempt would not help; an operator may, for later engagements."""

_entry_bytes: Final = 500
"""What an engagement takes besides its texts."""


@dataclass(slots=True)
class OutcomeProgress:
    """What is known of one engagement.

    ``parts`` holds members of the outcome by part, ``missing`` why others are not there, as of
    ``as_of_ms``. ``ended`` is the event that ended it, where this process has seen it.
    ``published`` and ``revised`` say how much was told and by which attempt: 0 nothing, 1 that
    nothing is known, then one more for each part. ``revision`` is the number of the last one.
    """

    parts: dict[Part, JsonObject] = field(default_factory=dict)
    missing: dict[Part, Reason] = field(default_factory=dict)
    as_of_ms: int = 0
    ended: Delivery | None = None
    published: int = 0
    published_by: str = ""
    revised: int = 0
    revised_by: str = ""
    revision: int = 0

    @property
    def status(self) -> Status:
        """The status of what is known now."""
        if Part.DETAILS not in self.parts:
            return "unavailable"
        return "partial" if self.missing else "complete"

    @property
    def outcome(self) -> JsonObject:
        """The outcome as known now. Durations of version 2 are exact, so they replace others."""
        outcome: dict[str, object] = {}
        durations: dict[str, object] = {}
        for part in Part:
            fragment = self.parts.get(part, {})
            outcome |= fragment
            durations |= _durations(fragment)
        if durations:
            outcome["durations"] = durations
        return outcome

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        known = sum(len(orjson.dumps(fragment)) for fragment in self.parts.values())
        return _entry_bytes + known + (self.ended.size_bytes if self.ended else 0)

    def wanted(self, requested: Iterable[Part]) -> tuple[Part, ...]:
        """Return the parts to ask for now, of those ``requested`` at all."""
        details = self.parts.get(Part.DETAILS)
        if details is None:
            return () if self.missing.get(Part.DETAILS) in _final else (Part.DETAILS,)
        own = set(applicable(details)).intersection(requested)
        return tuple(
            part
            for part in Part
            if part in own and part not in self.parts and self.missing.get(part) not in _final
        )

    def take(self, answers: Mapping[Part, JsonObject | Reason], *, as_of_ms: int) -> None:
        """Take answers that were given at ``as_of_ms``, epoch milliseconds."""
        for part, answer in answers.items():
            if isinstance(answer, Reason):
                self.missing[part] = answer
            else:
                self.parts[part] = answer
                self.missing.pop(part, None)
        if answers:
            self.as_of_ms = max(self.as_of_ms, as_of_ms)


class Limits(NamedTuple):
    """``attempts`` in all; without details, only until ``give_up_s`` after the end."""

    attempts: int
    give_up_s: float


class Verdict(NamedTuple):
    """What to do after an attempt."""

    publish: bool
    revise: bool
    again: bool


class Attempt(NamedTuple):
    """One attempt: its number from 1, its name, and the seconds since the event happened."""

    number: int
    name: str
    age_s: float


def decide(progress: OutcomeProgress, attempt: Attempt, limits: Limits) -> Verdict:
    """Return what follows from the progress after an attempt, and note it as done."""
    known = Part.DETAILS in progress.parts
    open_ = any(reason not in _final for reason in progress.missing.values())
    patient = known or attempt.age_s < limits.give_up_s
    again = open_ and attempt.number < limits.attempts and patient
    level = 1 + len(progress.parts) if known or not again else 0
    publish = level > progress.published or progress.published_by == attempt.name
    revise = (
        known
        and progress.ended is not None
        and (level > progress.revised or progress.revised_by == attempt.name)
    )
    if publish:
        progress.published, progress.published_by = level, attempt.name
    if revise:
        progress.revised, progress.revised_by = level, attempt.name
    return Verdict(publish=publish, revise=revise, again=again)


class Memory:
    """The progress of the engagements that were seen last, up to ``max_bytes``.

    The one that was not seen for the longest time is forgotten first: then it is asked again.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._progress: OrderedDict[bytes, tuple[OutcomeProgress, int]] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        """Return how many engagements it holds."""
        return len(self._progress)

    def of(self, key: bytes) -> OutcomeProgress:
        """Return the progress of an engagement, a new one where none is known."""
        entry = self._progress.get(key)
        return OutcomeProgress() if entry is None else entry[0]

    def keep(self, key: bytes, progress: OutcomeProgress) -> int:
        """Keep a progress as it is now; return how many others were forgotten for it."""
        former = self._progress.pop(key, None)
        if former is not None:
            self.size_bytes -= former[1]
        size_bytes = progress.size_bytes
        self._progress[key] = progress, size_bytes
        self.size_bytes += size_bytes
        forgotten = 0
        while self.size_bytes > self._max_bytes and len(self._progress) > 1:
            _, (_, freed_bytes) = self._progress.popitem(last=False)
            self.size_bytes -= freed_bytes
            forgotten += 1
        return forgotten


def _durations(fragment: JsonObject) -> dict[str, object]:
    durations = fragment.get("durations")
    return dict(durations) if isinstance(durations, dict) else {}
