"""Metrics of the Postgres sink."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.process.metrics_exposition import choose_value_storage, latency_buckets_s

choose_value_storage()


class PostgresMetrics:
    """The metrics of the Postgres sink."""

    rows: Final = Counter("zcc_postgres_rows_total", "Rows written, by table", ["table"])
    repeats: Final = Counter(
        "zcc_postgres_repeats_total", "Events received again; their rows stay as they are"
    )
    sanitised: Final = Counter(
        "zcc_postgres_sanitised_total",
        "Events stored with replacements for characters that Postgres cannot store",
    )
    visible: Final = Histogram(
        "zcc_postgres_visible_seconds",
        "Time from the acceptance of the oldest event of a batch to its committed row",
        buckets=latency_buckets_s,
    )
    recreated: Final = Counter(
        "zcc_postgres_recreated_partitions_total",
        "Partitions of a recreated topic, read from the start of the new log, by topic",
        ["topic"],
    )
    left_out: Final = Counter(
        "zcc_postgres_left_out_total",
        "Values that only the raw event has, because an id is too long for the model, by what is "
        "missing (engagement: all values about the engagement; id: one of the other ids of an "
        "event; row: a row whose ids together are too long)",
        ["what"],
    )
    default_partition_rows: Final = Gauge(
        "zcc_postgres_default_partition_rows",
        "Rows in the default partition, by table; counted up to 10,000, every 5 minutes, by "
        "each sink: take the max, not the sum",
        ["table"],
        multiprocess_mode="livemax",
    )


metrics: Final = PostgresMetrics()
