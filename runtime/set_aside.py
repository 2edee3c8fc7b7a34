"""Sets a record aside: through the guard, onto the dead-letter topic, acknowledged and counted."""

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from runtime import telemetry
from runtime.dead_letters import DeadLetterGuard, Failure, dead_letter
from runtime.errors import ConfigurationError, TooManyDeadLettersError
from runtime.insistence import GivenUpError, insist
from runtime.membership import Surroundings
from runtime.retry import DeadLetter
from runtime.values import Delivery

log = structlog.get_logger()


async def set_aside(
    delivery: Delivery,
    verdict: DeadLetter,
    *,
    attempts: int,
    around: Surroundings,
    guard: DeadLetterGuard,
    pause: Callable[[float], Awaitable[None]],
) -> None:
    """Return once the dead letter is acknowledged; only then may the record count as done.

    Raises:
        TooManyDeadLettersError: the guard refuses; nothing was set aside.
        ConfigurationError: the topic does not take this one.
    """
    origin = delivery.origin
    refusal = guard.refusal(verdict.reason, now_s=around.clock.monotonic_s())
    if refusal is not None:
        raise TooManyDeadLettersError(
            f"{around.name} would set aside too many records, more than {refusal} allows "
            f"({verdict.reason.value}, last at {origin}: {verdict.detail}): undo the latest "
            f"release or mend the cause, then start it again; nothing more was set aside"
        )
    failure = Failure(
        around.name, verdict.reason, verdict.detail, attempts, failed_at=around.clock.now()
    )
    record = dead_letter(delivery, failure, topic=around.dead_letter_topic)
    try:
        await insist(
            partial(around.publisher.publish, record),
            policy=around.policy,
            pause=pause,
            failed=partial(around.failed, "dead_letter"),
        )
    except GivenUpError as refused:
        raise ConfigurationError(
            f"{around.dead_letter_topic} does not take the dead letter of {origin} ({refused}): "
            f"raise max.message.bytes of that topic above that of {delivery.topic}"
        ) from refused
    telemetry.worker.dead_letters.labels(around.name, verdict.reason.value).inc()
    log.warning("set aside", worker=around.name, origin=origin, reason=verdict.reason.value)
