"""Metrics of reference entities: of the walk over Zoom's lists, and of changes by webhook."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import Counter, Gauge

from runtime.process.metrics_exposition import choose_value_storage

choose_value_storage()

outcomes: Final = ("whole", "resumed", "repeated", "forbidden", "refused")
"""How a walk ends: read whole, continued after a restart, or given up."""


class ReferenceMetrics:
    """What the walk and the changes count, by entity."""

    walked_at: Final = Gauge(
        "zcc_reference_walked_timestamp_seconds",
        "When all lists of an entity were last read to their end, or the start of the process",
        ["entity"],
        multiprocess_mode="livemax",
    )
    ttl: Final = Gauge(
        "zcc_reference_ttl_seconds",
        "Seconds after which the lists of an entity are read again",
        ["entity"],
        multiprocess_mode="livemax",
    )
    forbidden: Final = Gauge(
        "zcc_reference_forbidden",
        "1 while Zoom forbids or refuses to list an entity: a scope or a feature is missing",
        ["entity"],
        multiprocess_mode="livemax",
    )
    walks: Final = Counter(
        "zcc_reference_walks_total",
        "Walks over the lists of an entity, by how they ended (whole, resumed, repeated, "
        "forbidden, refused)",
        ["entity", "outcome"],
    )
    compared: Final = Counter(
        "zcc_reference_compared_total",
        "Entities compared with the reference topic, by result (news, same); news are published",
        ["entity", "result"],
    )
    deleted: Final = Counter(
        "zcc_reference_deleted_total", "Tombstones published, by entity", ["entity"]
    )
    corrected: Final = Counter(
        "zcc_reference_corrected_total",
        "States published again because an older one followed them in the topic",
    )
    unidentified: Final = Counter(
        "zcc_reference_unidentified_total",
        "Entities in Zoom's answers that had no id, and were skipped",
        ["entity"],
    )
    changes: Final = Counter(
        "zcc_reference_changes_total",
        "Entities that webhooks named, by outcome (published, same, forbidden, foreign)",
        ["entity", "outcome"],
    )


metrics: Final = ReferenceMetrics()
change_outcomes: Final = ("published", "same", "forbidden", "foreign")


def begin_walks(entities: Iterable[str]) -> None:
    """Create each series of the walk at 0: Prometheus sees no increase in one that starts at 1."""
    for entity in entities:
        metrics.forbidden.labels(entity)
        metrics.deleted.labels(entity)
        metrics.unidentified.labels(entity)
        for outcome in outcomes:
            metrics.walks.labels(entity, outcome)
        for result in ("news", "same"):
            metrics.compared.labels(entity, result)


def begin_changes(entities: Iterable[str]) -> None:
    """Create each series of the changes at 0."""
    for entity in entities:
        metrics.deleted.labels(entity)
        metrics.unidentified.labels(entity)
        for outcome in change_outcomes:
            metrics.changes.labels(entity, outcome)
