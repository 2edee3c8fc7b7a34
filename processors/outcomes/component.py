"""Describes outcomes: ends of engagements in, what came of them out."""

from collections.abc import Sequence
from typing import Final

from processors.entities.settings import EventFieldSettings
from processors.outcomes.settings import OutcomeSettings
from runtime.component import Component, Deployment
from schemas.topics import enriched_topic, outcome_topic, raw_topic
from zoom.settings import ZoomSettings


def _reads(*, prefix: str) -> Sequence[str]:
    return (raw_topic("engagement", prefix=prefix),)


def _writes(*, prefix: str) -> Sequence[str]:
    return (outcome_topic(prefix=prefix), enriched_topic("engagement", prefix=prefix))


component: Final = Component(
    name="outcomes",
    kind="processor",
    reads=_reads,
    writes=_writes,
    # 10, 25, 45 and 70 s after the event: Zoom finishes an engagement within a minute.
    retry_delays_s=(10, 15, 20, 25),
    settings=(OutcomeSettings, EventFieldSettings, ZoomSettings),
    zoom_operations=(
        "get_engagement",
        "list_engagement_dataset",
        "list_engagement_events",
        "list_engagement_notes",
        "get_engagement_survey",
        "list_engagement_recordings",
    ),
    metrics=("processors.outcomes.metrics:metrics", "zoom.metrics:metrics"),
    run="processors.outcomes.service:run",
    deployment=Deployment(needs_secret=True),
)
