"""All metrics of the product, in one list; the only module that knows prometheus_client.

Names: ``zcc_<package>_<noun>_<unit>``. Label values come from closed sets. Count per batch where
there are batches. A counter of lost things counts what is lost for good, nothing else.
"""

from typing import Final, NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

_latency_buckets_s: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 60.0),
)


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
    latency: Final = Histogram(
        "zcc_ingest_request_seconds",
        "From the last byte of a signed request to its answer",
        buckets=_latency_buckets_s,
    )
    ready: Final = Gauge("zcc_ingest_ready", "1 while the broker acknowledges, else 0")


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
    fenced: Final = Counter(
        "zcc_worker_fenced_total", "Times that another owner had taken the partitions", ["worker"]
    )
    late: Final = Counter(
        "zcc_worker_late_total",
        "Completions after their partitions were taken away; ignored, another owner does them",
        ["worker"],
    )
    expired: Final = Counter(
        "zcc_worker_expired_records_total",
        "Records that retention deleted before the group had read them",
        ["group", "topic"],
    )
    lag: Final = Gauge(
        "zcc_worker_lag_records", "Records in the topic that are not done", ["worker", "topic"]
    )
    in_flight: Final = Gauge("zcc_worker_in_flight_records", "Records being handled", ["worker"])
    oldest: Final = Gauge(
        "zcc_worker_oldest_unfinished_seconds", "Age of the oldest unfinished record", ["worker"]
    )
    assigned: Final = Gauge("zcc_worker_assigned_partitions", "Partitions owned", ["worker"])
    batch_seconds: Final = Histogram(
        "zcc_worker_batch_write_seconds",
        "Time to store one batch",
        ["worker"],
        buckets=_latency_buckets_s,
    )


class EnrichmentMetrics:
    """What enrichment counts."""

    events: Final = Counter("zcc_enrichment_events_total", "Events enriched, by status", ["status"])
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


class ZoomMetrics:
    """What the REST client counts."""

    requests: Final = Counter(
        "zcc_zoom_requests_total",
        "REST requests, by operation and outcome",
        ["operation", "outcome"],
    )
    latency: Final = Histogram(
        "zcc_zoom_request_seconds", "REST latency", ["operation"], buckets=_latency_buckets_s
    )
    budget_wait: Final = Counter(
        "zcc_zoom_budget_wait_seconds_total",
        "Time spent waiting for the account's budget",
        ["label"],
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
        buckets=_latency_buckets_s,
    )


class ObjectStorageMetrics:
    """What the object storage sink counts."""

    objects: Final = Counter("zcc_object_storage_objects_total", "Objects created")
    rows: Final = Counter("zcc_object_storage_rows_total", "Rows in created objects")
    stored: Final = Counter("zcc_object_storage_bytes_total", "Bytes of created objects")
    adopted: Final = Counter(
        "zcc_object_storage_adopted_total", "Objects found already written after a crash"
    )


ingest: Final = IngestMetrics()
worker: Final = WorkerMetrics()
enrichment: Final = EnrichmentMetrics()
schema: Final = SchemaMetrics()
zoom: Final = ZoomMetrics()
postgres: Final = PostgresMetrics()
object_storage: Final = ObjectStorageMetrics()


def exposition() -> bytes:
    """Return all metrics in the text format of Prometheus; serve it as `content_type`."""
    return generate_latest(REGISTRY)


def total(exposition_text: bytes, sample: str) -> float:
    """Return the sum over all labels of one sample in another process's exposition."""
    return sum(
        found.value
        for family in text_string_to_metric_families(exposition_text.decode())
        for found in family.samples
        if found.name == sample
    )


class MetricEntry(NamedTuple):
    """One metric for the reference page and for tests."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def catalogue() -> tuple[MetricEntry, ...]:
    """Return every metric of the list above, under the name that queries use."""
    found = []
    for group in (ingest, worker, enrichment, schema, zoom, postgres, object_storage):
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
