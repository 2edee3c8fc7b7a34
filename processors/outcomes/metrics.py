"""Metrics of outcomes."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class OutcomeMetrics:
    """The metrics of outcomes."""

    snapshots: Final = Counter(
        "zcc_outcomes_snapshots_total",
        "Outcomes published, by status (complete, partial, unavailable)",
        ["status"],
    )
    revisions: Final = Counter(
        "zcc_outcomes_revisions_total", "Revisions of events that ended an engagement"
    )
    lookups: Final = Counter(
        "zcc_outcomes_lookups_total",
        "Questions to Zoom, by part and outcome (found, waits, not_ready, absent, unavailable, "
        "forbidden); waits: the attempt is repeated in place",
        ["part", "outcome"],
    )
    deferred: Final = Counter(
        "zcc_outcomes_deferred_total", "Attempts that another one follows, after a delay"
    )
    skipped: Final = Counter(
        "zcc_outcomes_skipped_total",
        "Ends of engagements that nobody is asked about, by reason (account, unreadable)",
        ["reason"],
    )
    delay: Final = Histogram(
        "zcc_outcomes_delay_seconds",
        "From the end of an engagement to its first snapshot with details",
        buckets=(5, 10, 15, 20, 30, 45, 60, 90, 120, 300, 900, 3600),
    )
    asking: Final = Gauge(
        "zcc_outcomes_asking_engagements",
        "Engagements that wait for Zoom's answers now",
        multiprocess_mode="livesum",
    )
    dataset_waiting: Final = Gauge(
        "zcc_outcomes_dataset_waiting_engagements",
        "Engagements that wait for the next question about version 2's dataset",
        multiprocess_mode="livesum",
    )
    remembered: Final = Gauge(
        "zcc_outcomes_remembered_bytes",
        "Memory of the progress of engagements",
        multiprocess_mode="livesum",
    )
    forgotten: Final = Counter(
        "zcc_outcomes_forgotten_total",
        "Engagements whose progress left the memory; they are asked again",
    )


metrics: Final = OutcomeMetrics()
