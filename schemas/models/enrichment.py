"""The member ``enrichment`` of an event on an enriched topic."""

from collections.abc import Mapping
from typing import Literal

from .base import Model, Moment, Open


class EnrichedUser(Model):
    """A user under an id that the event names."""

    user_id: str
    display_name: str


class EnrichedQueue(Model):
    """A queue under an id that the event names, which may be the deprecated one."""

    cc_queue_id: str
    queue_name: str


class MissingName(Model):
    """What could not be looked up. ``absent`` is final, the others a later revision may know."""

    entity: Open[Literal["user", "queue"]]
    id: str
    reason: Open[Literal["absent", "deadline", "unavailable", "forbidden"]]


class Enrichment(Model):
    """Names of the users and queues that an event names, by the ids it has for them.

    ``partial``: something may be known later, and would come in a record of a higher revision.
    """

    status: Open[Literal["complete", "partial"]]
    revision: int
    users: Mapping[str, EnrichedUser]
    queues: Mapping[str, EnrichedQueue]
    missing: tuple[MissingName, ...]
    enriched_at: Moment
