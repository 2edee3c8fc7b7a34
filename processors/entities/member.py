"""Pure: the member ``enrichment`` of an enriched event, and how it gets into the body.

    "enrichment": {
      "status": "complete",        or "partial": a later revision may know more; or "skipped"
      "revision": 1,               number of the attempt; each revision has all that was known then
      "enriched_at": "2026-01-01T00:00:00.000Z",
      "entities": {"user": {"<id in the event>": {"user_id": "…", "display_name": "…"}}},
      "missing": [{"entity": "queue", "id": "…", "reason": "deadline"}],
      "users": {"<id in the event>": {"user_id": "…", "display_name": "…"}},        deprecated
      "queues": {"<id in the event>": {"cc_queue_id": "…", "queue_name": "…"}}      deprecated
    }

Ids are written as the event has them; those among the fields are the API's present ones, which
differ in case, or where the event has only the deprecated id of a queue. What does not exist
(``absent``) is missing too, but leaves the status complete: a retry would not help. An event that
names nothing is complete; one that nobody looked at is skipped.

The JSON of each entity is made once per state (`fields.EventFields`), and joined here as bytes. The
body is not written again: the member goes in before the last brace, every other byte stays. Zoom's
events have no member of this name; should one come, ours is the last, which is the one that JSON
parsers keep, and Zoom's remains in the raw topic.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, cast

import orjson

from processors.entities.fields import Fragment
from processors.entities.references import Entity, EntityReference


class Missing(StrEnum):
    """Why an entity is missing; a public contract."""

    ABSENT = "absent"
    """Zoom knows no such entity."""
    DEADLINE = "deadline"
    """No answer in time."""
    UNAVAILABLE = "unavailable"
    """The API fails, or its budget is spent."""
    FORBIDDEN = "forbidden"
    """The app may not read it."""


Answer = Fragment | Missing
Answers = Mapping[EntityReference, Answer]

_user: Final = Entity.USER
_absent: Final = Missing.ABSENT
"""A member of an enumeration is slow to read from its class."""

may_pass: Final = frozenset({Missing.DEADLINE, Missing.UNAVAILABLE})
"""The reasons for which an answer may arrive soon, without an operator."""


def missing_reasons(answers: Answers) -> tuple[Missing, ...]:
    """Return why the event is partial, each reason once; none where it is complete."""
    reasons: dict[Missing, None] = {}
    for answer in answers.values():
        if type(answer) is Missing and answer is not _absent:
            reasons[answer] = None
    return tuple(reasons)


def enrichment(
    answers: Answers, *, revision: int, enriched_at: str, outcome: bytes | None = None
) -> bytes:
    """Return the value of the member as JSON.

    Args:
        answers: what is known of each entity that the event names.
        revision: 1 or more.
        enriched_at: RFC 3339.
        outcome: JSON of how the engagement went, for the member of this name.
    """
    kinds: dict[Entity, list[bytes]] = {}
    users: list[bytes] = []
    queues: list[bytes] = []
    missing: list[bytes] = []
    status = b"complete"
    for (entity, id_), answer in answers.items():
        id_json = orjson.dumps(id_)
        if type(answer) is Fragment:
            fields, deprecated = answer
            kind = kinds.get(entity)
            if kind is None:
                kinds[entity] = [_opening[entity], id_json, b":", fields]
            else:
                kind += (b",", id_json, b":", fields)
            if deprecated:
                both = users if entity is _user else queues
                both += (b",", id_json, b":", deprecated)
        else:
            missing += (b",", _missing[entity, cast("Missing", answer)] % id_json)
            if answer is not _absent:
                status = b"partial"
    parts = [_head(status, revision, enriched_at)]
    for number, kind in enumerate(kinds.values()):
        if number:
            parts.append(b",")
        parts += kind
        parts.append(b"}")
    parts += (b'},"missing":[', *missing[1:], b'],"users":{', *users[1:])
    parts += (b'},"queues":{', *queues[1:], b"}")
    if outcome is not None:
        parts += (b',"outcome":', outcome)
    parts.append(b"}")
    return b"".join(parts)


def skipped(*, revision: int, enriched_at: str) -> bytes:
    """Return the value of the member of an event for which nobody may be asked."""
    nothing = b'},"missing":[],"users":{},"queues":{}}'
    return _head(b"skipped", revision, enriched_at) + nothing


def with_member_appended(body: bytes, member: bytes) -> bytes:
    """Return the body, a JSON object with at least one member, with ``enrichment`` added."""
    end = body.rindex(b"}")
    return b"".join((body[:end], b',"enrichment":', member, body[end:]))


def _head(status: bytes, revision: int, enriched_at: str) -> bytes:
    return b'{"status":"%b","revision":%d,"enriched_at":%b,"entities":{' % (
        status,
        revision,
        orjson.dumps(enriched_at),
    )


_opening: Final = {entity: b'"%b":{' % entity.encode() for entity in Entity}
_missing: Final = {
    (entity, reason): b'{"entity":"%b","id":%%b,"reason":"%b"}' % (entity.encode(), reason.encode())
    for entity in Entity
    for reason in Missing
}
