"""Follows an engagement from its end to its outcome.

Two kinds of events ask for it: the end of an engagement, and Zoom's announcements that its data is
ready; mails and work items have only the latter. The first attempt defers the event and asks
nobody, so Zoom never delays the topic. The later attempts ask. All attempts of one engagement reach
the same member of the second group in turn, because they have its key, so they share what is known
(`processors.outcomes.progress`). What Kafka holds for later attempts is the backlog, the oldest
first; it survives restarts.

No record becomes a dead letter: the last attempt publishes what there is.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from processors.outcomes.metrics import metrics
from processors.outcomes.parts import Part
from processors.outcomes.progress import (
    Attempt,
    Limits,
    Memory,
    OutcomeProgress,
    Verdict,
    decide,
    statuses,
)
from processors.outcomes.questions import Questions, outcomes
from processors.outcomes.records import (
    Enrich,
    next_revision,
    revision_record,
    snapshot_record,
)
from processors.outcomes.settings import OutcomeSettings
from runtime.clock import Clock
from runtime.values import Deferred, Delivery, Record
from schemas.envelope import Envelope, UnreadableError, read_envelope
from schemas.headers import ce_type, text
from schemas.identity import occurred_at_ms
from schemas.topics import enriched_topic, outcome_topic
from zoom.entity_ids import is_id

ended: Final = "contact_center.engagement_ended"
data_ready: Final = frozenset(
    {
        "contact_center.legacy_engagement_end_data_ready",
        "contact_center.cx_engagement_end_data_ready",
    }
)
_asks: Final = data_ready | {ended}


class OutcomeHandler:
    """A `runtime.contracts.Handler` for the raw topic of engagements.

    ``questions_of`` returns the questions to an account, None where there are no credentials for
    it. ``attempts`` counts the first one, which asks nobody.
    """

    def __init__(
        self,
        questions_of: Callable[[str], Questions | None],
        settings: OutcomeSettings,
        *,
        enrich: Enrich,
        attempts: int,
        topic_prefix: str,
        clock: Clock,
    ) -> None:
        self._questions_of = questions_of
        self._requested = settings.requested
        self._limits = Limits(attempts, settings.give_up_s)
        self._memory = Memory(settings.remembered_bytes)
        self._enrich = enrich
        self._clock = clock
        self._outcomes = outcome_topic(prefix=topic_prefix)
        self._enriched = enriched_topic("engagement", prefix=topic_prefix)
        _create_series(self._requested)

    async def __call__(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        """Return what is known now, in a `Deferred` where another attempt may add something.

        Raises:
            UnavailableError: Zoom cannot be asked now; the attempt has to be repeated.
        """
        if text(delivery.headers, ce_type) not in _asks:
            return ()
        event = _readable(delivery)
        if event is None:
            metrics.skipped.labels("unreadable").inc()
            return ()
        questions = self._questions_of(event.account_id)
        if questions is None:
            metrics.skipped.labels("account").inc()
            return ()
        if delivery.attempt == 1:
            metrics.deferred.inc()
            return Deferred()
        return await self._attempt(delivery, event, questions)

    async def _attempt(
        self, delivery: Delivery, event: Envelope, questions: Questions
    ) -> Sequence[Record] | Deferred:
        key = delivery.key or b""
        progress = self._memory.of(key)
        if event.event == ended:
            progress.ended = delivery
        await self._ask(progress, event, questions, key)
        age_s = self._clock.now().timestamp() - occurred_at_ms(event) / 1000
        attempt = Attempt(delivery.attempt, f"{delivery.origin}#{delivery.attempt}", age_s)
        first = progress.published <= 1
        verdict = decide(progress, attempt, self._limits)
        records = tuple(self._records(progress, verdict, delivery, event))
        self._keep(key, progress)
        if verdict.publish and first and Part.DETAILS in progress.parts:
            metrics.delay.observe(max(0.0, age_s))
        if not verdict.again:
            return records
        metrics.deferred.inc()
        return Deferred(records)

    async def _ask(
        self, progress: OutcomeProgress, event: Envelope, questions: Questions, key: bytes
    ) -> None:
        """Ask for what is missing: the details first, because they say which other parts exist."""
        engagement_id = str(event.object["engagement_id"])
        ended_at = datetime.fromtimestamp(occurred_at_ms(event) / 1000, UTC)
        with metrics.asking.track_inprogress():
            while wanted := progress.wanted(self._requested):
                as_of_ms = int(self._clock.now().timestamp() * 1000)
                answers = await questions.ask(wanted, engagement_id, ended_at=ended_at)
                progress.take(answers.parts, as_of_ms=as_of_ms)
                self._keep(key, progress)
                if answers.waits is not None:
                    raise answers.waits
                if Part.DETAILS not in wanted or Part.DETAILS not in progress.parts:
                    return

    def _records(
        self, progress: OutcomeProgress, verdict: Verdict, delivery: Delivery, event: Envelope
    ) -> Sequence[Record]:
        records: list[Record] = []
        if verdict.publish:
            metrics.snapshots.labels(progress.status).inc()
            records.append(
                snapshot_record(
                    progress,
                    topic=self._outcomes,
                    key=delivery.key,
                    account_id=event.account_id,
                    engagement_id=str(event.object["engagement_id"]),
                )
            )
        if verdict.revise and progress.ended is not None:
            metrics.revisions.inc()
            happened_ms = occurred_at_ms(read_envelope(progress.ended.value or b""))
            progress.revision = next_revision(progress, occurred_at_ms=happened_ms)
            records.append(
                revision_record(
                    progress,
                    progress.ended,
                    topic=self._enriched,
                    revision=progress.revision,
                    enrich=self._enrich,
                )
            )
        return records

    def _keep(self, key: bytes, progress: OutcomeProgress) -> None:
        metrics.forgotten.inc(self._memory.keep(key, progress))
        metrics.remembered.set(self._memory.size_bytes)


def _readable(delivery: Delivery) -> Envelope | None:
    """Return the event, None where it names no engagement that the API could know."""
    try:
        event = read_envelope(delivery.value or b"")
    except UnreadableError:
        return None
    engagement_id = event.object.get("engagement_id")
    return event if isinstance(engagement_id, str) and is_id(engagement_id) else None


def _create_series(requested: Collection[Part]) -> None:
    """Create each series at 0: Prometheus sees no increase in a series that starts at 1."""
    for status in statuses:
        metrics.snapshots.labels(status)
    for reason in ("account", "unreadable"):
        metrics.skipped.labels(reason)
    for part, outcome in outcomes(requested):
        metrics.lookups.labels(part, outcome)
