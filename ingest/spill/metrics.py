"""Metrics of the spill."""

from typing import Final

from prometheus_client import Counter, Gauge

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class SpillMetrics:
    """The metrics of events that the broker did not accept in time.

    The gauges count the segments of this process; other processes report theirs.
    """

    stored: Final = Counter("zcc_spill_stored_events_total", "Events stored in the spill")
    drained: Final = Counter(
        "zcc_spill_drained_events_total", "Events from the spill acknowledged by the broker"
    )
    failed: Final = Counter(
        "zcc_spill_failed_events_total",
        "Events that the spill did not store, answered 503, by reason (full, late, store)",
        ["reason"],
    )
    moved_to_refused: Final = Counter(
        "zcc_spill_quarantined_total",
        "Records in the spill that need a person, by reason (refused: events that the broker will "
        "never accept; unreadable: segments, once after each start)",
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
        "Segments in the spill to be produced",
        multiprocess_mode="livesum",
    )
    oldest: Final = Gauge(
        "zcc_spill_oldest_seconds",
        "Age of the oldest waiting segment, those of other processes included; 0 = none waits",
        multiprocess_mode="livemax",
    )


metrics: Final = SpillMetrics()
