"""Settles one record for a Worker: handled, and all that follows from it acknowledged."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from runtime import telemetry
from runtime.contracts import Handler
from runtime.errors import KeyRejectedError, RejectedError, TooManyDeadLettersError
from runtime.retries.blocked_keys import Parking
from runtime.retries.loop import GivenUpError, insist
from runtime.retries.policy import DeadLetter, Fault
from runtime.retries.retry_topics import Delays
from runtime.values import Delivery, Later, Record, TopicPartition
from runtime.worker.dead_letter_writer import SetAside
from runtime.worker.liveness import Vitals
from runtime.worker.membership import Surroundings
from schemas.reasons import DeadLetterReason

Result = TypeVar("Result")


class Settler:
    """Calls the handler and publishes what it returns; failures are retried where they happen.

    A record that was handled is not handled again because the broker did not acknowledge.
    ``delays`` are the topics of records that the handler wants to see later; they are settled here
    too, as they were first read.
    """

    def __init__(
        self, handler: Handler, around: Surroundings, vitals: Vitals, delays: Delays
    ) -> None:
        settings = around.settings
        self._handler = handler
        self._around = around
        self._vitals = vitals
        self._delays = delays
        self._aside = SetAside(around)
        self._parking = Parking(settings.parked_keys)
        self._policy = around.policy
        self._pause = around.clock.sleep
        self._produced = telemetry.worker.produced.labels(around.name)
        self._delayed = telemetry.worker.delayed.labels(around.name)
        self._waiting: dict[int, Delivery] = {}

    @property
    def waiting(self) -> Collection[Delivery]:
        """Return what waits for the world, as it was read."""
        return self._waiting.values()

    def assigned(self, around: Surroundings, starts: Mapping[TopicPartition, int]) -> None:
        """Note from where partitions are read; those of retry topics tell nothing of the guard."""
        if around is self._around:
            self._aside.assigned(starts)

    async def settle(self, read: Delivery) -> None:
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
            delivery = self._delays.first_read(read)
        except RejectedError as error:
            await self._set_aside(read, DeadLetter(error.reason, error.detail), attempts=0)
            return
        first = self._parking.followed_by(delivery)
        if first is not None:
            verdict = DeadLetter(DeadLetterReason.PARKED, f"follows {first}")
            await self._set_aside(delivery, verdict, attempts=delivery.attempt - 1)
            return
        try:
            await self._work(read, delivery)
        except GivenUpError as given_up:
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
        if not isinstance(answer, Later):
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
            raise GivenUpError(DeadLetter(DeadLetterReason.NOT_READY, f"since {since}"), 1)

    async def _handle(self, delivery: Delivery) -> Sequence[Record] | Later:
        call = self._vitals.entered()
        try:
            answer = await self._handler(delivery)
            # An answer that is none fails here, as a defect of the handler, and not in our hands.
            return answer if isinstance(answer, Later) else tuple(answer)
        finally:
            self._vitals.left(call)

    async def _publish(self, records: Sequence[Record], read: Delivery) -> None:
        for record in records:  # one after the other: their order within a key is kept
            await self._insist("publish", partial(self._around.publisher.publish, record), read)
        self._produced.inc(len(records))

    async def _insist(
        self, stage: str, call: Callable[[], Awaitable[Result]], read: Delivery
    ) -> Result:
        result = await insist(
            call,
            policy=self._policy,
            pause=self._pause,
            failed=partial(self._failed, stage, read),
        )
        self._around.worked(stage)
        return result

    def _failed(self, stage: str, read: Delivery, fault: Fault, error: Exception) -> None:
        self._around.failed(stage, fault, error)
        if fault is Fault.TRANSIENT:
            self._waiting[id(read)] = read

    def _park(self, delivery: Delivery) -> None:
        if not self._parking.park(delivery):
            raise TooManyDeadLettersError(
                f"{self._around.name} would park more keys than ZCC_WORKER_PARKED_KEYS allows "
                f"(last at {delivery.origin}): mend the cause, then start it again; nothing more "
                f"was set aside"
            )

    async def _set_aside(self, delivery: Delivery, verdict: DeadLetter, *, attempts: int) -> None:
        await self._aside.put(delivery, verdict, attempts=attempts, pause=self._pause)
