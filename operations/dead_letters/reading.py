"""Reads the topics of dead letters and of their audit, each once from end to end.

Only a short line for each handled letter is held in memory, never the letters.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import NamedTuple

import structlog

from operations.dead_letters.audit import Handled, Handling, LetterName, name_of, read_line
from operations.dead_letters.letter import Letter, letter_of
from operations.dead_letters.selection import Selection
from runtime.kafka import read_all
from runtime.settings import KafkaSettings
from runtime.values import Delivery
from schemas.topics import dead_letter_audit_topic, dead_letter_topic

log = structlog.get_logger()


class DeadLetterFilter(NamedTuple):
    """The letters that a person selects."""

    workers: Collection[str]
    selection: Selection


class DeadLetterReading(NamedTuple):
    """A dead letter as it was read; ``handling`` is None while it is open."""

    delivery: Delivery
    letter: Letter
    handling: Handling | None


async def find(
    kafka: KafkaSettings, wanted: DeadLetterFilter
) -> AsyncGenerator[DeadLetterReading, None]:
    """Yield the selected letters, handled or not, in order within each partition.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: a topic does not exist, or the brokers refuse.
    """
    prefix = kafka.topic_prefix
    topics = {dead_letter_topic(worker, prefix=prefix): worker for worker in wanted.workers}
    handled = await _handled(kafka, topics)
    async for delivery in read_all(kafka, topics):
        letter = letter_of(delivery, worker=topics[delivery.topic])
        if wanted.selection.admits(letter):
            yield DeadLetterReading(delivery, letter, handled.get(name_of(letter)))


async def find_open(
    kafka: KafkaSettings, wanted: DeadLetterFilter
) -> AsyncGenerator[DeadLetterReading, None]:
    """Yield the selected letters that are not handled; see `find`."""
    async with aclosing(find(kafka, wanted)) as letters:
        async for reading in letters:
            if reading.handling is None:
                yield reading


async def _handled(kafka: KafkaSettings, topics: Collection[str]) -> Handled:
    """Return the letters of these topics that are handled."""
    handled: dict[LetterName, Handling] = {}
    unknown = 0
    async for delivery in read_all(kafka, [dead_letter_audit_topic(prefix=kafka.topic_prefix)]):
        line = read_line(delivery.value)
        if line is None:
            unknown += 1
        elif line[0].record_id.topic in topics:
            handled[line[0]] = line[1]
    if unknown:
        log.warning("audit lines of an unknown version", count=unknown)
    return handled
