"""Composition of the Postgres sink: settings in, a running worker out."""

import gc
from typing import Final

from runtime.clock import SystemClock
from runtime.service import run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from schemas.topics import enriched_topics
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink

_allocations_between_collections: Final = 50_000
"""A batch of parsed events is half a million objects and no cycle; with the default of 700 the
search for cycles among them takes a third of the sink's time."""


async def run(settings: PostgresSettings, kafka: KafkaSettings, worker: WorkerSettings) -> None:
    """Write enriched events to Postgres until told to stop.

    Raises:
        ConfigurationError: the database or the topics are not set up as needed.
    """
    gc.freeze()
    gc.set_threshold(_allocations_between_collections)
    await run_sink(
        PostgresSink(settings, SystemClock()),
        name="postgres",
        topics=enriched_topics(prefix=kafka.topic_prefix),
        kafka=kafka,
        worker=worker,
    )
