"""Processes one record for a Worker: handles it, and publishes the results or a dead letter."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from runtime import metrics
from runtime.contracts import Handler
from runtime.errors import KeyRejectedError, RejectedError, TooManyDeadLettersError
from runtime.handlers.publication import OnOutcome, Publication
from runtime.retries.blocked_keys import BlockedKeys
from runtime.retries.loop import RetriesExhaustedError, failure_of, retry_until_final
from runtime.retries.policy import DeadLetter, FaultKind
from runtime.retries.retry_topics import RetryTopics
from runtime.values import Deferred, Delivery, Record, TopicPartition
from runtime.worker.dead_letter_writer import DeadLetterWriter
from runtime.worker.liveness import Liveness
from runtime.worker.membership import WorkerContext
from schemas.reasons import DeadLetterReason

Result = TypeVar("Result")


class RecordProcessor:
    """Calls the handler and publishes its results. A failed step is retried alone.

    A handled record is not handled again after a missing acknowledgement. ``retry_topics`` hold the
    records that the handler defers; these are processed here too, restored to their original form.
    """

    def __init__(
        self,
        handler: Handler,
        context: WorkerContext,
        liveness: Liveness,
        retry_topics: RetryTopics,
    ) -> None:
        settings = context.settings
        self._handler = handler
        self._context = context
        self._liveness = liveness
        self._retry_topics = retry_topics
        self._dead_letters = DeadLetterWriter(context)
        self._blocked_keys = BlockedKeys(settings.blocked_keys)
        self._policy = context.policy
        self._pause = context.clock.sleep
        self._produced = metrics.worker.produced.labels(context.name)
        self._delayed = metrics.worker.delayed.labels(context.name)
        self._waiting: dict[int, Delivery] = {}

    @property
    def waiting(self) -> Collection[Delivery]:
        """The records in retry after a transient failure, as polled."""
        return self._waiting.values()

    def assigned(self, context: WorkerContext, starts: Mapping[TopicPartition, int]) -> None:
        """Note the starts of partitions. Retry topics do not concern the dead-letter guard."""
        if context is self._context:
            self._dead_letters.assigned(starts)

    async def process(self, read: Delivery, on_outcome: OnOutcome) -> Publication | None:
        """Handle a record.

        Returns None once it may count as done, or else its results, of which the first is to be
        sent. ``on_outcome`` receives them after each outcome: then `published` follows if all are
        acknowledged, `publish_again` if one was not.

        Raises:
            PartitionPausedError: it may not be dead-lettered; other partitions may continue.
            ConfigurationError: the operator has to act first.
        """
        try:
            publication = await self._process(read, on_outcome)
        finally:
            self._waiting.pop(id(read), None)
        if publication is None:
            self._dead_letters.done()
        return publication

    def published(self, publication: Publication) -> None:
        """Note that all results of a record are acknowledged: the record may count as done."""
        self._produced.inc(publication.count)
        self._context.worked("publish")
        self._blocked_keys.succeeded(publication.delivery)
        self._dead_letters.done()

    async def publish_again(self, publication: Publication) -> None:
        """Return once the record may count as done, whose last sent result was not acknowledged.

        Raises:
            PartitionPausedError, ConfigurationError: as `process`.
        """
        read, error = publication.read, publication.error
        try:
            await self._publish(publication.left, read, first_error=error)
        except RetriesExhaustedError as given_up:
            await self._give_up(publication.delivery, given_up)
        else:
            self._blocked_keys.succeeded(publication.delivery)
        finally:
            self._waiting.pop(id(read), None)
        self._dead_letters.done()

    async def _process(self, read: Delivery, on_outcome: OnOutcome) -> Publication | None:
        try:
            delivery = self._retry_topics.restore_original(read)
        except RejectedError as error:
            await self._dead_letter(read, DeadLetter(error.reason, error.detail), attempts=0)
            return None
        first = self._blocked_keys.blocking_record(delivery)
        if first is not None:
            verdict = DeadLetter(DeadLetterReason.PARKED, f"follows {first}")
            await self._dead_letter(delivery, verdict, attempts=delivery.attempt - 1)
            return None
        try:
            try:
                answer = await self._handle(delivery)
            except BaseException as caught:  # noqa: BLE001 - as in the loop, which most calls do not need
                answer = await self._retry(
                    "handle", partial(self._handle, delivery), read, failure_of(caught)
                )
            if isinstance(answer, Deferred):
                await self._defer(answer, read)
            elif answer:
                sender = self._context.publisher
                return Publication(read, delivery, answer, sender=sender, on_outcome=on_outcome)
        except RetriesExhaustedError as given_up:
            await self._give_up(delivery, given_up)
        else:
            self._blocked_keys.succeeded(delivery)
        return None

    async def _handle(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        call = self._liveness.entered()
        try:
            answer = await self._handler(delivery)
            # An invalid result fails here, as a defect of the handler, not later in this class.
            result = answer if isinstance(answer, Deferred) else tuple(answer)
        finally:
            self._liveness.left(call)
        self._context.worked("handle")
        return result

    async def _defer(self, answer: Deferred, read: Delivery) -> None:
        """Have the record wait for its next attempt, and publish what is known now.

        Raises:
            RetriesExhaustedError: no delay is left; the record becomes a dead letter.
        """
        now_ms = int(self._context.clock.now().timestamp() * 1000)
        waiting = self._retry_topics.following(read, now_ms=now_ms)
        if waiting is not None:
            # Before the results: after a crash in between, a reader would have seen results that
            # no retry completes.
            await self._retry("delay", partial(self._context.publisher.publish, waiting), read)
            self._delayed.inc()
        await self._publish(answer.records, read)
        if waiting is None:
            since = self._retry_topics.since(read, now_ms=now_ms)
            raise RetriesExhaustedError(DeadLetter(DeadLetterReason.NOT_READY, f"since {since}"), 1)

    async def _publish(
        self, records: Sequence[Record], read: Delivery, *, first_error: Exception | None = None
    ) -> None:
        """Publish one after the other, to keep the order within a key.

        ``first_error`` is the failure of the first attempt of the first one, where it was made.
        """
        for record in records:
            publish = partial(self._context.publisher.publish, record)
            await self._retry("publish", publish, read, first_error)
            first_error = None
        self._produced.inc(len(records))

    async def _retry(
        self,
        stage: str,
        call: Callable[[], Awaitable[Result]],
        read: Delivery,
        first_error: Exception | None = None,
    ) -> Result:
        result = await retry_until_final(
            call,
            policy=self._policy,
            pause=self._pause,
            failed=partial(self._failed, stage, read),
            first_error=first_error,
        )
        self._context.worked(stage)
        return result

    def _failed(self, stage: str, read: Delivery, fault: FaultKind, error: Exception) -> None:
        self._context.failed(stage, fault, error)
        if fault is FaultKind.TRANSIENT:
            self._waiting[id(read)] = read

    async def _give_up(self, delivery: Delivery, given_up: RetriesExhaustedError) -> None:
        if isinstance(given_up.__cause__, KeyRejectedError):
            self._block_key(delivery)
        attempts = delivery.attempt - 1 + given_up.attempts
        await self._dead_letter(delivery, given_up.verdict, attempts=attempts)

    def _block_key(self, delivery: Delivery) -> None:
        if not self._blocked_keys.block(delivery):
            raise TooManyDeadLettersError(
                f"{self._context.name} would block more keys than ZCC_WORKER_BLOCKED_KEYS allows "
                f"(last at {delivery.origin}): mend the cause, then start it again; no more were "
                f"written"
            )

    async def _dead_letter(self, delivery: Delivery, verdict: DeadLetter, *, attempts: int) -> None:
        await self._dead_letters.put(delivery, verdict, attempts=attempts, pause=self._pause)
