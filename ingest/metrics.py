"""Metrics of ingest."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.process.metrics_exposition import choose_value_storage, latency_buckets_s

choose_value_storage()


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
        "Requests with a valid signature, by app and index of the secret in its list",
        ["app", "secret"],
    )
    accepted: Final = Counter(
        "zcc_ingest_accepted_total", "Events acknowledged by the broker, by family", ["family"]
    )
    quarantined: Final = Counter(
        "zcc_ingest_quarantined_total",
        "Signed bodies that cannot be read as an event, by reason",
        ["reason"],
    )
    unavailable: Final = Counter(
        "zcc_ingest_unavailable_total",
        "Requests answered 503, for Zoom to retry, by reason",
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
        "counted until it is corrected)",
        ["outcome"],
    )
    replays: Final = Counter(
        "zcc_ingest_replays_total",
        "Requests answered 204 without a record, because their signature was accepted before, "
        "by app",
        ["app"],
    )
    remembered: Final = Gauge(
        "zcc_ingest_remembered_signatures",
        "Signatures of accepted requests, remembered to recognise replays",
        multiprocess_mode="livesum",
    )
    connections: Final = Gauge(
        "zcc_ingest_connections", "Open connections", multiprocess_mode="livesum"
    )
    unfinished: Final = Gauge(
        "zcc_ingest_unfinished_requests",
        "Requests received in part, so that their sender is unknown",
        multiprocess_mode="livesum",
    )
    crowded_out: Final = Counter(
        "zcc_ingest_crowded_out_total",
        "Connections closed to make room for others, by their state (silent: no byte received; "
        "idle: between requests; unfinished: within a request; newcomer: no other could be closed)",
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
        "Processes that ended unexpectedly and were restarted, with ZCC_INGEST_WORKERS over 1",
    )


metrics: Final = IngestMetrics()
