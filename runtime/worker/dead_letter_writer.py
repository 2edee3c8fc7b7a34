"""Writes dead letters: checked by the guard, acknowledged by the topic, counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NoReturn

import structlog

from runtime import metrics
from runtime.errors import ConfigurationError, PartitionPausedError, TooManyDeadLettersError
from runtime.retries.dead_letter_guard import DeadLetterGuard, GuardRefusal, Origin
from runtime.retries.dead_letter_history import past
from runtime.retries.dead_letters import Failure, dead_letter
from runtime.retries.loop import RetriesExhaustedError, retry_until_final
from runtime.retries.policy import DeadLetter
from runtime.values import Delivery, TopicPartition
from runtime.worker.membership import WorkerContext

Pause = Callable[[float], Awaitable[None]]

log = structlog.get_logger()


class DeadLetterWriter:
    """The only path to the dead-letter topic, for all records of a worker.

    Before the first dead letter of an assignment it reads the earlier ones, so that a restart does
    not reset the guard. A worker without dead letters reads nothing.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._guard = DeadLetterGuard(context.settings.guard_bounds)
        self._positions: Mapping[TopicPartition, int] | None = None
        self._remembering = asyncio.Lock()

    def assigned(self, positions: Mapping[TopicPartition, int]) -> None:
        """Note the partitions of the assignment and their starts."""
        self._positions = dict(positions)
        self._guard.reopen()

    def done(self, count: int = 1) -> None:
        """Note further processed records, dead letters included."""
        self._guard.done(count)

    async def put(
        self, delivery: Delivery, verdict: DeadLetter, *, attempts: int, pause: Pause
    ) -> None:
        """Return once the dead letter is acknowledged; only then may the record count as done.

        Raises:
            PartitionPausedError: the guard refuses; nothing was written, other partitions may
                continue.
            TooManyDeadLettersError: the guard refuses; no partition may continue.
            ConfigurationError: the topic refuses this one.
        """
        await self._remember(pause)
        context, origin = self._context, Origin(delivery.topic, delivery.partition, delivery.offset)
        now_s = context.clock.monotonic_s()
        refusal = self._guard.refusal(origin, verdict.reason, now_s=now_s)
        if refusal is not None:
            self._refuse(delivery, verdict, refusal)
        failure = Failure(
            context.name, verdict.reason, verdict.detail, attempts, failed_at=context.clock.now()
        )
        record = dead_letter(delivery, failure, topic=context.dead_letter_topic)
        try:
            await retry_until_final(
                partial(context.publisher.publish, record),
                policy=context.policy,
                pause=pause,
                failed=partial(context.failed, "dead_letter"),
            )
        except RetriesExhaustedError as refused:
            raise ConfigurationError(
                f"{context.dead_letter_topic} does not take the dead letter of {delivery.origin} "
                f"({refused}): raise max.message.bytes of that topic above that of {delivery.topic}"
            ) from refused
        context.worked("dead_letter")
        metrics.worker.dead_letters.labels(context.name, verdict.reason.value).inc()
        log.warning(
            "dead letter", worker=context.name, origin=delivery.origin, reason=verdict.reason.value
        )

    def _refuse(self, delivery: Delivery, verdict: DeadLetter, refusal: GuardRefusal) -> NoReturn:
        last = f"{verdict.reason.value}, last at {delivery.origin}: {verdict.detail}"
        message = (
            f"{self._context.name} would write too many dead letters, more than {refusal.setting} "
            f"allows ({last})"
        )
        to_do = "undo the latest release or mend the cause, then start it again"
        if len(refusal.topics) > 1:
            topics = ", ".join(sorted(refusal.topics))
            raise TooManyDeadLettersError(
                f"{message}, of more than one topic ({topics}): {to_do}; no more were written"
            )
        raise PartitionPausedError(f"{message}: {to_do}; the other partitions go on")

    async def _remember(self, pause: Pause) -> None:
        """Read, once per assignment, this worker's earlier dead letters."""
        async with self._remembering:
            positions, context = self._positions, self._context
            if positions is None:
                return
            try:
                history = await retry_until_final(
                    context.dead_letter_history,
                    policy=context.policy,
                    pause=pause,
                    failed=partial(context.failed, "dead_letter"),
                )
            except (ConfigurationError, RetriesExhaustedError) as error:
                # Reading needs a right of its own. Without it the guard begins empty.
                log.warning("earlier dead letters not read", worker=context.name, error=str(error))
            else:
                context.worked("dead_letter")
                letters = past(
                    history,
                    worker=context.name,
                    positions=positions,
                    records=context.settings.guard_records,
                    now_ms=int(context.clock.now().timestamp() * 1000),
                )
                self._guard.remember(letters, now_s=context.clock.monotonic_s())
            if self._positions is positions:
                self._positions = None
