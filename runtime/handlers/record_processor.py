"""Processes one record for a Worker: handles it, and publishes the results or a dead letter."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from runtime import metrics
from runtime.contracts import Handler
from runtime.errors import KeyRejectedError, RejectedError, TooManyDeadLettersError
from runtime.retries.blocked_keys import BlockedKeys
from runtime.retries.loop import RetriesExhaustedError, retry_until_final
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

    async def process(self, read: Delivery) -> None:
        """Return once the record may count as done.

        Raises:
            PartitionPausedError: it may not be dead-lettered; other partitions may continue.
            ConfigurationError: the operator has to act first.
        """
        try:
            await self._process(read)
        finally:
            self._waiting.pop(id(read), None)
        self._dead_letters.done()

    async def _process(self, read: Delivery) -> None:
        try:
            delivery = self._retry_topics.restore_original(read)
        except RejectedError as error:
            await self._dead_letter(read, DeadLetter(error.reason, error.detail), attempts=0)
            return
        first = self._blocked_keys.blocking_record(delivery)
        if first is not None:
            verdict = DeadLetter(DeadLetterReason.PARKED, f"follows {first}")
            await self._dead_letter(delivery, verdict, attempts=delivery.attempt - 1)
            return
        try:
            await self._work(read, delivery)
        except RetriesExhaustedError as given_up:
            if isinstance(given_up.__cause__, KeyRejectedError):
                self._block_key(delivery)
            attempts = delivery.attempt - 1 + given_up.attempts
            await self._dead_letter(delivery, given_up.verdict, attempts=attempts)
        else:
            self._blocked_keys.succeeded(delivery)

    async def _work(self, read: Delivery, delivery: Delivery) -> None:
        """Handle the record, and publish the results.

        Raises:
            RetriesExhaustedError: the record becomes a dead letter.
        """
        answer = await self._retry("handle", partial(self._handle, delivery), read)
        if not isinstance(answer, Deferred):
            await self._publish(answer, read)
            return
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

    async def _handle(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        call = self._liveness.entered()
        try:
            answer = await self._handler(delivery)
            # An invalid result fails here, as a defect of the handler, not later in this class.
            return answer if isinstance(answer, Deferred) else tuple(answer)
        finally:
            self._liveness.left(call)

    async def _publish(self, records: Sequence[Record], read: Delivery) -> None:
        for record in records:  # one after the other, to keep the order within a key
            await self._retry("publish", partial(self._context.publisher.publish, record), read)
        self._produced.inc(len(records))

    async def _retry(
        self, stage: str, call: Callable[[], Awaitable[Result]], read: Delivery
    ) -> Result:
        result = await retry_until_final(
            call,
            policy=self._policy,
            pause=self._pause,
            failed=partial(self._failed, stage, read),
        )
        self._context.worked(stage)
        return result

    def _failed(self, stage: str, read: Delivery, fault: FaultKind, error: Exception) -> None:
        self._context.failed(stage, fault, error)
        if fault is FaultKind.TRANSIENT:
            self._waiting[id(read)] = read

    def _block_key(self, delivery: Delivery) -> None:
        if not self._blocked_keys.block(delivery):
            raise TooManyDeadLettersError(
                f"{self._context.name} would block more keys than ZCC_WORKER_BLOCKED_KEYS allows "
                f"(last at {delivery.origin}): mend the cause, then start it again; no more were "
                f"written"
            )

    async def _dead_letter(self, delivery: Delivery, verdict: DeadLetter, *, attempts: int) -> None:
        await self._dead_letters.put(delivery, verdict, attempts=attempts, pause=self._pause)
