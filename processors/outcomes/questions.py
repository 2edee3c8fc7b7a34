"""Asks Zoom for the parts of an outcome, and says what each answer or error means.

| error | details | another part |
|---|---|---|
| not ready, or an empty answer | not ready | not ready |
| absent | absent | there is none of it; of a timeline: not ready |
| refused | absent | of a timeline: there is none; else unavailable |
| forbidden | forbidden | forbidden |
| over budget, rate limited | wait | wait |
| another failure | wait, or unavailable | unavailable |

An engagement waits where more calls would only use up the budget, or while Zoom answers about none:
its attempt is repeated in place, so that the oldest come first. Where Zoom has answered about
others since the first failure, the fault is with this one, and it must not hold up the others.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol, cast

import structlog

from processors.outcomes.metrics import metrics
from processors.outcomes.parts import Allowed, Part, Reason, nothing_there, readers
from runtime.clock import Clock
from schemas.envelope import JsonObject
from zoom.client import ZoomClient
from zoom.errors import (
    AbsentError,
    ForbiddenError,
    NotReadyError,
    UnavailableError,
    ZoomError,
    ZoomFault,
)

_log: Final = structlog.get_logger()

_operations: Final = {
    Part.DETAILS: "get_engagement",
    Part.TIMELINE: "list_engagement_events",
    Part.NOTES: "list_engagement_notes",
    Part.SURVEY: "get_engagement_survey",
    Part.RECORDINGS: "list_engagement_recordings",
}
_page_size: Final = {Part.NOTES: 100, Part.RECORDINGS: 100}
"""One page is asked for: an engagement with more notes or recordings is not known."""

_over_budget: Final = frozenset({ZoomFault.OVER_BUDGET, ZoomFault.RATE_LIMITED})

_max_failing: Final = 10_000
"""Engagements that are remembered as failing; those in attempts at the same time are far fewer."""

Answer = JsonObject | Reason


class Answers(NamedTuple):
    """What Zoom said; ``waits`` is the error for which the attempt has to be repeated."""

    parts: dict[Part, Answer]
    waits: UnavailableError | None


class Dataset(Protocol):
    """Rows of version 2's dataset; see `processors.outcomes.dataset`."""

    def row(self, engagement_id: str) -> Answer:
        """Return the row's members of the outcome, or why they are not there yet."""
        ...


class Questions:
    """The questions about engagements of one account."""

    def __init__(
        self, client: ZoomClient, dataset: Dataset, *, allowed: Allowed, clock: Clock
    ) -> None:
        self._client = client
        self._dataset = dataset
        self._allowed = allowed
        self._clock = clock
        self._answered_s: float | None = None
        self._failing_since_s: OrderedDict[str, float] = OrderedDict()
        self._logged: set[Part] = set()

    async def ask(
        self, parts: Sequence[Part], engagement_id: str, *, ended_at: datetime
    ) -> Answers:
        """Ask for these parts at the same time; ``ended_at`` is an aware datetime.

        For a minute after the end, Zoom may not know the engagement yet.
        """
        async with asyncio.TaskGroup() as group:
            tasks = {
                part: group.create_task(self._ask(part, engagement_id, ended_at)) for part in parts
            }
        answers: dict[Part, Answer] = {}
        waits: UnavailableError | None = None
        for part, task in tasks.items():
            answer = task.result()
            if part is Part.DETAILS:
                answer = self._alone_or_not(engagement_id, answer)
            if isinstance(answer, UnavailableError):
                waits = waits or answer
            else:
                answers[part] = answer
            metrics.lookups.labels(part, _outcome(answer)).inc()
        return Answers(answers, waits)

    async def _ask(
        self, part: Part, engagement_id: str, ended_at: datetime
    ) -> Answer | UnavailableError:
        if part is Part.DATASET:
            return self._dataset.row(engagement_id)
        client = self._client.expecting(ended_at) if part is Part.DETAILS else self._client
        try:
            document = await client.call(
                _operations[part], engagement_id=engagement_id, page_size=_page_size.get(part)
            )
        except ZoomError as error:
            if isinstance(error, ForbiddenError):
                self._log_once(part, error)
            return _answer_of(part, error)
        answer = readers[part](cast("JsonObject", document), self._allowed)
        return Reason.NOT_READY if answer is None else answer

    def _alone_or_not(
        self, engagement_id: str, answer: Answer | UnavailableError
    ) -> Answer | UnavailableError:
        """Return the answer; instead of an error unavailable, where only this engagement fails."""
        if not isinstance(answer, UnavailableError):
            self._answered_s = self._clock.monotonic_s()
            self._failing_since_s.pop(engagement_id, None)
            return answer
        if answer.fault in _over_budget:
            return answer
        since_s = self._failing_since_s.setdefault(engagement_id, self._clock.monotonic_s())
        if len(self._failing_since_s) > _max_failing:
            self._failing_since_s.popitem(last=False)
        if self._answered_s is None or self._answered_s <= since_s:
            return answer
        return Reason.UNAVAILABLE

    def _log_once(self, part: Part, error: ForbiddenError) -> None:
        if part not in self._logged:
            self._logged.add(part)
            _log.warning("zoom forbids a part of outcomes", part=part.value, error=str(error))


def outcomes(parts: Collection[Part]) -> Sequence[tuple[str, str]]:
    """Return the labels of all that may become of a lookup, for series that start at 0."""
    return [(part, outcome) for part in parts for outcome in ("found", "waits", *Reason)]


def _answer_of(part: Part, error: ZoomError) -> Answer | UnavailableError:
    """Return what an error means; the error itself where the attempt has to wait."""
    match error:
        case NotReadyError():
            return Reason.NOT_READY
        case ForbiddenError():
            return Reason.FORBIDDEN
        case UnavailableError():
            wait = part is Part.DETAILS or error.fault in _over_budget
            return error if wait else Reason.UNAVAILABLE
        case _ if part is Part.DETAILS:  # absent, or refused: the request carried only an id
            return Reason.ABSENT
        case AbsentError():
            return Reason.NOT_READY if part is Part.TIMELINE else nothing_there[part]
        case _:
            return nothing_there[part] if part is Part.TIMELINE else Reason.UNAVAILABLE


def _outcome(answer: Answer | UnavailableError) -> str:
    if isinstance(answer, UnavailableError):
        return "waits"
    return answer.value if isinstance(answer, Reason) else "found"
