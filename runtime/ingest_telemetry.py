"""What ingest counts, its spill included; `runtime.telemetry` lists it among all other metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from runtime.process.metrics_exposition import latency_buckets_s, place_values

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
