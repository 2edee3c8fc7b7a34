"""Metrics of `zcc monitor`."""

from typing import Final

from prometheus_client import Counter, Gauge

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class MonitorMetrics:
    """Metrics of topics and consumer groups, measured at the brokers."""

    last_measurement: Final = Gauge(
        "zcc_monitor_last_measurement_timestamp_seconds",
        "When the brokers last answered all requests; 0 = not yet",
        multiprocess_mode="livemax",
    )
    failures: Final = Counter(
        "zcc_monitor_failures_total",
        "Failed measurements, by kind (transient: no answer in time; configuration: refused, or a "
        "topic is missing). The other metrics then keep their values",
        ["kind"],
    )
    recreated_topics: Final = Counter(
        "zcc_monitor_recreated_topics_total",
        "Times that a topic was deleted and created again: same name, new id",
        ["topic"],
    )
    members: Final = Gauge(
        "zcc_monitor_group_members",
        "Members of the consumer group",
        ["group"],
        multiprocess_mode="livemax",
    )
    lag_records: Final = Gauge(
        "zcc_monitor_group_lag_records",
        "Lag of the group in records",
        ["group", "topic"],
        multiprocess_mode="livemax",
    )
    lag_seconds: Final = Gauge(
        "zcc_monitor_group_lag_seconds",
        "Age of the oldest record that the group has not done, in a retry topic since it was "
        "due; 0 = none from before the last measurement",
        ["group", "topic"],
        multiprocess_mode="livemax",
    )
    expired_records: Final = Gauge(
        "zcc_monitor_group_expired_records",
        "Records behind the group's commits that retention has deleted; 0 again once the group has "
        "passed them",
        ["group", "topic"],
        multiprocess_mode="livemax",
    )
    retention_seconds: Final = Gauge(
        "zcc_monitor_topic_retention_seconds",
        "How long a topic that a group reads keeps its records, by the settings",
        ["topic"],
        multiprocess_mode="livemax",
    )
    failed_records: Final = Gauge(
        "zcc_monitor_failed_records",
        "Records in a dead-letter topic or the quarantine",
        ["topic"],
        multiprocess_mode="livemax",
    )
    failed_oldest_seconds: Final = Gauge(
        "zcc_monitor_failed_oldest_seconds",
        "Age of the oldest record in a dead-letter topic or the quarantine; 0 = none",
        ["topic"],
        multiprocess_mode="livemax",
    )
    failed_end_offsets: Final = Gauge(
        "zcc_monitor_failed_end_offsets",
        "End offsets of a dead-letter topic or the quarantine, summed over its partitions; it "
        "grows with each record and never falls",
        ["topic"],
        multiprocess_mode="livemax",
    )


metrics: Final = MonitorMetrics()
