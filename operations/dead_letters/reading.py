"""Reads dead letters, and what people did about them; of either, once from end to end.

What is held at once is a line for each letter that is handled, never the letters themselves.
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
    """Which letters a person asked for."""

    workers: Collection[str]
    selection: Selection


class DeadLetterReading(NamedTuple):
    """A dead letter as it lies there; ``handling`` is None where it is open."""

    delivery: Delivery
    letter: Letter
    handling: Handling | None


async def find(
    kafka: KafkaSettings, asked: DeadLetterFilter
) -> AsyncGenerator[DeadLetterReading, None]:
    """Yield the letters that were asked for, handled or not, in order within each partition.

    Raises:
        TransientError: the brokers do not answer.
        ConfigurationError: a topic does not exist, or the brokers refuse.
    """
    prefix = kafka.topic_prefix
    topics = {dead_letter_topic(worker, prefix=prefix): worker for worker in asked.workers}
    handled = await _handled(kafka, topics)
    async for delivery in read_all(kafka, topics):
        letter = letter_of(delivery, worker=topics[delivery.topic])
        if asked.selection.admits(letter):
            yield DeadLetterReading(delivery, letter, handled.get(name_of(letter)))


async def find_open(
    kafka: KafkaSettings, asked: DeadLetterFilter
) -> AsyncGenerator[DeadLetterReading, None]:
    """Yield those that are not handled; see `find`."""
    async with aclosing(find(kafka, asked)) as letters:
        async for found in letters:
            if found.handling is None:
                yield found


async def _handled(kafka: KafkaSettings, topics: Collection[str]) -> Handled:
    """Return the letters of these topics that are handled."""
    found: dict[LetterName, Handling] = {}
    unknown = 0
    async for delivery in read_all(kafka, [dead_letter_audit_topic(prefix=kafka.topic_prefix)]):
        line = read_line(delivery.value)
        if line is None:
            unknown += 1
        elif line[0].place.topic in topics:
            found[line[0]] = line[1]
    if unknown:
        log.warning("audit lines that this version does not know", count=unknown)
    return found
