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
from typing import Final, Literal

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
Status = Literal["complete", "partial"]

_soon: Final = frozenset({Missing.DEADLINE, Missing.UNAVAILABLE})
_nothing_known: Final = b'"entities":{},"missing":[],"users":{},"queues":{}'


def missing_reasons(answers: Answers) -> tuple[Missing, ...]:
    """Return why the event is partial, each reason once; none where it is complete."""
    reasons = (answer for answer in answers.values() if isinstance(answer, Missing))
    return tuple(dict.fromkeys(each for each in reasons if each is not Missing.ABSENT))


def status_of(answers: Answers) -> Status:
    """Return whether a later revision could add something."""
    return "partial" if missing_reasons(answers) else "complete"


def is_retryable(answers: Answers) -> bool:
    """Return whether an answer may arrive soon, without an operator."""
    return any(answer in _soon for answer in answers.values() if isinstance(answer, Missing))


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
    entities: dict[Entity, list[bytes]] = {}
    former: dict[Entity, list[bytes]] = {Entity.USER: [], Entity.QUEUE: []}
    missing: list[bytes] = []
    status = b"complete"
    for (entity, id_), answer in answers.items():
        id_json = orjson.dumps(id_)
        if isinstance(answer, Missing):
            missing.append(_missing[entity, answer] % id_json)
            if answer is not Missing.ABSENT:
                status = b"partial"
        else:
            fields, deprecated = answer
            entities.setdefault(entity, []).append(b"%b:%b" % (id_json, fields))
            if deprecated:
                former[entity].append(b"%b:%b" % (id_json, deprecated))
    known = b",".join(
        [_opening[entity] + b",".join(each) + b"}" for entity, each in entities.items()]
    )
    content = b'"entities":{%b},"missing":[%b],"users":{%b},"queues":{%b}' % (
        known,
        b",".join(missing),
        b",".join(former[Entity.USER]),
        b",".join(former[Entity.QUEUE]),
    )
    return _member(status, revision, enriched_at, content, outcome)


def skipped(*, revision: int, enriched_at: str) -> bytes:
    """Return the value of the member of an event for which nobody may be asked."""
    return _member(b"skipped", revision, enriched_at, _nothing_known, None)


def with_member_appended(body: bytes, member: bytes) -> bytes:
    """Return the body, a JSON object with at least one member, with ``enrichment`` added."""
    end = body.rindex(b"}")
    return b'%b,"enrichment":%b%b' % (body[:end], member, body[end:])


def _member(
    status: bytes, revision: int, enriched_at: str, content: bytes, outcome: bytes | None
) -> bytes:
    return b'{"status":"%b","revision":%d,"enriched_at":%b,%b%b}' % (
        status,
        revision,
        orjson.dumps(enriched_at),
        content,
        b"" if outcome is None else b',"outcome":' + outcome,
    )


_opening: Final = {entity: b'"%b":{' % entity.encode() for entity in Entity}
_missing: Final = {
    (entity, reason): b'{"entity":"%b","id":%%b,"reason":"%b"}' % (entity.encode(), reason.encode())
    for entity in Entity
    for reason in Missing
}
