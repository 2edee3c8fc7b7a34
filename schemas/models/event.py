"""The envelope that all events share."""

from typing import Generic, TypeVar

from .base import Model
from .enrichment import Enrichment


class EventObject(Model):
    """``payload.object`` of an event; of an event that we do not know, all members unknown."""


ObjectT_co = TypeVar("ObjectT_co", bound=EventObject, covariant=True)


class Payload(Model, Generic[ObjectT_co]):
    """The account of the event, and its object."""

    account_id: str
    object: ObjectT_co


class Event(Model, Generic[ObjectT_co]):
    """One event, from a raw topic or an enriched one.

    ``event_ts`` is epoch milliseconds. ``enrichment`` is None on raw topics.
    """

    event: str
    event_ts: int
    payload: Payload[ObjectT_co]
    enrichment: Enrichment | None = None
