"""Describes the walk over Zoom's lists: the account's entities out."""

from typing import Final

from processors.entities.kind import ListDivision
from processors.entities.kinds import kinds
from processors.reference.settings import ReferenceSettings
from runtime.component import Component, Deployment
from schemas.topics import reference_topic
from zoom.settings import ZoomSettings


def _writes(*, prefix: str) -> tuple[str, ...]:
    return (reference_topic(prefix=prefix),)


def _operations() -> tuple[str, ...]:
    names: dict[str, None] = {}
    for kind in kinds.values():
        names |= dict.fromkeys(filter(None, (kind.list_operation, kind.get_operation)))
        division: ListDivision | None = kind.division
        while division is not None:
            names |= dict.fromkeys(filter(None, (division.operation,)))
            division = division.division
    return tuple(names)


component: Final = Component(
    name="reference",
    kind="processor",
    polls=True,
    writes=_writes,
    settings=(ReferenceSettings, ZoomSettings),
    zoom_operations=_operations(),
    metrics=("processors.reference.metrics:metrics", "zoom.metrics:metrics"),
    run="processors.reference.service:run",
    deployment=Deployment(needs_secret=True),
)
