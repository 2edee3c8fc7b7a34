"""Pure: the users and queues that an event names, with their ids.

Members are found by name at any depth below ``payload.object``, so that a new event, or a new list
in an old one, needs no change here. A queue has two ids of different value; the deprecated one
counts only where the other is missing in the same object. Source: Zoom Contact Center webhooks,
OpenAPI 3.1 (all members that hold ids of users or queues).
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.envelope import JsonObject
from zoom.entities import Queue, User


class Entity(StrEnum):
    """The kind of an entity; a closed set for labels and for the contract of the enrichment."""

    USER = "user"
    QUEUE = "queue"


class EntityReference(NamedTuple):
    """One entity that an event names."""

    entity: Entity
    id: str


members: Final[Mapping[str, Entity]] = {
    "user_id": Entity.USER,
    "user_ids": Entity.USER,
    "assigned_user_id": Entity.USER,
    "monitoring_user_id": Entity.USER,
    "takeover_user_id": Entity.USER,
    "transfer_to_user_id": Entity.USER,
    "previous_user_id": Entity.USER,
    "participant_user_id": Entity.USER,
    "modified_by": Entity.USER,
    "cc_queue_id": Entity.QUEUE,
    "queue_id": Entity.QUEUE,
    "transfer_to_cc_queue_id": Entity.QUEUE,
    "transfer_to_queue_id": Entity.QUEUE,
    "overflow_to_cc_queue_id": Entity.QUEUE,
    "overflow_to_queue_id": Entity.QUEUE,
    "participant_queue_id": Entity.QUEUE,
}
"""Member to the kind of entity that its text, or the texts in its array, name."""

preferred: Final[Mapping[str, str]] = {
    "queue_id": "cc_queue_id",
    "transfer_to_queue_id": "transfer_to_cc_queue_id",
    "overflow_to_queue_id": "overflow_to_cc_queue_id",
}
"""Deprecated member to its replacement for the same queue."""


_owners: Final[Mapping[str, Entity]] = {entity.value: entity for entity in Entity}


def references(entity: JsonObject) -> tuple[EntityReference, ...]:
    """Return the entities that an event's object names, each once, in order of appearance."""
    return tuple(dict.fromkeys(_named(entity)))


def user_ids(user: User) -> Iterator[str]:
    """Yield the ids under which events name a user; some events write them in lower case."""
    yield user.user_id
    yield user.user_id.lower()


def queue_ids(queue: Queue) -> Iterator[str]:
    """Yield both ids of a queue."""
    yield from filter(None, (queue.cc_queue_id, queue.queue_id))


def _named(node: object) -> Iterator[EntityReference]:
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, dict):
        yield from _owner(node)
        for name, value in node.items():
            kind = members.get(name)
            if kind is None:
                yield from _named(value)
            elif not _text(node.get(preferred.get(name, ""))):
                yield from (EntityReference(kind, id_) for id_ in _ids(value))


def _owner(node: JsonObject) -> Iterator[EntityReference]:
    """Yield the owner of a recording: a second member says whether it is a user or a queue."""
    kind, owner = node.get("owner_type"), _text(node.get("owner_id"))
    if owner and isinstance(kind, str) and kind in _owners:
        yield EntityReference(_owners[kind], owner)


def _ids(value: object) -> Iterator[str]:
    for item in value if isinstance(value, list) else (value,):
        if id_ := _text(item):
            yield id_


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
