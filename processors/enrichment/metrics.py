"""Metrics of enrichment, and of drift from the contract."""

from typing import Final

from prometheus_client import Counter, Histogram

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()


class EnrichmentMetrics:
    """The metrics of enrichment."""

    events: Final = Counter(
        "zcc_enrichment_events_total",
        "Events enriched, by status of their first revision (complete, partial, skipped)",
        ["status"],
    )
    corrections: Final = Counter(
        "zcc_enrichment_corrections_total",
        "Events published again with names that were missing at first",
    )
    partial: Final = Counter(
        "zcc_enrichment_partial_total",
        "Reasons for which first revisions are partial (deadline, unavailable, forbidden); an "
        "event counts once for each of its reasons",
        ["reason"],
    )
    names: Final = Counter(
        "zcc_enrichment_names_total",
        "Ids in events, by the tier that answers: table, memory (of earlier lookups), or lookup",
        ["tier"],
    )
    lookups: Final = Counter(
        "zcc_enrichment_lookups_total",
        "Ids in events that needed a lookup, by entity and outcome (found, absent, deadline, "
        "unavailable, forbidden)",
        ["entity", "outcome"],
    )
    wait: Final = Histogram(
        "zcc_enrichment_wait_seconds",
        "Time that an event waited for lookups; events that did not wait are left out",
        buckets=(0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
    )
    answers_given_up: Final = Counter(
        "zcc_enrichment_answers_given_up_total",
        "Answers of lookups that could not be published to the reference topic; the walk finds "
        "the same entities",
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
