"""Settles one record for a Worker: handled, and all that follows from it acknowledged."""

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
    """Calls the handler and publishes what it returns; failures are retried where they happen.

    A record that was handled is not handled again because the broker did not acknowledge.
    ``delays`` are the topics of records that the handler wants to see later; they are settled here
    too, as they were first read.
    """

    def __init__(
        self, handler: Handler, context: WorkerContext, liveness: Liveness, delays: RetryTopics
    ) -> None:
        settings = context.settings
        self._handler = handler
        self._around = context
        self._vitals = liveness
        self._delays = delays
        self._aside = DeadLetterWriter(context)
        self._parking = BlockedKeys(settings.parked_keys)
        self._policy = context.policy
        self._pause = context.clock.sleep
        self._produced = metrics.worker.produced.labels(context.name)
        self._delayed = metrics.worker.delayed.labels(context.name)
        self._waiting: dict[int, Delivery] = {}

    @property
    def waiting(self) -> Collection[Delivery]:
        """Return what waits for the world, as it was read."""
        return self._waiting.values()

    def assigned(self, context: WorkerContext, starts: Mapping[TopicPartition, int]) -> None:
        """Note from where partitions are read; those of retry topics tell nothing of the guard."""
        if context is self._around:
            self._aside.assigned(starts)

    async def process(self, read: Delivery) -> None:
        """Return once the record may count as done.

        Raises:
            PartitionPausedError: it may not be set aside; others may go on.
            ConfigurationError: the operator has to act first.
        """
        try:
            await self._settle(read)
        finally:
            self._waiting.pop(id(read), None)
        self._aside.done()

    async def _settle(self, read: Delivery) -> None:
        try:
            delivery = self._delays.restore_original(read)
        except RejectedError as error:
            await self._set_aside(read, DeadLetter(error.reason, error.detail), attempts=0)
            return
        first = self._parking.blocking_record(delivery)
        if first is not None:
            verdict = DeadLetter(DeadLetterReason.PARKED, f"follows {first}")
            await self._set_aside(delivery, verdict, attempts=delivery.attempt - 1)
            return
        try:
            await self._work(read, delivery)
        except RetriesExhaustedError as given_up:
            if isinstance(given_up.__cause__, KeyRejectedError):
                self._park(delivery)
            attempts = delivery.attempt - 1 + given_up.attempts
            await self._set_aside(delivery, given_up.verdict, attempts=attempts)
        else:
            self._parking.succeeded(delivery)

    async def _work(self, read: Delivery, delivery: Delivery) -> None:
        """Handle, and publish what follows.

        Raises:
            GivenUpError: the record is to be set aside.
        """
        answer = await self._insist("handle", partial(self._handle, delivery), read)
        if not isinstance(answer, Deferred):
            await self._publish(answer, read)
            return
        now_ms = int(self._around.clock.now().timestamp() * 1000)
        waiting = self._delays.following(read, now_ms=now_ms)
        if waiting is not None:
            # First, so that no answer is seen that a crash could leave without its next look.
            await self._insist("delay", partial(self._around.publisher.publish, waiting), read)
            self._delayed.inc()
        await self._publish(answer.records, read)
        if waiting is None:
            since = self._delays.since(read, now_ms=now_ms)
            raise RetriesExhaustedError(DeadLetter(DeadLetterReason.NOT_READY, f"since {since}"), 1)

    async def _handle(self, delivery: Delivery) -> Sequence[Record] | Deferred:
        call = self._vitals.entered()
        try:
            answer = await self._handler(delivery)
            # An answer that is none fails here, as a defect of the handler, and not in our hands.
            return answer if isinstance(answer, Deferred) else tuple(answer)
        finally:
            self._vitals.left(call)

    async def _publish(self, records: Sequence[Record], read: Delivery) -> None:
        for record in records:  # one after the other: their order within a key is kept
            await self._insist("publish", partial(self._around.publisher.publish, record), read)
        self._produced.inc(len(records))

    async def _insist(
        self, stage: str, call: Callable[[], Awaitable[Result]], read: Delivery
    ) -> Result:
        result = await retry_until_final(
            call,
            policy=self._policy,
            pause=self._pause,
            failed=partial(self._failed, stage, read),
        )
        self._around.worked(stage)
        return result

    def _failed(self, stage: str, read: Delivery, fault: FaultKind, error: Exception) -> None:
        self._around.failed(stage, fault, error)
        if fault is FaultKind.TRANSIENT:
            self._waiting[id(read)] = read

    def _park(self, delivery: Delivery) -> None:
        if not self._parking.block(delivery):
            raise TooManyDeadLettersError(
                f"{self._around.name} would park more keys than ZCC_WORKER_PARKED_KEYS allows "
                f"(last at {delivery.origin}): mend the cause, then start it again; nothing more "
                f"was set aside"
            )

    async def _set_aside(self, delivery: Delivery, verdict: DeadLetter, *, attempts: int) -> None:
        await self._aside.put(delivery, verdict, attempts=attempts, pause=self._pause)
