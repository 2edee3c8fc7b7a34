"""Metrics of the REST client.

Those of the budget are by account, because each account has a budget of its own: ``account`` is the
id of an account of ``ZCC_ZOOM_ACCOUNTS_FILE``, which holds a bounded number of them; it is empty
where variables set one account. An id that only an event names is in no label. Requests are not by
account, because operations, outcomes and accounts would multiply to too many series; the log names
the account of a failure.
"""

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
        ["label", "account"],
    )
    budget_limit: Final = Gauge(
        "zcc_zoom_budget_limit",
        "Calls that may be made, by label and window (second: of this process; day: of all "
        "members together)",
        ["label", "window", "account"],
        multiprocess_mode="livesum",
    )
    budget_used: Final = Counter(
        "zcc_zoom_budget_used_total",
        "Calls that the budget admitted, by label and priority",
        ["label", "priority", "account"],
    )
    budget_waiting: Final = Gauge(
        "zcc_zoom_budget_waiting",
        "Calls that wait for the budget, by label and priority",
        ["label", "priority", "account"],
        multiprocess_mode="livesum",
    )
    budget_refused: Final = Counter(
        "zcc_zoom_budget_refused_total",
        "Calls not sent because the budget would not admit them in time, by label and reason "
        "(second, day: that limit is used up; paused: Zoom has asked for it; no_share: the group "
        "is rebalancing)",
        ["label", "reason", "account"],
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
        ["label", "kind", "account"],
    )
    accounts: Final = Gauge(
        "zcc_zoom_accounts",
        "Accounts with credentials",
        multiprocess_mode="livemax",
    )
    account_reloads: Final = Counter(
        "zcc_zoom_account_reloads_total",
        "Readings of the file of accounts that were taken, or were not because it is unreadable or "
        "wrong; the latter are counted until it is corrected",
        ["outcome"],
    )
    unknown_accounts: Final = Counter(
        "zcc_zoom_unknown_accounts_total",
        "Times that the API of an account without credentials was wanted",
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

_by_account: Final = (
    ZoomMetrics.budget_wait,
    ZoomMetrics.budget_limit,
    ZoomMetrics.budget_used,
    ZoomMetrics.budget_waiting,
    ZoomMetrics.budget_refused,
    ZoomMetrics.budget_corrections,
)


def remove_account_series(account: str) -> None:
    """Remove all series of an account that has no credentials any more."""
    for metric in _by_account:
        metric.remove_by_labels({"account": account})
