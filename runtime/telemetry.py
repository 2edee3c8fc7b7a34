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

from runtime.exposition import latency_buckets_s, place_values
from runtime.part_telemetry import MonitorMetrics, ProcessMetrics, PublisherMetrics
from runtime.rest_telemetry import ZoomMetrics
from runtime.retry import Fault
from schemas.reasons import DeadLetterReason

place_values()


class IngestMetrics:
    """What ingest counts."""

    responses: Final = Counter(
        "zcc_ingest_responses_total", "Answers to Zoom, by app and HTTP status", ["app", "status"]
    )
    refused: Final = Counter(
        "zcc_ingest_refused_total", "Requests refused, by reason", ["app", "reason"]
    )
    verified: Final = Counter(
        "zcc_ingest_verified_total",
        "Requests with a right signature, by app and place of the secret in its list",
        ["app", "secret"],
    )
    accepted: Final = Counter(
        "zcc_ingest_accepted_total", "Events acknowledged by the broker, by family", ["family"]
    )
    quarantined: Final = Counter(
        "zcc_ingest_quarantined_total", "Signed bodies that are no event, by reason", ["reason"]
    )
    unavailable: Final = Counter(
        "zcc_ingest_unavailable_total",
        "Requests answered 503, which Zoom sends again, by reason",
        ["reason"],
    )
    challenges: Final = Counter(
        "zcc_ingest_challenges_total", "Endpoint validations answered", ["app"]
    )
    last_challenge: Final = Gauge(
        "zcc_ingest_last_challenge_timestamp_seconds",
        "When an endpoint validation was last answered by this process; 0 = not yet, NaN = the app "
        "was taken away",
        ["app"],
        multiprocess_mode="livemax",
    )
    reloads: Final = Counter(
        "zcc_ingest_reloads_total",
        "Readings of the apps' file after the start, by outcome (taken; unreadable or wrong, "
        "counted until it is mended)",
        ["outcome"],
    )
    replays: Final = Counter(
        "zcc_ingest_replays_total",
        "Requests answered 204 without a record, because their very signature was before, by app",
        ["app"],
    )
    remembered: Final = Gauge(
        "zcc_ingest_remembered_signatures",
        "Signatures answered 204 that are remembered to know replays by",
        multiprocess_mode="livesum",
    )
    connections: Final = Gauge(
        "zcc_ingest_connections", "Connections that are open", multiprocess_mode="livesum"
    )
    unfinished: Final = Gauge(
        "zcc_ingest_unfinished_requests",
        "Requests that have begun to come and are not whole, so that nobody knows from whom",
        multiprocess_mode="livesum",
    )
    crowded_out: Final = Counter(
        "zcc_ingest_crowded_out_total",
        "Connections closed to make room for others, by what they did (silent: nothing yet; idle: "
        "nothing any more; unfinished: they were sending; newcomer: no room could be made for it)",
        ["state"],
    )
    latency: Final = Histogram(
        "zcc_ingest_request_seconds",
        "From the last byte of a signed request to its answer",
        buckets=latency_buckets_s,
    )
    ready: Final = Gauge(
        "zcc_ingest_ready",
        "1 while the broker acknowledges, else 0; of several processes, the least",
        multiprocess_mode="livemin",
    )
    restarts: Final = Counter(
        "zcc_ingest_restarts_total",
        "Processes that ended by themselves and were started again, with ZCC_INGEST_WORKERS over 1",
    )


class SpillMetrics:
    """What ingest counts of events that the broker did not take in time.

    The figures of what waits are those of the process's own; other processes say theirs.
    """

    kept: Final = Counter("zcc_spill_kept_events_total", "Events made durable in the spill")
    drained: Final = Counter(
        "zcc_spill_drained_events_total", "Events from the spill acknowledged by the broker"
    )
    failed: Final = Counter(
        "zcc_spill_failed_events_total",
        "Events that the spill did not keep, answered 503, by reason (full, late, store)",
        ["reason"],
    )
    set_aside: Final = Counter(
        "zcc_spill_set_aside_total",
        "What stays in the spill for a person, by reason (refused: events that the broker will "
        "never take as they are; unreadable: segments, once after each start)",
        ["reason"],
    )
    waiting_events: Final = Gauge(
        "zcc_spill_waiting_events",
        "Events in the spill to be produced",
        multiprocess_mode="livesum",
    )
    waiting_bytes: Final = Gauge(
        "zcc_spill_waiting_bytes",
        "Bytes in the spill to be produced",
        multiprocess_mode="livesum",
    )
    waiting_segments: Final = Gauge(
        "zcc_spill_waiting_segments",
        "Files or objects in the spill to be produced",
        multiprocess_mode="livesum",
    )
    oldest: Final = Gauge(
        "zcc_spill_oldest_seconds",
        "Age of the oldest segment that waits, those left by others included; 0 where none does",
        multiprocess_mode="livemax",
    )


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
        for fault in Fault:
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
