"""Enriches an event: the same bytes, plus what is known of the entities that it names.

An event never waits longer than `EnrichmentSettings.deadline_s`, and never fails for a lookup: an
id without an answer in time is listed as missing. The time counts from the raw record's timestamp:
an event that has stood behind others of its key, or in a backlog, asks and does not wait. While the
API is down, known names still go out; unknown ones cost at most one deadline per id, until the
client stops calling (`zoom.rate_limits.circuit_breaker`), and nothing from then on. Zoom's repeats
pass through: consumers remove them by the event id.

An event with missing answers is tried again later, without delaying present events. An attempt that
settles everything is published as the next revision; the last attempt waits for the API as long as
necessary.
"""

from collections.abc import Callable, Sequence
from typing import Final, cast

from processors.enrichment.drift import DriftWatch
from processors.enrichment.metrics import metrics
from processors.enrichment.names import Names
from processors.entities.member import (
    Missing,
    enrichment,
    may_pass,
    missing_reasons,
    skipped,
    with_member_appended,
)
from runtime.clock import Clock
from runtime.errors import RejectedError, TransientError
from runtime.values import Deferred, Delivery, Record
from schemas.envelope import Envelope, JsonObject, UnreadableError, envelope_of, read_json
from schemas.headers import Headers, ce_id, event_id_header, revision_header, text
from schemas.reasons import DeadLetterReason
from schemas.topics import all_families, enriched_topic, raw_topic

NamesOf = Callable[[str], Names | None]
"""Returns what finds the names of an account; None where its events pass as skipped."""

_events: Final = {
    status: metrics.events.labels(status) for status in ("complete", "partial", "skipped")
}
_later_deadline_s: Final = 5.0
"""Wait of a later attempt for each lookup: no other event stands behind it."""
_first_revision: Final = (revision_header, b"1")


class EnrichmentHandler:
    """A `runtime.contracts.Handler` for all raw topics.

    ``attempts`` is how often an event is handled at most.
    """

    def __init__(
        self, names_of: NamesOf, *, attempts: int, topic_prefix: str, clock: Clock
    ) -> None:
        self._drift = DriftWatch(clock)
        self._names_of = names_of
        self._attempts = attempts
        self._clock = clock
        self._topics = {
            raw_topic(family, prefix=topic_prefix): enriched_topic(family, prefix=topic_prefix)
            for family in all_families
        }

    async def __call__(self, delivery: Delivery) -> tuple[Record, ...] | Deferred:
        """Return the enriched record, in a `Deferred` where a later attempt may add something.

        Raises:
            RejectedError: the value is not an event, or the header with its id is missing.
            TransientError: the last attempt has no further answer yet.
        """
        body, parsed, envelope = _readable(delivery)
        first = delivery.attempt == 1
        if first:
            self._drift.watch(parsed, envelope.event)
        names = self._names_of(envelope.account_id)
        if names is None:
            return self._skipped(delivery, body)
        named = names.named(envelope.event, envelope.entity)
        answers, unknown = names.known(envelope.account_id, named)
        if unknown:
            looked_up = await names.ask(
                envelope.account_id,
                unknown,
                waited_s=self._age_s(delivery) if first else 0.0,
                deadline_s=None if first else _later_deadline_s,
            )
            answers = {one: answers.get(one) or looked_up[one] for one in named}
        reasons = missing_reasons(answers)
        unsettled = not may_pass.isdisjoint(reasons)
        if unsettled and not first:
            if delivery.attempt < self._attempts:
                return Deferred()
            raise TransientError("names are still not known")
        member = enrichment(answers, revision=delivery.attempt, enriched_at=self._now())
        record = self._record(delivery, body, member)
        _count(reasons, first=first)
        return Deferred((record,)) if unsettled else (record,)

    def _skipped(self, delivery: Delivery, body: bytes) -> tuple[Record, ...]:
        _events["skipped"].inc()
        member = skipped(revision=delivery.attempt, enriched_at=self._now())
        return (self._record(delivery, body, member),)

    def _record(self, delivery: Delivery, body: bytes, member: bytes) -> Record:
        return Record(
            topic=self._topics[delivery.topic],
            key=delivery.key,
            value=with_member_appended(body, member),
            headers=_headers(delivery),
        )

    def _age_s(self, delivery: Delivery) -> float:
        return max(0.0, self._clock.now().timestamp() - delivery.timestamp_ms / 1000)

    def _now(self) -> str:
        return f"{self._clock.now().isoformat(timespec='milliseconds')[:-6]}Z"


def _count(reasons: Sequence[Missing], *, first: bool) -> None:
    if not first:
        metrics.corrections.inc()
    elif reasons:
        _events["partial"].inc()
        for reason in reasons:
            metrics.partial.labels(reason.value).inc()
    else:
        _events["complete"].inc()


def _readable(delivery: Delivery) -> tuple[bytes, JsonObject, Envelope]:
    if not text(delivery.headers, event_id_header):
        raise RejectedError(DeadLetterReason.UNREADABLE, f"no header {event_id_header}")
    if delivery.value is None:
        raise RejectedError(DeadLetterReason.UNREADABLE, "no value")
    try:
        parsed = read_json(delivery.value)
        return delivery.value, cast("JsonObject", parsed), envelope_of(parsed)
    except UnreadableError as error:
        raise RejectedError(DeadLetterReason.UNREADABLE, error.reason.value) from None


def _headers(delivery: Delivery) -> Headers:
    """Return the headers of the raw record, with the revision in those that carry it."""
    revision = delivery.attempt
    if revision == 1 and _first_revision in delivery.headers:
        return delivery.headers
    replaced = {revision_header: str(revision).encode()}
    if revision > 1:
        event_id = text(delivery.headers, event_id_header)
        replaced[ce_id] = f"{event_id}-r{revision}".encode()
    unchanged = tuple(header for header in delivery.headers if header[0] not in replaced)
    return (*unchanged, *replaced.items())
