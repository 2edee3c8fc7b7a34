"""Metrics of the runtime: worker, producer, process. Each package has a ``metrics`` module like it.

Names: ``zcc_<package>_<noun>_<unit>``. Label values come from closed sets. Count per batch where
there are batches. A counter of lost records counts only permanent losses.

Where a supervisor runs several processes (`runtime.process.metrics_exposition`), each process
counts in files of its own. Any of them answers a scrape with the sum. A process that replaces a
dead one continues its files, so that no counter decreases. The ``multiprocess_mode`` of a gauge
says how values of several processes are combined.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from runtime.process.metrics_exposition import choose_value_storage, latency_buckets_s
from runtime.retries.policy import FaultKind
from runtime.values import Feed
from schemas.reasons import DeadLetterReason

choose_value_storage()


class ProcessMetrics:
    """What each process of the product says of itself."""

    started: Final = Gauge(
        "zcc_process_start_time_seconds",
        "When the process started, by the part of the product that it runs; the oldest of "
        "several processes that share their metrics",
        ["part"],
        multiprocess_mode="livemin",
    )


class PublisherMetrics:
    """What every process counts of the records that it produces."""

    refused: Final = Counter(
        "zcc_publisher_refused_records_total",
        "Records that a topic refuses, by the setting of the topic that they pass "
        "(`other`: the broker does not say which)",
        ["limit"],
    )
    replaced: Final = Counter(
        "zcc_publisher_replaced_total",
        "Producers replaced because the brokers did not acknowledge",
    )


class WorkerMetrics:
    """What the runtime counts for each processor and sink."""

    records: Final = Counter("zcc_worker_records_total", "Records done", ["worker"])
    produced: Final = Counter("zcc_worker_produced_total", "Records produced", ["worker"])
    errors: Final = Counter(
        "zcc_worker_errors_total", "Failures, by stage and kind", ["worker", "stage", "kind"]
    )
    dead_letters: Final = Counter(
        "zcc_worker_dead_letters_total",
        "Records that became dead letters, by reason",
        ["worker", "reason"],
    )
    delayed: Final = Counter(
        "zcc_worker_delayed_total", "Records deferred to a retry topic", ["worker"]
    )
    halted: Final = Gauge(
        "zcc_worker_halted",
        "1 while the worker has stopped until a person acts, because of the state of a store or "
        "of the group, or because of too many dead letters; else 0",
        ["worker"],
        multiprocess_mode="livemax",
    )
    paused: Final = Gauge(
        "zcc_worker_paused_partitions",
        "Partitions paused because too many of their records would become dead letters",
        ["worker"],
        multiprocess_mode="livesum",
    )
    fenced: Final = Counter(
        "zcc_worker_fenced_total",
        "Times that another owner had taken over the partitions",
        ["worker"],
    )
    skipped: Final = Counter(
        "zcc_worker_skipped_records_total",
        "Records read again and skipped, because the metadata of the commit lists them as done",
        ["worker"],
    )
    ignored_maps: Final = Counter(
        "zcc_worker_ignored_maps_total",
        "Metadata of commits that are no map of done records, so that more is repeated",
        ["worker"],
    )
    late: Final = Counter(
        "zcc_worker_late_total",
        "Records completed after their partition was revoked; ignored, its new owner repeats them",
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
        "Times that a member noticed a recreated topic, with the same name and a new id; it then "
        "reads the new log from the start",
        ["worker", "topic"],
    )
    lag: Final = Gauge(
        "zcc_worker_lag_records",
        "Records that are not done, by owned partition",
        ["worker", "topic", "partition"],
        multiprocess_mode="livesum",
    )
    lag_seconds: Final = Gauge(
        "zcc_worker_lag_seconds",
        "Age of the oldest record that is not done, by owned partition; 0 = all done",
        ["worker", "topic", "partition"],
        multiprocess_mode="livemax",
    )
    in_flight: Final = Gauge(
        "zcc_worker_in_flight_records",
        "Records in processing",
        ["worker"],
        multiprocess_mode="livesum",
    )
    oldest: Final = Gauge(
        "zcc_worker_oldest_unfinished_seconds",
        "Time since the oldest unfinished record was first read, across outages",
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


class PollerMetrics:
    """What the runtime counts for each poller, in addition to the figures of each worker.

    The active member alone has figures; a standby's gauges are 0.
    """

    active: Final = Gauge(
        "zcc_poller_active",
        "1 while this process is the active member; 0 = standby",
        ["worker"],
        multiprocess_mode="livesum",
    )
    due: Final = Gauge(
        "zcc_poller_due_feeds",
        "Feeds that are due and not fetched yet, by their class of limits",
        ["worker", "budget"],
        multiprocess_mode="livesum",
    )
    success_age: Final = Gauge(
        "zcc_poller_last_success_age_seconds",
        "Time since a page of a feed was last fetched and acknowledged, by whichever member",
        ["worker", "feed"],
        multiprocess_mode="livemax",
    )
    records: Final = Counter(
        "zcc_poller_records_total",
        "Records published and acknowledged, by feed",
        ["worker", "feed"],
    )
    failures: Final = Counter(
        "zcc_poller_failures_total",
        "Pages that could not be fetched or published, by feed and kind",
        ["worker", "feed", "kind"],
    )
    fenced: Final = Counter(
        "zcc_poller_fenced_watermarks_total",
        "Watermarks whose writer was no longer active; another program writes them",
        ["worker"],
    )


class TableMetrics:
    """What the runtime counts for each table in memory that a worker follows."""

    records: Final = Gauge(
        "zcc_table_records",
        "Entries that the table of a topic holds",
        ["worker", "topic"],
        multiprocess_mode="livemax",
    )
    lag: Final = Gauge(
        "zcc_table_lag_records",
        "Records of the topic that the table has not taken yet",
        ["worker", "topic"],
        multiprocess_mode="livemax",
    )
    caught_up: Final = Gauge(
        "zcc_table_caught_up",
        "1 once the table has all that its topic held when reading began; 0 before, and again "
        "after the topic was recreated",
        ["worker", "topic"],
        multiprocess_mode="livemin",
    )
    reloads: Final = Counter(
        "zcc_table_reloads_total",
        "Times that the table was cleared and its topic read anew, because the topic was recreated "
        "or its log no longer held the next offset",
        ["worker", "topic"],
    )
    skipped: Final = Counter(
        "zcc_table_skipped_records_total",
        "Records of the topic that the table could not read, and skipped",
        ["worker", "topic"],
    )


stages: Final = (
    *("membership", "lag", "commit", "dead_letter"),
    *("handle", "publish", "delay"),
    *("open", "assign", "committed", "prepare", "write"),
    *("fetch", "table"),
)
"""The steps of workers that may fail: of all, those that handle, those that store, pollers, tables.
"""


process: Final = ProcessMetrics()
publisher: Final = PublisherMetrics()
worker: Final = WorkerMetrics()
poller: Final = PollerMetrics()
table: Final = TableMetrics()


def begin_worker(name: str, *, topics: Iterable[str]) -> None:
    """Create each series of a worker at 0: Prometheus sees no increase in one that starts at 1."""
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


def begin_poller(name: str, feeds: Sequence[Feed]) -> None:
    """Create each series of a poller at 0, in addition to those of `begin_worker`."""
    poller.active.labels(name)
    poller.fenced.labels(name)
    for feed in feeds:
        poller.due.labels(name, feed.budget)
        poller.success_age.labels(name, feed.name)
        poller.records.labels(name, feed.name)
        for fault in FaultKind:
            poller.failures.labels(name, feed.name, fault.value)


def begin_table(name: str, topic: str) -> None:
    """Create each series of a table that a worker follows at 0."""
    for metric in (table.records, table.lag, table.caught_up, table.reloads, table.skipped):
        metric.labels(name, topic)
