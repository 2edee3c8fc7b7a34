"""Plans actions on dead letters for a person to confirm, then carries them out."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from operations.dead_letters.actions import Act, ActionRefused, Judge, ReplayRules, line_of
from operations.dead_letters.audit import record_of
from operations.dead_letters.letter import Letter, RecordId
from operations.dead_letters.reading import DeadLetterReading
from operations.dead_letters.summary import Earliest, Group, Summary
from operations.topics.specs import deployment_specs
from runtime.clock import Clock
from runtime.contracts import Publisher
from runtime.errors import RejectedError, TransientError
from runtime.kafka.cluster import Cluster
from runtime.settings import KafkaSettings
from runtime.values import Record
from schemas.headers import timestamp

_timeout_s: Final = 20.0
"""For one record to be acknowledged, a new producer in between included."""

_poll_interval_s: Final = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """The letters to act on, by fingerprint, and the number of refusals by reason."""

    chosen: frozenset[RecordId]
    groups: Collection[Group]
    refused: Counter[str]


class Operator(NamedTuple):
    """The person who acts and the reason; both go into the audit."""

    by: str
    reason: str


async def replay_rules(kafka: KafkaSettings, *, max_replays: int) -> ReplayRules:
    """Return the bounds of replays, with the topics that exist now.

    Raises:
        TransientError: the brokers do not answer.
    """
    names = [spec.name for spec in deployment_specs(kafka.topic_plan)]
    async with Cluster(kafka, client_id="zcc-dead-letters") as cluster:
        return ReplayRules(kafka.topic_prefix, max_replays, await cluster.partition_counts(names))


async def plan(
    readings: AsyncIterator[DeadLetterReading], judge: Judge, *, limit: int | None
) -> Plan:
    """Plan for open letters; with ``limit``, for that many of the earliest.

    Only the headers of the chosen letters are held in memory.
    """
    earliest, refused = Earliest(limit), Counter[str]()
    async for delivery, letter, _ in readings:
        verdict = judge(delivery, letter)
        if isinstance(verdict, ActionRefused):
            refused[verdict.why] += 1
        else:
            earliest.add(letter)
    letters = earliest.letters
    return Plan(frozenset(each.record_id for each in letters), Summary(letters).groups, refused)


async def carry_out(
    readings: AsyncIterator[DeadLetterReading], judge: Judge, planned: Plan, executor: "Executor"
) -> AsyncGenerator[tuple[Letter, Act | ActionRefused], None]:
    """Carry out the plan, and yield each letter once it is done or refused.

    Letters that arrived after the plan are left alone.

    Raises:
        TransientError: the brokers do not acknowledge; only the yielded letters are done.
    """
    async for delivery, letter, _ in readings:
        act = judge(delivery, letter)
        if isinstance(act, ActionRefused):
            yield letter, act
        elif letter.record_id in planned.chosen:
            yield letter, await executor.do(letter, act)


class Executor:
    """Acts on one letter after the other, within a rate.

    A kill leaves at most one letter whose record was sent and whose audit line is missing: the line
    follows the acknowledgement of the record, and the next letter follows that of the line.
    """

    def __init__(
        self,
        publisher: Publisher,
        clock: Clock,
        *,
        audit_topic: str,
        operator: Operator,
        rate_per_s: float | None = None,
    ) -> None:
        self._publisher = publisher
        self._clock = clock
        self._audit_topic = audit_topic
        self._operator = operator
        self._interval_s = 1 / rate_per_s if rate_per_s else 0.0
        self._due_s = clock.monotonic_s()

    async def do(self, letter: Letter, act: Act) -> Act | ActionRefused:
        """Act on a letter; return the act, or the reason why the brokers never accept the record.

        Raises:
            TransientError: they do not acknowledge; the letter is open.
        """
        now_s = self._clock.monotonic_s()
        await self._clock.sleep(max(0.0, self._due_s - now_s))
        self._due_s = max(self._due_s, now_s) + self._interval_s
        if act.record is not None:
            try:
                await self._publish(act.record)
            except RejectedError as error:
                return ActionRefused(error.detail)
        at = timestamp(int(self._clock.now().timestamp() * 1000))
        line = line_of(letter, act, by=self._operator.by, at=at, reason=self._operator.reason)
        await self._publish(record_of(line, topic=self._audit_topic))
        return act

    async def _publish(self, record: Record) -> None:
        last = "not connected to Kafka"
        try:
            async with asyncio.timeout(_timeout_s):
                while True:
                    while not self._publisher.ready:
                        await self._clock.sleep(_poll_interval_s)
                    try:
                        return await self._publisher.publish(record)
                    except TransientError as error:
                        last = str(error)
                    await self._clock.sleep(_poll_interval_s)
        except TimeoutError:
            raise TransientError(
                f"{last}; earlier lines are done; repeat the command to do the rest"
            ) from None
