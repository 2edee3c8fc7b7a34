"""Metrics of the runtime: worker, producer, process. Each package has a ``metrics`` module like it.

Names: ``zcc_<package>_<noun>_<unit>``. Label values come from closed sets. Count per batch where
there are batches. A counter of lost records counts what is lost for good, nothing else.

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
        "When the process started, by the part of the product that it runs; of several processes "
        "that share their metrics, the oldest",
        ["part"],
        multiprocess_mode="livemin",
    )


class PublisherMetrics:
    """What every process counts of the records that it produces."""

    refused: Final = Counter(
        "zcc_publisher_refused_records_total",
        "Records that a topic does not take, by the setting of the topic that they pass "
        "(`other`: the broker does not say which)",
        ["limit"],
    )
    replaced: Final = Counter(
        "zcc_publisher_replaced_total",
        "Producers that were replaced because brokers did not acknowledge",
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


class PollerMetrics:
    """What the runtime counts for each poller, in addition to the figures of each worker.

    The active member alone has figures; a standby's gauges are 0.
    """

    active: Final = Gauge(
        "zcc_poller_active",
        "1 while this process is the member that fetches; 0 = it stands by",
        ["worker"],
        multiprocess_mode="livesum",
    )
    due: Final = Gauge(
        "zcc_poller_due_feeds",
        "Feeds that are due and not fetched yet, by the class of the limits that they use up",
        ["worker", "budget"],
        multiprocess_mode="livesum",
    )
    success_age: Final = Gauge(
        "zcc_poller_last_success_age_seconds",
        "Since when no page of a feed was fetched and acknowledged, across changes of the member",
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
        "Pages that were not fetched or not taken by a topic, by feed and kind",
        ["worker", "feed", "kind"],
    )
    fenced: Final = Counter(
        "zcc_poller_fenced_watermarks_total",
        "Watermarks found whose writer had been succeeded before; another program writes them",
        ["worker"],
    )


stages: Final = (
    *("membership", "lag", "commit", "dead_letter"),
    *("handle", "publish", "delay"),
    *("open", "assign", "committed", "prepare", "write"),
    "fetch",
)
"""The steps of workers that may fail: of all, those that handle, those that store, pollers."""


process: Final = ProcessMetrics()
publisher: Final = PublisherMetrics()
worker: Final = WorkerMetrics()
poller: Final = PollerMetrics()


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
