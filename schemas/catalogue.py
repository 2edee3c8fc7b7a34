"""The known events, their families, and their members for entity and time.

Read once from ``events.json`` next to this module. Source: Zoom Contact Center webhooks, OpenAPI
3.1 (124 events); the families are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, cast

import orjson

unknown_family: Final = "unknown"
"""The family of an event with an unknown name; its topic is ``zcc.unknown.v1``."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event.

    ``key`` lists paths below ``payload.object``; the first present one names the entity whose
    events stay in order. ``occurred_at`` is the member of ``payload.object`` with the time of
    occurrence, or None where only ``event_ts`` has it. ``natural_key`` identifies an event of this
    name without its full payload; `schemas.natural_key` reads it.
    """

    name: str
    family: str
    key: tuple[str, ...]
    occurred_at: str | None
    natural_key: tuple[str, ...]

    @property
    def short_name(self) -> str:
        """The name without ``contact_center.``."""
        return self.name.partition(".")[2]

    @property
    def class_name(self) -> str:
        """The name of its model in `schemas.models`."""
        return "".join(word.capitalize() for word in self.short_name.split("_"))


def _load_events() -> Mapping[str, EventType]:
    table = orjson.loads(files(__package__).joinpath("events.json").read_bytes())
    return MappingProxyType(
        {
            name: EventType(
                name,
                row["family"],
                tuple(row["key"]),
                row["occurred_at"],
                tuple(row["natural_key"]),
            )
            for name, row in table.items()
        }
    )


events: Final[Mapping[str, EventType]] = _load_events()
"""All known events by full name, in family order."""

families: Final[tuple[str, ...]] = tuple(dict.fromkeys(e.family for e in events.values()))
"""The 15 families, without `unknown_family`."""

engagement_keyed_families: Final[frozenset[str]] = frozenset(
    e.family for e in events.values() if e.key == ("engagement_id",)
)
"""Their topics share one partition count: an engagement has one partition number in all."""


@cache
def json_schema(event: str) -> Mapping[str, object]:
    """Return the JSON Schema of a known event.

    Raises:
        KeyError: the event is not in `events`.
    """
    kind = events[event]
    path = files(__package__) / "webhooks" / kind.family / f"{kind.short_name}.schema.json"
    return cast("Mapping[str, object]", orjson.loads(path.read_bytes()))


def example(event: str) -> bytes:
    """Return an invented body of a known event with every possible member.

    Raises:
        KeyError: the event is not in `events`.
    """
    kind = events[event]
    return (files(__package__) / "examples" / kind.family / f"{kind.short_name}.json").read_bytes()
