"""Metrics of enrichment, and of drift from the contract."""

from typing import Final

from prometheus_client import Counter

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class EnrichmentMetrics:
    """The metrics of enrichment."""

    events: Final = Counter("zcc_enrichment_events_total", "Events enriched, by status", ["status"])
    corrections: Final = Counter(
        "zcc_enrichment_corrections_total",
        "Events published again with names that were missing at first",
    )
    lookups: Final = Counter(
        "zcc_enrichment_lookups_total",
        "Lookups, by entity and outcome (hit, miss, absent, unknown)",
        ["entity", "outcome"],
    )


class SchemaMetrics:
    """The metrics of departures from Zoom's contract."""

    drift: Final = Counter(
        "zcc_schema_drift_total",
        "Departures from the contract in the events that were measured, by event and kind "
        "(unknown_field, unknown_enum_value, wrong_type, missing_required, unknown_event): the "
        "first 100 of a kind, then about 1 in 16; none is refused",
        ["event", "kind"],
    )


metrics: Final = EnrichmentMetrics()
drift: Final = SchemaMetrics()
