"""Describes enrichment: raw events in, the same events with names out."""

from collections.abc import Sequence
from typing import Final

from processors.enrichment.settings import EnrichmentSettings
from processors.entities.fields import named_kinds
from processors.entities.kinds import kinds
from runtime.component import Component, Deployment
from schemas.topics import enriched_topics, raw_topics, reference_topic
from zoom.settings import ZoomSettings


def _writes(*, prefix: str) -> Sequence[str]:
    return (*enriched_topics(prefix=prefix), reference_topic(prefix=prefix))


component: Final = Component(
    name="enrichment",
    kind="processor",
    reads=raw_topics,
    writes=_writes,
    # Soon, when a lookup that missed its deadline has its answer; then after a short outage.
    retry_delays_s=(10, 60),
    settings=(EnrichmentSettings, ZoomSettings),
    zoom_operations=tuple(
        operation for each in named_kinds if (operation := kinds[each].get_operation)
    ),
    metrics=(
        "processors.enrichment.metrics:metrics",
        "processors.enrichment.metrics:drift",
        "zoom.metrics:metrics",
    ),
    run="processors.enrichment.service:run",
    deployment=Deployment(needs_secret=True),
)
