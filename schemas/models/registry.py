"""Which model an event has."""

from functools import cache
from importlib import import_module
from typing import cast

from schemas.catalogue import events

from .event import Event, EventObject


@cache
def model_for(event: str) -> type[Event[EventObject]]:
    """Return the model of an event by its full name; `Event` itself where we do not know it."""
    kind = events.get(event)
    if kind is None:
        return Event[EventObject]
    module = import_module(f".{kind.family}", __package__)
    return cast("type[Event[EventObject]]", getattr(module, kind.class_name))
