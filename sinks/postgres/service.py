"""Composition of the Postgres sink: settings in, a running worker out."""

from runtime.clock import SystemClock
from runtime.service import run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from schemas.topics import enriched_topics, reference_topic
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink


async def run(settings: PostgresSettings, kafka: KafkaSettings, worker: WorkerSettings) -> None:
    """Write enriched events and references to Postgres until told to stop.

    Raises:
        ConfigurationError: the database or the topics are not set up as needed.
    """
    await run_sink(
        PostgresSink(settings, SystemClock()),
        name="postgres",
        topics=(
            *enriched_topics(prefix=kafka.topic_prefix),
            reference_topic(prefix=kafka.topic_prefix),
        ),
        kafka=kafka,
        worker=worker,
    )
