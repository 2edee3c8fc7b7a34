"""Enriches an event: the same bytes, plus the names of its users and queues.

An event never waits longer than `EnrichmentSettings.deadline_s`, and never fails for a lookup: an
id without an answer in time is listed as missing. While the API is down, known names still go out;
unknown ones cost at most one deadline per id, until the client stops calling
(`zoom.rate_limits.circuit_breaker`), and nothing from then on. Zoom's repeats pass through:
consumers remove them by the event id.

An event with missing answers is tried again later. That attempt waits for the API as long as
necessary, without delaying present events, and its result goes out as the next revision.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, cast

from processors.enrichment.document import (
    Answer,
    Missing,
    enrichment,
    is_retryable,
    status_of,
    with_member_appended,
)
from processors.enrichment.drift import DriftWatch
from processors.enrichment.lookup import CachedLookup, DeadlineError
from processors.enrichment.metrics import metrics
from processors.enrichment.references import Entity, EntityReference, references
from runtime.clock import Clock
from runtime.errors import ConfigurationError, RejectedError, TransientError
from runtime.values import Deferred, Delivery, Record
from schemas.envelope import Envelope, JsonObject, UnreadableError, envelope_of, read_json
from schemas.headers import Headers, ce_id, event_id_header, revision_header, text, timestamp
from schemas.reasons import DeadLetterReason
from schemas.topics import all_families, enriched_topic, raw_topic
from zoom.entities import Queue, User

_lookups = metrics.lookups
_hits: Final = {entity: _lookups.labels(entity.value, "hit") for entity in Entity}
_events: Final = {status: metrics.events.labels(status) for status in ("complete", "partial")}


class EnrichmentHandler:
    """A `runtime.contracts.Handler` for all raw topics."""

    def __init__(
        self,
        *,
        users: CachedLookup[str, User],
        queues: CachedLookup[str, Queue],
        topic_prefix: str,
        clock: Clock,
    ) -> None:
        self._drift = DriftWatch(clock)
        self._users = users
        self._queues = queues
        self._clock = clock
        self._topics = {
            raw_topic(family, prefix=topic_prefix): enriched_topic(family, prefix=topic_prefix)
            for family in all_families
        }

    async def __call__(self, delivery: Delivery) -> tuple[Record] | Deferred:
        """Return the enriched record, in a `Deferred` where a later attempt may add something.

        Raises:
            RejectedError: the value is not an event, or the header with its id is missing.
            TransientError: a later attempt has no further answer yet.
        """
        body, parsed, envelope = _readable(delivery)
        first = delivery.attempt == 1
        if first:
            self._drift.watch(parsed, envelope.event)
        answers = await self._answers(references(envelope.entity))
        unsettled = is_retryable(answers)
        if unsettled and not first:
            raise TransientError("names are still not known")
        record = self._enriched(delivery, body, answers)
        if first:
            _events[status_of(answers)].inc()
        else:
            metrics.corrections.inc()
        return Deferred((record,)) if unsettled else (record,)

    def _enriched(
        self, delivery: Delivery, body: bytes, answers: Mapping[EntityReference, Answer]
    ) -> Record:
        enriched_at = timestamp(int(self._clock.now().timestamp() * 1000))
        member = enrichment(answers, revision=delivery.attempt, enriched_at=enriched_at)
        return Record(
            topic=self._topics[delivery.topic],
            key=delivery.key,
            value=with_member_appended(body, member),
            headers=_headers(delivery),
        )

    async def _answers(self, named: tuple[EntityReference, ...]) -> dict[EntityReference, Answer]:
        answers: dict[EntityReference, Answer | None] = {one: self._known(one) for one in named}
        unknown = [one for one, answer in answers.items() if answer is None]
        if unknown:
            async with asyncio.TaskGroup() as group:
                tasks = {one: group.create_task(self._ask(one)) for one in unknown}
            answers |= {one: task.result() for one, task in tasks.items()}
        return {one: answer for one, answer in answers.items() if answer is not None}

    def _known(self, one: EntityReference) -> Answer | None:
        entry = self._lookup(one.entity).known(one.id)
        if entry is None:
            return None
        _hits[one.entity].inc()
        return Missing.ABSENT if entry.value is None else entry.value

    async def _ask(self, one: EntityReference) -> Answer:
        try:
            value = await self._lookup(one.entity).get(one.id)
        except DeadlineError:
            answer: Answer = Missing.DEADLINE
        except ConfigurationError:
            answer = Missing.FORBIDDEN
        except TransientError:
            answer = Missing.UNAVAILABLE
        else:
            answer = Missing.ABSENT if value is None else value
        _lookups.labels(one.entity.value, _outcome(answer)).inc()
        return answer

    def _lookup(self, entity: Entity) -> CachedLookup[str, User] | CachedLookup[str, Queue]:
        return self._users if entity is Entity.USER else self._queues


def _outcome(answer: Answer) -> str:
    if not isinstance(answer, Missing):
        return "miss"
    return "absent" if answer is Missing.ABSENT else "unknown"


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
    replaced = {revision_header: str(revision).encode()}
    if revision > 1:
        event_id = text(delivery.headers, event_id_header)
        replaced[ce_id] = f"{event_id}-r{revision}".encode()
    unchanged = tuple(header for header in delivery.headers if header[0] not in replaced)
    return (*unchanged, *replaced.items())
