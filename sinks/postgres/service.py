"""Composition of the Postgres sink: settings in, a running worker out."""

from collections.abc import Iterable

from runtime.clock import SystemClock
from runtime.service import run_sink
from runtime.settings import KafkaSettings, WorkerSettings
from sinks.postgres.component import component
from sinks.postgres.metrics import metrics
from sinks.postgres.model.omissions import omission_kinds
from sinks.postgres.model.rows import tables
from sinks.postgres.settings import PostgresSettings
from sinks.postgres.sink import PostgresSink
from sinks.postgres.write.partitions import partitioned


async def run(settings: PostgresSettings, kafka: KafkaSettings, worker: WorkerSettings) -> None:
    """Write enriched events and references to Postgres until stopped.

    Raises:
        ConfigurationError: the database or the topics are not set up as needed.
    """
    _show_zeros(component.reads(prefix=kafka.topic_prefix))
    sink = PostgresSink(settings, SystemClock())
    await run_sink(sink, component, kafka=kafka, worker=worker)


def _show_zeros(topics: Iterable[str]) -> None:
    """Create each series at 0: Prometheus sees no increase in a series that starts at 1."""
    for topic in topics:
        metrics.recreated.labels(topic)
    for table in tables:
        metrics.rows.labels(table.name)
    for table_name in partitioned:
        metrics.default_partition_rows.labels(table_name)
    for what in omission_kinds:
        metrics.left_out.labels(what)
