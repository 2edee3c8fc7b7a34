"""Metrics of the REST client."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.process.metrics_exposition import choose_value_storage, latency_buckets_s

choose_value_storage()


class ZoomMetrics:
    """The metrics of the REST client."""

    requests: Final = Counter(
        "zcc_zoom_requests_total",
        "REST requests, by operation and outcome",
        ["operation", "outcome"],
    )
    latency: Final = Histogram(
        "zcc_zoom_request_seconds", "REST latency", ["operation"], buckets=latency_buckets_s
    )
    budget_wait: Final = Counter(
        "zcc_zoom_budget_wait_seconds_total",
        "Seconds that calls waited for the account's budget",
        ["label"],
    )
    budget_limit: Final = Gauge(
        "zcc_zoom_budget_limit",
        "Calls that may be made, by label and window (second: of this process; day: of all "
        "members together)",
        ["label", "window"],
        multiprocess_mode="livesum",
    )
    budget_used: Final = Counter(
        "zcc_zoom_budget_used_total",
        "Calls that the budget admitted, by label and priority",
        ["label", "priority"],
    )
    budget_waiting: Final = Gauge(
        "zcc_zoom_budget_waiting",
        "Calls that wait for the budget, by label and priority",
        ["label", "priority"],
        multiprocess_mode="livesum",
    )
    budget_refused: Final = Counter(
        "zcc_zoom_budget_refused_total",
        "Calls not sent because the budget would not admit them in time, by label and reason "
        "(second, day: that limit is used up; paused: Zoom has asked for it; no_share: the group "
        "is rebalancing)",
        ["label", "reason"],
    )
    budget_members: Final = Gauge(
        "zcc_zoom_budget_members",
        "Members that share the budget, this one included; 0 during a rebalance",
        multiprocess_mode="livemax",
    )
    budget_corrections: Final = Counter(
        "zcc_zoom_budget_corrections_total",
        "Times that Zoom's answers corrected the budget, by label and kind (limit: its limit "
        "differs; second, day: that limit is used up)",
        ["label", "kind"],
    )
    downloads: Final = Counter(
        "zcc_zoom_downloads_total",
        "Downloads of recordings and transcripts, by outcome (fetched, or why not)",
        ["outcome"],
    )
    downloaded: Final = Counter(
        "zcc_zoom_download_bytes_total",
        "Bytes received by downloads, failed ones included",
    )


metrics: Final = ZoomMetrics()
