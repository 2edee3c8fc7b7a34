"""Describes the changes of reference entities: what webhooks announce in, states out.

It is a component of its own, next to the walk: a poller has no input topics, a handler commits the
offset of each event, and the two must not wait for each other.
"""

from typing import Final

from processors.entities.kinds import kinds
from processors.reference.changes.announced import changing_entities
from processors.reference.settings import ReferenceSettings
from runtime.component import Component, Deployment
from schemas.topics import raw_topic, reference_topic
from zoom.settings import ZoomSettings

_families: Final = ("user", "queue", "operating_hours", "team", "asset")
"""Those of the events in `processors.reference.changes.announced`."""


def _reads(*, prefix: str) -> tuple[str, ...]:
    return tuple(raw_topic(family, prefix=prefix) for family in _families)


def _writes(*, prefix: str) -> tuple[str, ...]:
    return (reference_topic(prefix=prefix),)


component: Final = Component(
    name="reference-changes",
    kind="processor",
    reads=_reads,
    writes=_writes,
    settings=(ReferenceSettings, ZoomSettings),
    zoom_operations=tuple(
        filter(None, (kinds[entity].get_operation for entity in changing_entities))
    ),
    metrics=("processors.reference.metrics:metrics", "zoom.metrics:metrics"),
    run="processors.reference.changes.service:run",
    deployment=Deployment(needs_secret=True),
)
