"""All metrics of the product, in one list.

Names: ``zcc_<package>_<noun>_<unit>``. Label values come from closed sets. Count per batch where
there are batches. A counter of lost things counts what is lost for good, nothing else.

Where a parent keeps several processes (`shared_metrics`), each counts in files of its own, which
all of them can read: whichever is scraped answers with the sum. A process that follows a dead one
goes on in its files, so that no counter goes back. Each gauge says by its ``multiprocess_mode`` how
several are made one. Elsewhere there are no files.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from runtime.ingest_telemetry import IngestMetrics, SpillMetrics
from runtime.part_telemetry import MonitorMetrics, ProcessMetrics, PublisherMetrics
from runtime.process.metrics_exposition import latency_buckets_s, place_values
from runtime.rest_telemetry import ZoomMetrics
from runtime.retries.policy import FaultKind
from schemas.reasons import DeadLetterReason

place_values()


class WorkerMetrics:
    """What the runtime counts for each processor and sink."""

    records: Final = Counter("zcc_worker_records_total", "Records done", ["worker"])
    produced: Final = Counter("zcc_worker_produced_total", "Records produced", ["worker"])
    errors: Final = Counter(
        "zcc_worker_errors_total", "Failures, by stage and kind", ["worker", "stage", "kind"]
    )
    dead_letters: Final = Counter(
        "zcc_worker_dead_letters_total", "Records set aside, by reason", ["worker", "reason"]
    )
    delayed: Final = Counter(
        "zcc_worker_delayed_total", "Records put off to be looked at again later", ["worker"]
    )
    halted: Final = Gauge(
        "zcc_worker_halted",
        "1 while the worker has stopped until somebody acts, because of what stores or the group "
        "show, or rather than set more records aside; else 0",
        ["worker"],
        multiprocess_mode="livemax",
    )
    paused: Final = Gauge(
        "zcc_worker_paused_partitions",
        "Partitions that stand still because too many of their records would be set aside",
        ["worker"],
        multiprocess_mode="livesum",
    )
    fenced: Final = Counter(
        "zcc_worker_fenced_total", "Times that another owner had taken the partitions", ["worker"]
    )
    skipped: Final = Counter(
        "zcc_worker_skipped_records_total",
        "Records read again that were done before, by the map beside the committed offset",
        ["worker"],
    )
    ignored_maps: Final = Counter(
        "zcc_worker_ignored_maps_total",
        "Texts beside a committed offset that are no map of what is done, so more is repeated",
        ["worker"],
    )
    late: Final = Counter(
        "zcc_worker_late_total",
        "Completions after their partitions were taken away; ignored, another owner does them",
        ["worker"],
    )
    expired: Final = Counter(
        "zcc_worker_expired_records_total",
        "Records that retention deleted before the group had read them; each partition shows up "
        "with its first assignment",
        ["group", "topic", "partition"],
    )
    recreated_topics: Final = Counter(
        "zcc_worker_recreated_topics_total",
        "Times that a member found a topic made anew, under the same name with another id; it is "
        "read from the beginning of its new log",
        ["worker", "topic"],
    )
    lag: Final = Gauge(
        "zcc_worker_lag_records",
        "Records that are not done, of each partition owned",
        ["worker", "topic", "partition"],
        multiprocess_mode="livesum",
    )
    lag_seconds: Final = Gauge(
        "zcc_worker_lag_seconds",
        "Age of the oldest record that is not done, of each partition owned; 0 = all is done",
        ["worker", "topic", "partition"],
        multiprocess_mode="livemax",
    )
    in_flight: Final = Gauge(
        "zcc_worker_in_flight_records",
        "Records being handled",
        ["worker"],
        multiprocess_mode="livesum",
    )
    oldest: Final = Gauge(
        "zcc_worker_oldest_unfinished_seconds",
        "Since when the oldest record is held that was read and is not done, across outages",
        ["worker"],
        multiprocess_mode="livemax",
    )
    assigned: Final = Gauge(
        "zcc_worker_assigned_partitions",
        "Partitions owned",
        ["worker"],
        multiprocess_mode="livesum",
    )
    batch_seconds: Final = Histogram(
        "zcc_worker_batch_write_seconds",
        "Time to store one batch",
        ["worker"],
        buckets=latency_buckets_s,
    )


stages: Final = (
    *("membership", "lag", "commit", "dead_letter"),
    *("handle", "publish", "delay"),
    *("open", "assign", "committed", "prepare", "write"),
)
"""The steps of workers that may fail: of all, of those that handle, of those that store."""


class EnrichmentMetrics:
    """What enrichment counts."""

    events: Final = Counter("zcc_enrichment_events_total", "Events enriched, by status", ["status"])
    corrections: Final = Counter(
        "zcc_enrichment_corrections_total", "Events sent again with names that had been missing"
    )
    lookups: Final = Counter(
        "zcc_enrichment_lookups_total",
        "Questions, by entity and outcome (hit, miss, absent, unknown)",
        ["entity", "outcome"],
    )


class SchemaMetrics:
    """What is seen of the contract with Zoom."""

    drift: Final = Counter(
        "zcc_schema_drift_total",
        "Departures of events from the contract, by event and kind (unknown_field, "
        "unknown_enum_value, wrong_type, missing_required, unknown_event); none is refused",
        ["event", "kind"],
    )


class PostgresMetrics:
    """What the Postgres sink counts."""

    rows: Final = Counter("zcc_postgres_rows_total", "Rows written, by table", ["table"])
    repeats: Final = Counter(
        "zcc_postgres_repeats_total", "Events seen again and left as they were"
    )
    sanitised: Final = Counter(
        "zcc_postgres_sanitised_total",
        "Events stored with characters Postgres cannot hold replaced",
    )
    visible: Final = Histogram(
        "zcc_postgres_visible_seconds",
        "From the acceptance of the oldest event of a batch to its committed row",
        buckets=latency_buckets_s,
    )
    recreated: Final = Counter(
        "zcc_postgres_recreated_partitions_total",
        "Partitions of Kafka whose topic was made anew, read from the start of the new log, by "
        "topic",
        ["topic"],
    )
    left_out: Final = Counter(
        "zcc_postgres_left_out_total",
        "What the raw event alone holds, because an id is longer than the model takes, by what is "
        "missing (engagement: all that an event says of its engagement; id: one of the other ids "
        "of an event; row: a row whose ids together are too long)",
        ["what"],
    )
    default_partition_rows: Final = Gauge(
        "zcc_postgres_default_partition_rows",
        "Rows that no month or day has taken, by table; counted up to 10,000, every 5 minutes, by "
        "each sink: take the max, not the sum",
        ["table"],
        multiprocess_mode="livemax",
    )


class ObjectStorageMetrics:
    """What the object storage sink counts."""

    objects: Final = Counter("zcc_object_storage_objects_total", "Objects created")
    rows: Final = Counter("zcc_object_storage_rows_total", "Rows in created objects")
    stored: Final = Counter("zcc_object_storage_bytes_total", "Bytes of created objects")
    adopted: Final = Counter(
        "zcc_object_storage_adopted_total", "Objects found already written after a crash"
    )
    skipped: Final = Counter(
        "zcc_object_storage_skipped_rows_total",
        "Records passed over because the committed offset lay behind the objects that hold them",
    )
    listed_pages: Final = Counter(
        "zcc_object_storage_listed_pages_total",
        "Pages of up to 1,000 objects listed to find out where the objects end",
    )


process: Final = ProcessMetrics()
ingest: Final = IngestMetrics()
spill: Final = SpillMetrics()
publisher: Final = PublisherMetrics()
worker: Final = WorkerMetrics()
enrichment: Final = EnrichmentMetrics()
schema: Final = SchemaMetrics()
zoom: Final = ZoomMetrics()
postgres: Final = PostgresMetrics()
object_storage: Final = ObjectStorageMetrics()
monitor: Final = MonitorMetrics()

_groups: Final = (
    *(process, ingest, spill, publisher, worker, enrichment, schema, zoom, postgres),
    object_storage,
    monitor,
)


def begin_worker(name: str, *, topics: Iterable[str]) -> None:
    """Show all figures of a worker at 0: a counter that first shows up at 1 has not increased."""
    for stage in stages:
        for fault in FaultKind:
            worker.errors.labels(name, stage, fault.value)
    for reason in DeadLetterReason:
        worker.dead_letters.labels(name, reason.value)
    for topic in topics:
        worker.recreated_topics.labels(name, topic)
    for metric in vars(type(worker)).values():
        if isinstance(metric, MetricWrapperBase) and metric._labelnames == ("worker",):  # noqa: SLF001 - as in `catalogue`
            metric.labels(name)


class MetricEntry(NamedTuple):
    """One metric for the reference page and for tests."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def catalogue() -> tuple[MetricEntry, ...]:
    """Return every metric of the list above, under the name that queries use."""
    found = []
    for group in _groups:
        for metric in vars(type(group)).values():
            if isinstance(metric, MetricWrapperBase):
                description = next(iter(metric.describe()))
                total_suffix = "_total" if description.type == "counter" else ""
                found.append(
                    MetricEntry(
                        f"{description.name}{total_suffix}",
                        description.type,
                        metric._labelnames,  # noqa: SLF001 - the library offers no other way
                        description.documentation,
                    )
                )
    return tuple(found)
