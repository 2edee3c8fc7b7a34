"""Counts the calls of `zcc api` against the limits per day, in Kafka, as workers do."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from secrets import token_hex
from typing import Final

from operations.components import components
from operations.settings.configured import is_configured
from operations.settings.loading import read_settings
from processors.daily_counts import KafkaDailyCounts
from runtime.clock import Clock
from runtime.kafka import KafkaPublisher
from runtime.settings import KafkaSettings
from zoom.limits import Label
from zoom.rate_limits.daily_share import DailyCounts
from zoom.settings import ZoomSettings

commands: Final = "zcc-api"
"""All commands together count under this name, as one worker."""

_connect_s: Final = 3.0
_writer_bytes: Final = 8
"""No two commands of a day have the same name."""


def kafka_settings() -> KafkaSettings | None:
    """Read the settings of Kafka, None where no variable of them is set.

    Raises:
        ConfigurationError: one line that names each variable at fault.
    """
    return read_settings(KafkaSettings) if is_configured(KafkaSettings, os.environ) else None


@asynccontextmanager
async def stored_counts(
    zoom: ZoomSettings, label: Label | None, clock: Clock
) -> AsyncIterator[DailyCounts | None]:
    """Open the counts of commands; None without a limit per day, or without Kafka.

    A Kafka that does not answer stops nothing: see `zoom.rate_limits.daily_quota`.
    """
    counted = label is not None and zoom.limits[label].per_day is not None
    kafka = kafka_settings() if counted else None
    if kafka is None:
        yield None
        return
    async with KafkaPublisher(kafka, client_id=commands, clock=clock) as publisher:
        await publisher.reached(within_s=_connect_s)
        yield KafkaDailyCounts(
            kafka,
            publisher,
            account_id=zoom.account_id,
            worker=commands,
            clock=clock,
            writer=token_hex(_writer_bytes),
        )


async def used_today(zoom: ZoomSettings, kafka: KafkaSettings, clock: Clock) -> Mapping[Label, int]:
    """Return the calls of workers and commands today, by label with a limit per day.

    Raises:
        TransientError: Kafka does not answer, or has no such topic.
    """
    today = clock.now().astimezone(UTC).date()
    unopened = KafkaPublisher(kafka, client_id=commands, clock=clock)  # nothing is saved
    used = dict.fromkeys((n for n, limit in zoom.limits.items() if limit.per_day), 0)
    callers = [each.name for each in components if each.zoom_operations]
    for caller in (*callers, commands):
        counts_in_kafka = KafkaDailyCounts(
            kafka, unopened, account_id=zoom.account_id, worker=caller, clock=clock
        )
        for label in used:
            counts = (await counts_in_kafka.load(label)).values()
            used[label] += sum(count.used for count in counts if count.day == today)
    return used
