"""`runtime.contracts.Poller` of the reference entities: one feed per kind, and one of corrections.

`processors.reference.walk` decides what to ask; here it is asked. Whatever concerns one list alone
(a missing scope, a feature that the account has not, a list without an end) makes that feed wait,
and is logged once; credentials that Zoom refuses concern all, and halt the worker.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, assert_never

import structlog

from processors.entities.kind import Kind
from processors.reference.asking import Asking, app_faults
from processors.reference.metrics import metrics
from processors.reference.news import epoch_ms
from processors.reference.settings import ReferenceSettings
from processors.reference.walk import (
    Check,
    EndlessListError,
    FindPart,
    Question,
    ReadPage,
    Walk,
)
from processors.reference.watermark import Checking, Waiting, Watermark, read_watermark
from runtime.clock import Clock
from runtime.retries.policy import RandomSource
from runtime.values import Feed, Fetched, Record
from schemas.reference_record import Snapshot
from zoom.catalogue import find
from zoom.errors import AbsentError, ForbiddenError, RefusedError
from zoom.requests.paging import RepeatedPageError

_page_records: Final = 300
"""Zoom's largest page; as many entities are checked at once at most."""

_corrected: Final = Feed("corrections")
_correction_pause: Final = timedelta(minutes=1)
"""The topic shows a correction within seconds; until then it would be published again."""

log = structlog.get_logger()


def _no_corrections(_most: int) -> Sequence[Snapshot]:
    return ()


class ReferencePoller:
    """Reads the lists of an account, and publishes what is new of them to the reference topic."""

    page_records: Final = _page_records

    def __init__(
        self,
        asking: Asking,
        settings: ReferenceSettings,
        *,
        topic: str,
        clock: Clock,
        rng: RandomSource,
        corrections: Callable[[int], Sequence[Snapshot]] = _no_corrections,
    ) -> None:
        """``corrections`` returns at most so many states that older ones follow in the topic."""
        self._asking = asking
        self._settings = settings
        self._topic = topic
        self._clock = clock
        self._rng = rng
        self._kinds: Mapping[str, Kind] = settings.kinds
        self._walks = {
            name: Walk(kind, asking.account, checked_at_once=asking.lookups_per_page)
            for name, kind in self._kinds.items()
        }
        self._corrections = corrections
        self._forbidden: set[str] = set()
        self.feeds: Sequence[Feed] = [
            *(
                Feed(name, budget=find(kind.list_operation).label.value)
                for name, kind in self._kinds.items()
            ),
            _corrected,
        ]

    def due(self, feed: Feed, watermark: str | None, now: datetime) -> datetime | None:
        """Return when the next step of a walk, or the next walk, begins."""
        mark = read_watermark(watermark)
        if mark is None:
            return now
        if feed == _corrected:
            # Others may correct too, and the table learns of a correction a moment later.
            return self._correction_due(mark)
        if mark.walked_at is not None:
            metrics.walked_at.labels(feed.name).set(mark.walked_at.timestamp())
        return mark.phase.until if isinstance(mark.phase, Waiting) else now

    def _correction_due(self, mark: Watermark) -> datetime | None:
        if not self._corrections(1):
            return None
        return mark.phase.until if isinstance(mark.phase, Waiting) else None

    async def fetch(self, feed: Feed, watermark: str | None) -> Fetched:
        """Do the next step of a walk.

        Raises:
            UnavailableError: Zoom does not answer, or the budget is spent.
            ForbiddenError: Zoom refuses the credentials.
        """
        if feed == _corrected:
            return self._correct()
        kind, walk = self._kinds[feed.name], self._walks[feed.name]
        question = walk.question(watermark, self._clock.now())
        try:
            news, following = await self._ask(kind, walk, question)
        except (EndlessListError, RepeatedPageError):
            log.warning("a list repeats a page; it is read again later", entity=kind.entity)
            return self._given_up(kind, walk, "repeated")
        except ForbiddenError as error:
            if error.fault in app_faults:
                raise
            return self._refused(kind, walk, error, "forbidden")
        except (RefusedError, AbsentError) as error:
            return self._refused(kind, walk, error, "refused")
        self._allowed(kind)
        metrics.deleted.labels(kind.entity).inc(sum(each.state is None for each in news))
        return Fetched([_record(self._topic, each) for each in news], following)

    def _correct(self) -> Fetched:
        until = self._clock.now() + _correction_pause
        records = [_record(self._topic, each) for each in self._corrections(_page_records)]
        metrics.corrected.inc(len(records))
        return Fetched(records, Watermark(phase=Waiting(until=until)).encode())

    async def _ask(
        self, kind: Kind, walk: Walk, question: Question
    ) -> tuple[Sequence[Snapshot], str]:
        match question:
            case FindPart(division, after):
                part = await self._asking.part_after(division, after)
                return (), walk.part_found(part, self._clock.now())
            case ReadPage():
                return await self._read(kind, walk, question)
            case Check():
                return await self._check(kind, walk, question)
            case _:
                assert_never(question)

    async def _read(self, kind: Kind, walk: Walk, page: ReadPage) -> tuple[Sequence[Snapshot], str]:
        try:
            ids, following, news = await self._asking.page(kind, page.part, page.token)
        except (RefusedError, AbsentError) as error:
            if page.token:  # Zoom may forget a token before its time
                return (), walk.restart_part()
            if kind.division is None or isinstance(error, RefusedError):
                raise
            ids, following, news = [], "", []  # the part was deleted meanwhile
        return news, walk.page_read(ids, following, self._clock.now())

    async def _check(self, kind: Kind, walk: Walk, check: Check) -> tuple[Sequence[Snapshot], str]:
        account = self._asking.account
        if kind.get_operation:
            news = [await self._asking.lookup(kind, id_) for id_ in check.ids]
        else:
            missing = sorted(walk.were_missing(check.ids))
            news = [account.gone(kind, id_, epoch_ms(check.as_of)) for id_ in missing]
        following = walk.checked(check, until=self._next(self._settings.ttl_s(kind)))
        mark = read_watermark(following)
        if mark is None or not isinstance(mark.phase, Checking):
            outcome = "whole" if walk.is_whole else "resumed"
            metrics.walks.labels(kind.entity, outcome).inc()
        return [each for each in news if each is not None], following

    def _refused(self, kind: Kind, walk: Walk, error: Exception, outcome: str) -> Fetched:
        if kind.entity not in self._forbidden:
            self._forbidden.add(kind.entity)
            metrics.forbidden.labels(kind.entity).set(1)
            log.warning(
                "Zoom does not let this app list an entity; its names stay unknown",
                entity=kind.entity,
                reason=str(error),
            )
        return self._given_up(kind, walk, outcome)

    def _allowed(self, kind: Kind) -> None:
        if kind.entity in self._forbidden:
            self._forbidden.discard(kind.entity)
            metrics.forbidden.labels(kind.entity).set(0)
            log.info("Zoom lets this app list an entity again", entity=kind.entity)

    def _given_up(self, kind: Kind, walk: Walk, outcome: str) -> Fetched:
        metrics.walks.labels(kind.entity, outcome).inc()
        return Fetched((), walk.give_up(until=self._next(self._settings.forbidden_retry_s)))

    def _next(self, interval_s: float) -> datetime:
        """Return a time after about an interval; all walks would else begin together for ever."""
        jitter = (2 * self._rng.random() - 1) * self._settings.ttl_jitter
        return self._clock.now() + timedelta(seconds=interval_s * (1 + jitter))


def _record(topic: str, snapshot: Snapshot) -> Record:
    return Record(topic, snapshot.key.encode(), snapshot.value, snapshot.headers)
