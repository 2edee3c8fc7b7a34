"""Describes enrichment: raw events in, the same events with names out."""

from typing import Final

from processors.enrichment.settings import EnrichmentSettings
from runtime.component import Component, Deployment
from schemas.topics import enriched_topics, raw_topics
from zoom.settings import ZoomSettings

component: Final = Component(
    name="enrichment",
    kind="processor",
    reads=raw_topics,
    writes=enriched_topics,
    # A lookup that missed its deadline has its answer by then.
    retry_delays_s=(30,),
    settings=(EnrichmentSettings, ZoomSettings),
    zoom_operations=("get_user", "get_queue", "list_users", "list_queues"),
    metrics=(
        "processors.enrichment.metrics:metrics",
        "processors.enrichment.metrics:drift",
        "zoom.metrics:metrics",
    ),
    run="processors.enrichment.service:run",
    deployment=Deployment(needs_secret=True),
)
